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
 * Services of other programs that are in the way (conflicts) are not counted, nor those of which something is held. The answer for a pass is remembered, and
 * that for a service while neither side of it is replaced: after a small change little is compared.
 */
export function shortfall(pass: PassStatus): readonly Shortfall[] {
  let found = remembered.get(pass);
  if (found === undefined) {
    found = compare(pass);
    remembered.set(pass, found);
  }
  return found;
}

/** Compares what is new for a call of `shortfall` that follows, in parts: that is then short. */
export function* prepareShortfall({ desired, observed }: PassStatus): Generator<undefined, void> {
  const unknown: (readonly [Service, ObservedService])[] = [];
  desired.services.forEach((want, key) => {
    const have = observed.get(key);
    if (have !== undefined && comparisons.get(want)?.have !== have) unknown.push([want, have]);
  });
  for (const [want, have] of unknown) {
    agrees(want, have);
    yield;
  }
}

const remembered = new WeakMap<PassStatus, readonly Shortfall[]>();
const comparisons = new WeakMap<Service, { readonly have: ObservedService; readonly agrees: boolean }>();

function compare({ desired, observed, plan }: PassStatus): Shortfall[] {
  const held = plan.services.filter((service) => service.held);
  const excepted = new Set([...plan.conflicts, ...held].map(({ key }) => key));
  const found: Shortfall[] = [];
  desired.services.forEach((want, key) => {
    if (excepted.has(key)) return;
    const have = observed.get(key);
    if (have === undefined) found.push({ key, kind: 'missing' });
    else if (!agrees(want, have)) found.push({ key, kind: 'differs' });
  });
  for (const { op, key } of plan.services) {
    if (op === 'remove' && observed.has(key)) found.push({ key, kind: 'left' });
  }
  return found;
}

function agrees(want: Service, have: ObservedService): boolean {
  const known = comparisons.get(want);
  if (known !== undefined && known.have === have) return known.agrees;
  const result = settingsAgree(want, have) && backendsAgree(want, have);
  comparisons.set(want, { have, agrees: result });
  return result;
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
