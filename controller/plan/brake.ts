import type { Occupants } from '../desired/occupants.ts';
import {
  type BackendKey,
  endpointKey,
  type ObservedService,
  type ServiceKey,
  type Step,
  type Table,
} from '../model.ts';
import { isMass } from './mass.ts';
import { type Owned, type Plan, type PlannedService, summaryOf } from './plan.ts';
import { stepKey } from './step-key.ts';

export interface BrakeContext {
  readonly observed: Table;
  /** The services that were ours before this pass. */
  readonly owned: ReadonlyMap<ServiceKey, Owned>;
  readonly occupants: Occupants;
  /** Whether a source has said by name that what was at an endpoint is gone: such an end is never held. */
  readonly named: (endpoint: BackendKey) => boolean;
  /** Whether a backend was held before: it stays so until it is named or comes back, however few are left. */
  readonly heldBefore: (endpoint: BackendKey) => boolean;
  /** Share of VIPs, or of backends in rotation, up to which a pass may take away: 0.5 is half. */
  readonly share: number;
}

/** What a pass would take away on no better word than that it is missing. */
export interface MassRemoval {
  /** VIPs that would go altogether, of how many that are ours. */
  readonly vips: number;
  readonly ofVips: number;
  /** Backends that would leave the rotation, of how many that are in it. */
  readonly backends: number;
  readonly ofBackends: number;
  /** Where these backends are. */
  readonly endpoints: ReadonlySet<BackendKey>;
  /** The VIPs that have them. */
  readonly services: ReadonlySet<ServiceKey>;
}

/**
 * Takes out of the plan what would take away too much at once for no better reason than that the sources do not
 * mention it any more, or have lost the results of health checks (rule 4; marathon #3419). Everything else stays.
 *
 * A backend counts when it is in rotation, and its VIP would have fewer afterwards: one that is replaced is no loss.
 */
export function holdMassRemoval(
  plan: Plan,
  context: BrakeContext,
): { readonly plan: Plan; readonly held: MassRemoval | null } {
  const losses = findLosses(plan, context);
  if (losses.size === 0) return { plan, held: null };
  const all = measure(losses, context);
  if (isTooMuch(all, context.share)) return { plan: without(plan, losses, context.observed), held: all };
  const few = onlyBackends(losses, context.heldBefore);
  if (few.size === 0) return { plan, held: null };
  return { plan: without(plan, few, context.observed), held: measure(few, context) };
}

/** The backends of one VIP that would leave the rotation unnamed, by endpoint, with why. */
interface Loss {
  readonly backends: ReadonlyMap<BackendKey, string>;
  /** How many fewer the VIP would have in rotation. */
  readonly net: number;
  /** The VIP itself would go. */
  readonly whole: boolean;
}

function findLosses(plan: Plan, context: BrakeContext): ReadonlyMap<ServiceKey, Loss> {
  // At the first start there is nothing to lose, and more to do than ever again.
  if (context.owned.size === 0) return NO_LOSSES;
  const found = new Map<ServiceKey, { backends: Map<BackendKey, string>; whole: boolean; gained: number }>();
  const of = (key: ServiceKey) => {
    const known = found.get(key) ?? { backends: new Map<BackendKey, string>(), whole: false, gained: 0 };
    found.set(key, known);
    return known;
  };
  for (const step of [...plan.growing, ...plan.shrinking]) {
    const key = stepKey(step);
    const service = context.owned.has(key) ? context.observed.get(key) : undefined;
    if (service === undefined) continue;
    for (const endpoint of leavingRotation(step, service)) {
      const why = unnamed(endpoint, context);
      if (why !== null) of(key).backends.set(endpoint, why);
    }
    if (step.op === 'remove-service') of(key).whole = true;
    if (entersRotation(step, service)) of(key).gained += 1;
  }
  const losses = new Map<ServiceKey, Loss>();
  for (const [key, { backends, whole, gained }] of found) {
    const net = backends.size - gained;
    if (net > 0) losses.set(key, { backends, whole, net });
  }
  return losses;
}

const NO_LOSSES: ReadonlyMap<ServiceKey, Loss> = new Map();

function leavingRotation(step: Step, { backends }: ObservedService): readonly BackendKey[] {
  const inRotation = (endpoint: BackendKey) => (backends.get(endpoint)?.weight ?? 0) > 0;
  if (step.op === 'remove-service') return [...backends.keys()].filter(inRotation);
  const leaves = step.op === 'remove-backend' || (step.op === 'update-backend' && step.backend.weight === 0);
  return leaves ? [endpointKey(step.backend)].filter(inRotation) : [];
}

