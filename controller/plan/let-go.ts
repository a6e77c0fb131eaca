import type { BackendKey, ServiceKey } from '../model.ts';
import { type BrakeContext, isTooMuch, measure } from './brake.ts';
import { findLosses, type Losses, leaving } from './losses.ts';
import { SMALL_REMOVAL } from './mass.ts';
import type { Plan } from './plan.ts';

/**
 * Why a backend left the rotation and was not held. `named`: a source said so of its task or app. `ended`: a list says of
 * this task that it ends. `confirmed`: held before, and the sources, read again, said the same. `few`: with what was named
 * left out, too few to be held. `brake off`: `--allow-mass-removal`.
 */
export type LetGoRule = 'named' | 'ended' | 'confirmed' | 'few' | 'brake off';

/** What lets a backend go. `at` is on the monotonic clock, in milliseconds. */
export interface Leave {
  readonly rule: LetGoRule;
  /** The source that said so; null where no single one did. */
  readonly source: string | null;
  readonly at: number;
}

/** An endpoint of which a source said by name that what is there ended, or serves a VIP no more. */
export interface NamedEnd {
  readonly endpoint: BackendKey;
  readonly source: string;
}

/** A removal that would have been held, had nothing of it been let go for a reason. */
export interface LargeRemoval {
  readonly vips: number;
  readonly ofVips: number;
  readonly backends: number;
  readonly ofBackends: number;
  readonly services: ReadonlySet<ServiceKey>;
  /** What let them go, and how many backends each; the most frequent first. */
  readonly because: readonly (Leave & { readonly backends: number })[];
}

interface Context extends Pick<BrakeContext, 'observed' | 'owned' | 'share'> {
  /** What leaves by a decision of this host is no part of a removal. */
  readonly decidedHere: (endpoint: BackendKey, service: ServiceKey) => boolean;
}

/**
 * Tells why a plan may take away so much that it would be held if no source had named any of it; null where it takes away
 * less. `leaveOf` tells what lets each backend go.
 */
export function largeRemoval(
  plan: Plan,
  context: Context,
  leaveOf: (endpoint: BackendKey, service: ServiceKey) => Leave,
): LargeRemoval | null {
  const unnamed = { ...context, taskAt: () => null, named: context.decidedHere, leftOut: () => false };
  const losses = findLosses(plan, unnamed);
  if (losses.size === 0) return null;
  // The usual change goes no further: to measure is to look at all that is ours.
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

/** A large removal that was let go, in a line: how much went, of how much, and why. */
export function letGoText({
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

function ruleText(rule: LetGoRule, source: string | null): string {
  return rule === 'named' ? `named by ${source ?? 'a source'}` : TEXTS[rule];
}

const TEXTS: Readonly<Record<Exclude<LetGoRule, 'named'>, string>> = {
  ended: 'whose tasks end, as a list says',
  confirmed: 'held before and confirmed by reading the sources again',
  few: 'too few to be held',
  'brake off': 'with the brake off (--allow-mass-removal)',
};
