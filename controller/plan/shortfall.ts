import type { Desired } from '../model/desired.ts';
import type { ObservedService, Table } from '../model/kernel.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import { backendFields, serviceFields } from '../settings/settings.ts';
import { outsideTheKernel } from './diff.ts';
import type { Plan } from './plan.ts';

/** A service that is not as desired in the kernel. */
export interface Shortfall {
  readonly key: ServiceKey;
  /** `missing`: the kernel lacks it. `differs`: settings or backends differ. `left`: it should be gone. */
  readonly kind: 'missing' | 'differs' | 'left';
}

/** The desired state, and the kernel after a pass. */
export interface ShortfallInput {
  readonly desired: Pick<Desired, 'services'>;
  readonly plan: Plan;
  /** The kernel's table after the plan. */
  readonly observed: Table;
  /** Addresses that the kernel does not accept as destinations. */
  readonly refused: ReadonlySet<string>;
}

/**
 * The services that are not as desired. Both tables are compared, since neither a postponed step nor a dry run is a failure
 * of the last pass, and yet the kernel is not as desired then.
 *
 * Conflicts, services with held backends and backends that the kernel refuses do not count: the data of one app must not
 * make a host unready.
 */
export class Shortfalls {
  readonly #kinds = new Map<ServiceKey, Shortfall['kind']>();

  /** All shortfalls. */
  get all(): readonly Shortfall[] {
    return [...this.#kinds].map(([key, kind]) => ({ key, kind }));
  }

  /** Returns a function that checks a service after a plan and returns its cost. Call it for each service of the plan. */
  checker({ desired, plan, observed, refused }: ShortfallInput): (key: ServiceKey) => number {
    const excepted = new Set(plan.conflicts.map(({ key }) => key));
    const leaving = new Set<ServiceKey>();
    for (const { key, op, held } of plan.services) {
      if (held) excepted.add(key);
      if (op === 'remove') leaving.add(key);
    }
    return (key) => {
      const want = desired.services.get(key);
      const kind = excepted.has(key) ? null : kindOf(want, observed.get(key), leaving.has(key), refused);
      if (kind === null) this.#kinds.delete(key);
      else this.#kinds.set(key, kind);
      return 1 + (want?.backends.size ?? 0);
    };
  }
}

function kindOf(
  want: Service | undefined,
  have: ObservedService | undefined,
  leaves: boolean,
  refused: ReadonlySet<string>,
): Shortfall['kind'] | null {
  if (want === undefined) return leaves && have !== undefined ? 'left' : null;
  if (have === undefined) return 'missing';
  return agrees(want, have, refused) ? null : 'differs';
}

function agrees(want: Service, have: ObservedService, refused: ReadonlySet<string>): boolean {
  return serviceFields.agree(want, have) && backendsAgree(want, have, refused);
}

function backendsAgree(want: Service, have: ObservedService, refused: ReadonlySet<string>): boolean {
  // A surplus backend gets connections while it has a weight; with weight 0 it drains.
  for (const [key, { weight }] of have.backends) if (weight > 0 && !want.backends.has(key)) return false;
  for (const [key, backend] of want.backends) {
    const there = have.backends.get(key);
    const agrees =
      there === undefined
        ? outsideTheKernel(want, backend) || refused.has(backend.address)
        : !outsideTheKernel(want, backend) && backendFields.agree(backend, there);
    if (!agrees) return false;
  }
  return true;
}