function entersRotation(step: Step, service: ObservedService): boolean {
  if (step.op !== 'add-backend' && step.op !== 'update-backend') return false;
  const had = service.backends.get(endpointKey(step.backend))?.weight ?? 0;
  return had === 0 && step.backend.weight > 0;
}

/** Why a backend would leave, where no source says so by name; null where one does. */
function unnamed(endpoint: BackendKey, { occupants, named }: BrakeContext): string | null {
  if (named(endpoint)) return null;
  const occupant = occupants(endpoint);
  if (occupant === null) return 'its task is missing from what the source tells';
  return occupant.healthLost ? 'its health results are lost' : null;
}

function onlyBackends(
  losses: ReadonlyMap<ServiceKey, Loss>,
  chosen: (endpoint: BackendKey) => boolean,
): ReadonlyMap<ServiceKey, Loss> {
  const found = new Map<ServiceKey, Loss>();
  for (const [key, { backends: all, whole }] of losses) {
    const backends = new Map([...all].filter(([endpoint]) => chosen(endpoint)));
    if (backends.size > 0) found.set(key, { backends, whole, net: backends.size });
  }
  return found;
}

function measure(losses: ReadonlyMap<ServiceKey, Loss>, { observed, owned }: BrakeContext): MassRemoval {
  let ofVips = 0;
  let ofBackends = 0;
  for (const key of owned.keys()) {
    const service = observed.get(key);
    if (service === undefined) continue;
    ofVips += 1;
    for (const { weight } of service.backends.values()) if (weight > 0) ofBackends += 1;
  }
  const endpoints = new Set<BackendKey>();
  let vips = 0;
  let backends = 0;
  for (const loss of losses.values()) {
    if (loss.whole) vips += 1;
    backends += loss.net;
    for (const endpoint of loss.backends.keys()) endpoints.add(endpoint);
  }
  return { vips, ofVips, backends, ofBackends, endpoints, services: new Set(losses.keys()) };
}

function isTooMuch({ vips, ofVips, backends, ofBackends }: MassRemoval, share: number): boolean {
  // All backends of a single VIP may go: it may just have been stopped.
  return isMass(vips, ofVips, share) || isMass(backends, ofBackends, share, ofVips);
}

/** The plan in which the lost backends stay as they are; what else their VIPs had to lose still goes. */
function without(plan: Plan, losses: ReadonlyMap<ServiceKey, Loss>, observed: Table): Plan {
  const services = plan.services.map((service) => {
    const loss = losses.get(service.key);
    return loss === undefined ? service : kept(service, loss, observed);
  });
  const holds = (step: Step): boolean => {
    if (step.op !== 'remove-backend' && step.op !== 'update-backend') return false;
    return losses.get(stepKey(step))?.backends.has(endpointKey(step.backend)) === true;
  };
  const growing = plan.growing.filter((step) => !holds(step));
  const shrinking = plan.shrinking.flatMap((step): readonly Step[] => {
    const loss = losses.get(stepKey(step));
    if (step.op !== 'remove-service' || loss === undefined) return holds(step) ? [] : [step];
    const others = [...(observed.get(stepKey(step))?.backends ?? [])];
    return others
      .filter(([endpoint]) => !loss.backends.has(endpoint))
      .map(([, { address, port }]) => ({
        op: 'remove-backend',
        service: step.service,
        backend: { address, port },
      }));
  });
  return { ...plan, services, growing, shrinking, summary: summaryOf(services) };
}

function kept(service: PlannedService, { backends: lost, whole }: Loss, observed: Table): PlannedService {
  const have = observed.get(service.key)?.backends;
  const backends = service.backends.map((backend) => {
    const endpoint = endpointKey(backend);
    const why = lost.get(endpoint);
    const was = have?.get(endpoint);
    if (why === undefined || was === undefined) return backend;
    return { ...backend, op: 'keep' as const, weight: was.weight, changes: [], reason: `held: ${why}` };
  });
  const changed = service.changes.length > 0 || backends.some(({ op }) => op !== 'keep');
  const reason = whole ? 'held: no source mentions it any more' : service.reason;
  return { ...service, op: changed ? 'change' : 'keep', held: true, reason, backends };
}
