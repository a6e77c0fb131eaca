import type { ObservedService, Service, ServiceKey } from '../model.ts';
import { outsideTheKernel } from '../plan/compare.ts';
import { backendAgrees, settingsAgree } from './agreement.ts';
import type { PassStatus } from './pass-status.ts';

/** A service that is not in the kernel as it should be. */
export interface Shortfall {
  readonly key: ServiceKey;
  /** `missing`: the kernel lacks it. `differs`: settings or backends. `left`: it should be gone. */
  readonly kind: 'missing' | 'differs' | 'left';
}

/**
 * What after a pass is not as desired, found by comparing the two tables themselves: a step that waits for its next
 * try is no failure of this pass, and nothing is written in a dry run, yet in both the kernel is not as desired.
 *
 * Services of other programs that are in the way (conflicts) are not counted, nor those of which something is held. The
 * answer for a pass is remembered.
 */
export function shortfall(pass: PassStatus): readonly Shortfall[] {
  let found = answers.get(pass);
  if (found === undefined) {
    found = compare(pass, (_, want, have) => agrees(want, have));
    answers.set(pass, found);
  }
  return found;
}

/** The few passes that are still of interest. */
const answers = new WeakMap<PassStatus, readonly Shortfall[]>();

/** Finds the shortfall of one pass after another: after a small change little is compared. */
export class Shortfalls {
  readonly #known = new Map<ServiceKey, Known>();

  /** Prepares `shortfall` of this pass, in parts. */
  *prepare(pass: PassStatus): Generator<undefined, void> {
    const { desired, observed } = pass;
    const unknown: Known[] = [];
    desired.services.forEach((want, key) => {
      const have = observed.get(key);
      const known = this.#known.get(key);
      if (have === undefined || (known?.want === want && known.have === have)) return;
      const found = { want, have, agrees: false };
      this.#known.set(key, found);
      unknown.push(found);
    });
    for (const found of unknown) {
      found.agrees = agrees(found.want, found.have);
      yield;
    }
    answers.set(
      pass,
      compare(pass, (key) => this.#known.get(key)?.agrees === true),
    );
    if (this.#known.size <= desired.services.size) return;
    for (const key of this.#known.keys()) if (!desired.services.has(key)) this.#known.delete(key);
  }
}

interface Known {
  readonly want: Service;
  readonly have: ObservedService;
  agrees: boolean;
}

function compare(
  { desired, observed, plan }: PassStatus,
  agree: (key: ServiceKey, want: Service, have: ObservedService) => boolean,
): Shortfall[] {
  const held = plan.services.filter((service) => service.held);
  const excepted = new Set([...plan.conflicts, ...held].map(({ key }) => key));
  const found: Shortfall[] = [];
  desired.services.forEach((want, key) => {
    if (excepted.has(key)) return;
    const have = observed.get(key);
    if (have === undefined) found.push({ key, kind: 'missing' });
    else if (!agree(key, want, have)) found.push({ key, kind: 'differs' });
  });
  for (const { op, key } of plan.services) {
    if (op === 'remove' && observed.has(key)) found.push({ key, kind: 'left' });
  }
  return found;
}

function agrees(want: Service, have: ObservedService): boolean {
  return settingsAgree(want, have) && backendsAgree(want, have);
}

function backendsAgree(want: Service, have: ObservedService): boolean {
  // A backend too many gets connections while it has a weight; without one it drains.
  for (const [key, { weight }] of have.backends) if (weight > 0 && !want.backends.has(key)) return false;
  for (const [key, backend] of want.backends) {
    const there = have.backends.get(key);
    const agrees = outsideTheKernel(want, backend) ? there === undefined : backendAgrees(backend, there);
    if (!agrees) return false;
  }
  return true;
}
