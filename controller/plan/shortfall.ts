import type { Desired, ObservedService, Service, ServiceKey, Table } from '../model.ts';
import { backendFields, serviceFields } from '../setting-fields.ts';
import { outsideTheKernel } from './compare.ts';
import type { Plan } from './plan.ts';

/** A service that is not in the kernel as it should be. */
export interface Shortfall {
  readonly key: ServiceKey;
  /** `missing`: the kernel lacks it. `differs`: settings or backends. `left`: it should be gone. */
  readonly kind: 'missing' | 'differs' | 'left';
}

export interface ShortfallInput {
  readonly desired: Pick<Desired, 'services'>;
  readonly plan: Plan;
  /** The table that the plan left. */
  readonly observed: Table;
  /** Addresses that the kernel takes for no destination. */
  readonly refused: ReadonlySet<string>;
}

/**
 * What is not as desired, found by comparing the two tables themselves: a step that waits for its next try is no failure
 * of the last pass, and nothing is written in a dry run, yet in both the kernel is not as desired.
 *
 * Services of other programs that are in the way (conflicts) are not counted, nor those of which something is held, nor
 * backends that the kernel refuses: one app's data makes no host unready.
 */
export class Shortfalls {
  readonly #kinds = new Map<ServiceKey, Shortfall['kind']>();

  /** All that falls short. */
  get all(): readonly Shortfall[] {
    return [...this.#kinds].map(([key, kind]) => ({ key, kind }));
  }

  /** Makes the function that looks at a service of a plan, and returns what that cost; of the others nothing has changed. */
  looker({ desired, plan, observed, refused }: ShortfallInput): (key: ServiceKey) => number {
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
  // A backend too many gets connections while it has a weight; without one it drains.
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
