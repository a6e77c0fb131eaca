import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { Table } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';
import { lossText } from './held-text.ts';
import {
  findLosses,
  inRotation,
  type Loss,
  type LossContext,
  type Losses,
  type LossReason,
} from './losses.ts';
import type { MassRemoval } from './mass.ts';
import { isLarge, isMass } from './mass.ts';
import { type PlanDraft, type PlannedService, withBackends } from './plan.ts';

export interface BrakeContext extends LossContext {
  /** Whether a backend was held before. It stays held until a source names it or it comes back, however few are left. */
  readonly heldBefore: (endpoint: BackendKey, service: ServiceKey) => boolean;
  /** The share of VIPs, or of backends in rotation, that one pass may remove: 0.5 is half. */
  readonly share: number;
  /**
   * What earlier passes have just removed unnamed; it counts as a part of the same removal. When missing, nothing. Called only
   * where something would be lost.
   */
  readonly recent?: () => RecentLoss;
}

/** VIPs that were left without a backend in rotation, and by how many backends all VIPs together are short. */
export interface RecentLoss {
  readonly vips: number;
  readonly backends: number;
}

interface Held {
  /** The plan without the removals that are held. */
  readonly plan: PlanDraft;
  readonly held: MassRemoval | null;
  /** The held backends by VIP; empty when nothing is held. */
  readonly losses: Losses;
  /** The backends by VIP that leave unnamed and are not held. */
  readonly gone: Losses;
}

/**
 * Holds a mass removal that no source named (rule 4): takes its removals out of the plan and leaves the rest. Causes are
 * tasks that are missing from a list (marathon #3419), that lost their health results, or that are all unhealthy,
 * unreachable or staging; labels that are gone; a changed framework name; zones that make other backends the nearest.
 *
 * A backend counts when it is in rotation and its VIP would have fewer afterwards: a replacement is no loss.
 */
export function holdMassRemoval(plan: PlanDraft, context: BrakeContext): Held {
  const losses = findLosses(plan, context);
  if (losses.size === 0) return { plan, held: null, losses, gone: losses };
  const { observed, share, heldBefore } = context;
  const recent = context.recent?.() ?? NO_LOSS;
  const all = measure(losses, context);
  if (isTooMuch(all, share, recent)) {
    const held = recent.backends > 0 ? { ...all, recent: recent.backends } : all;
    return { plan: without(plan, losses, observed), held, losses, gone: new Map() };
  }
  const few = onlyBackends(losses, heldBefore);
  if (few.size === 0) return { plan, held: null, losses: few, gone: losses };
  const gone = onlyBackends(losses, (endpoint, service) => !heldBefore(endpoint, service));
  return { plan: without(plan, few, observed), held: measure(few, context), losses: few, gone };
}

const NO_LOSS: RecentLoss = { vips: 0, backends: 0 };

function onlyBackends(losses: Losses, chosen: BrakeContext['heldBefore']): Losses {
  const found = new Map<ServiceKey, Loss>();
  for (const [key, { backends: all, whole }] of losses) {
    const backends = new Map([...all].filter(([endpoint]) => chosen(endpoint, key)));
    if (backends.size > 0) found.set(key, { backends, whole, net: backends.size });
  }
  return found;
}

/** How much would be removed, and of how much. */
export function measure(
  losses: Losses,
  { observed, owned }: Pick<BrakeContext, 'observed' | 'owned'>,
): MassRemoval {
  let ofVips = 0;
  let ofBackends = 0;
  for (const key of owned.keys()) {
    const service = observed.get(key);
    if (service === undefined) continue;
    ofVips += 1;
    ofBackends += inRotation(service);
  }
  const endpoints = new Set<BackendKey>();
  const reasons = new Map<LossReason, number>();
  let vips = 0;
  let backends = 0;
  for (const loss of losses.values()) {
    if (loss.whole) vips += 1;
    backends += loss.net;
    for (const [endpoint, why] of loss.backends) {
      endpoints.add(endpoint);
      reasons.set(why, (reasons.get(why) ?? 0) + 1);
    }
  }
  return {
    ...{ vips, ofVips, backends, ofBackends, endpoints },
    services: new Set(losses.keys()),
    reasons: [...reasons].sort((a, b) => b[1] - a[1]),
  };
}

/** Whether it is a mass, with `share` as in `BrakeContext`. */
export function isTooMuch(
  { vips, ofVips, backends, ofBackends }: MassRemoval,
  share: number,
  recent: RecentLoss = NO_LOSS,
): boolean {
  // All backends of a single VIP may go: it may just have been stopped.
  if (isMass(vips, ofVips, share) || isMass(backends, ofBackends, share, ofVips)) return true;
  return (
    isLarge(vips + recent.vips, ofVips + recent.vips, share) ||
    isLarge(backends + recent.backends, ofBackends + recent.backends, share)
  );
}

/** The plan in which the lost backends stay as they are; other removals of their VIPs remain. */
function without(plan: PlanDraft, losses: Losses, observed: Table): PlanDraft {
  return keepBackends(plan, observed, (service) => {
    const lost = losses.get(service.key)?.backends;
    if (lost === undefined) return null;
    const unsaid = [...lost.values()].every((why) => why === 'missing');
    return {
      backends: new Map([...lost].map(([endpoint, why]) => [endpoint, `held: ${lossText(why)}`])),
      reason: unsaid ? 'no source mentions it any more' : service.reason,
    };
  });
}

/** Backends of one service that stay, each with the reason; and the reason of a service that would be removed. */
export interface Staying {
  readonly backends: ReadonlyMap<BackendKey, string>;
  readonly reason: string | null;
}

/** The plan in which backends stay as they are in the kernel. `stayingOf`: null when none of this service do. */
export function keepBackends(
  plan: PlanDraft,
  observed: Table,
  stayingOf: (service: PlannedService) => Staying | null,
): PlanDraft {
  const services = plan.services.map((service) => {
    const staying = stayingOf(service);
    return staying === null ? service : kept(service, staying, observed);
  });
  return { ...plan, services };
}

function kept(service: PlannedService, staying: Staying, observed: Table): PlannedService {
  const have = observed.get(service.key)?.backends;
  const backends = service.backends.map((backend) => {
    const endpoint = endpointKey(backend);
    const reason = staying.backends.get(endpoint);
    const was = have?.get(endpoint);
    if (reason === undefined || was === undefined) return backend;
    return { ...backend, op: 'keep' as const, weight: was.weight, changes: [], reason };
  });
  const reason = service.reason === null ? null : staying.reason;
  return { ...withBackends(service, backends), held: true, reason };
}
