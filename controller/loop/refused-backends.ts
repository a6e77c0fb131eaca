import { familyOf } from '../address.ts';
import type { Table } from '../model.ts';
import type { StepFailure } from '../ports.ts';
import { delayAfter } from './backoff.ts';

const RETRY = { firstMs: 60_000, limitMs: 3_600_000 };
const WHY = "an address that this host's kernel takes for no destination (EINVAL)";

/**
 * Addresses of backends that this host's kernel refuses as a destination. That is a fault of what one app says, not of
 * writing: they are left out, told, and tried again after a minute, two, and so on up to an hour.
 *
 * Only where the kernel has another backend of the family: if it refuses all of them, the fault is not one app's.
 */
export class RefusedBackends {
  readonly #now: () => number;
  readonly #known = new Map<string, { failures: number; until: number }>();
  #current: ReadonlyMap<string, string> = new Map();
  #learnt = false;

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Those that are left out now, with why; the same object while they are the same. */
  current(): ReadonlyMap<string, string> {
    this.#learnt = false;
    const now = this.#now();
    const out: [string, string][] = [];
    for (const [address, { until }] of this.#known) {
      if (until > now) out.push([address, WHY]);
      else if (now - until > RETRY.limitMs) this.#known.delete(address);
    }
    const same = out.length === this.#current.size && out.every(([address]) => this.#current.has(address));
    if (!same) this.#current = new Map(out);
    return this.#current;
  }

  /** What `current` gave last. */
  get addresses(): readonly string[] {
    return [...this.#current.keys()];
  }

  /** Takes what a pass met, with the table that it left; returns the failures that are failures. */
  learn(failures: readonly StepFailure[], table: Table): readonly StepFailure[] {
    const addresses = new Set<string>();
    const left = failures.filter((failure) => {
      if (!isRefused(failure) || !hasOther(failure, table)) return true;
      if (failure.step.op === 'add-backend') addresses.add(failure.step.backend.address);
      return false;
    });
    for (const address of addresses) {
      const count = (this.#known.get(address)?.failures ?? 0) + 1;
      this.#known.set(address, { failures: count, until: this.#now() + delayAfter(count, RETRY) });
      this.#learnt = true;
    }
    return left;
  }

  /** When a pass is worth making: at once after one that learnt something; null when there is nothing to try again. */
  nextLook(): number | null {
    if (this.#learnt) return this.#now();
    const untils = [...this.#current.keys()].flatMap((address) => this.#known.get(address)?.until ?? []);
    return untils.length === 0 ? null : Math.min(...untils);
  }
}

function isRefused({ step, why }: StepFailure): boolean {
  return step.op === 'add-backend' && why === 'refused-backend';
}

function hasOther({ step: { service } }: StepFailure, table: Table): boolean {
  const family = familyOf(service.address);
  for (const { address, backends } of table.values())
    if (familyOf(address) === family && backends.size > 0) return true;
  return false;
}
