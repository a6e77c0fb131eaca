import type { BackendKey } from '../model/endpoint.ts';
import type { ServiceKey } from '../model/service.ts';
import { type BrakeContext, isTooMuch, measure } from './brake.ts';
import { findLosses, type Losses, leaving } from './losses.ts';
import { SMALL_REMOVAL } from './mass.ts';
import type { PlanDraft } from './plan.ts';

/**
 * Why a backend that left the rotation was not held. `named`: a source named its task or app. `ended`: a list says that
 * this task ends. `confirmed`: it was held, and the sources said the same when they were read again. `few`: apart from
 * named ones, too few left. `brake off`: `--allow-mass-removal`.
 */
export type LeaveRule = 'named' | 'ended' | 'confirmed' | 'few' | 'brake off';

/** Why a backend may leave. `at`: when that became known, in milliseconds of the monotonic clock. */
export interface Leave {
  readonly rule: LeaveRule;
  /** The source that reported it; null when it was not a single one. */
  readonly source: string | null;
  readonly at: number;
}

/** An endpoint whose task a source named as ended, or as no longer serving a VIP. */
export interface NamedEnd {
  readonly endpoint: BackendKey;
  readonly source: string;
}

/** A removal large enough to be held, that was not held. */
export interface LargeRemoval {
  readonly vips: number;
  readonly ofVips: number;
  readonly backends: number;
  readonly ofBackends: number;
  readonly services: ReadonlySet<ServiceKey>;
  /** The rules that allowed it, with their numbers of backends; the most frequent first. */
  readonly because: readonly (Leave & { readonly backends: number })[];
}

interface Context extends Pick<BrakeContext, 'observed' | 'owned' | 'share'> {
  /** Whether a backend leaves by a decision of this host (such as an ejection), which is no removal by a source. */
  readonly decidedHere: (endpoint: BackendKey, service: ServiceKey) => boolean;
}

/**
 * Explains why a plan may remove so much that it would be held if no source had named any of it; null when it removes
 * less. `leaveOf` returns why each backend may leave.
 */
export function largeRemoval(
  plan: PlanDraft,
  context: Context,
  leaveOf: (endpoint: BackendKey, service: ServiceKey) => Leave,
): LargeRemoval | null {
  const unnamed = { ...context, taskAt: () => null, named: context.decidedHere, leftOut: () => false };
  const losses = findLosses(plan, unnamed);
  if (losses.size === 0) return null;
  // Most changes end here: measuring visits all owned services.
  if (context.owned.size > SMALL_REMOVAL && lostBackends(losses) <= SMALL_REMOVAL) return null;
  const all = measure(losses, context);
  if (!isTooMuch(all, context.share)) return null;
  const counts = new Map<string, Leave & { backends: number }>();
  for (const [service, endpoint] of leaving(plan, context)) {
    if (losses.get(service)?.backends.has(endpoint) !== true) continue;
    const leave = leaveOf(endpoint, service);
    const key = JSON.stringify([leave.rule, leave.source]);
    const known = counts.get(key) ?? { ...leave, backends: 0 };
    counts.set(key, { ...known, at: Math.max(known.at, leave.at), backends: known.backends + 1 });
  }
  const { vips, ofVips, backends, ofBackends, services } = all;
  const because = [...counts.values()].sort((a, b) => b.backends - a.backends);
  return { vips, ofVips, backends, ofBackends, services, because };
}

function lostBackends(losses: Losses): number {
  let lost = 0;
  for (const { net } of losses.values()) lost += net;
  return lost;
}

/** One line about a large removal that was not held: how much, of how much, and why. */
export function largeRemovalText({
  vips,
  ofVips,
  backends,
  ofBackends,
  because,
}: Omit<LargeRemoval, 'services' | 'because'> & {
  readonly because: readonly (Pick<Leave, 'rule' | 'source'> & { readonly backends: number })[];
}): string {
  const why = because.map(({ rule, source, backends: count }) => `${count} ${ruleText(rule, source)}`);
  return `${vips} of ${ofVips} VIPs and ${backends} of ${ofBackends} backends left the rotation: ${why.join(', ')}`;
}

function ruleText(rule: LeaveRule, source: string | null): string {
  return rule === 'named' ? `named by ${source ?? 'a source'}` : TEXTS[rule];
}

const TEXTS: Readonly<Record<Exclude<LeaveRule, 'named'>, string>> = {
  ended: 'whose tasks are ending, according to a list',
  confirmed: 'held before and confirmed by reading the sources again',
  few: 'too few to be held',
  'brake off': 'with the brake off (--allow-mass-removal)',
};
