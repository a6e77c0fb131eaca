/** Formats numbers and times for people. */

import type { BackendDocument, VipDocument } from './document.ts';
import { UNEVEN_FROM } from './spread.ts';

const UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
] as const;

/** Formats the time from `since` to `at`, both RFC 3339: `5s`, `3m`, `2h`, `14d`. */
export function ago(since: string, at: string): string {
  return duration(Math.max(0, Math.round((Date.parse(at) - Date.parse(since)) / 1_000)));
}

/** Formats the rule that applies to a backend, since when, and what ends it, without the reason, which is shown beside it. */
export function decisionText(
  { rule, since, endsWhen, endsAt }: Omit<Decision, 'reason'>,
  at: string,
): string {
  return `${rule} for ${ago(since, at)}, ${endText({ rule, endsWhen, endsAt }, at)}`;
}

/** Formats the rule that applies to a service, with its reason. */
export function serviceDecisionText(decision: Decision, at: string): string {
  const { rule, since, reason } = decision;
  if (reason === null) return decisionText(decision, at);
  return `${rule} for ${ago(since, at)}, since ${reason}, ${endText(decision, at)}`;
}

function endText(
  { rule, endsWhen, endsAt }: Pick<Decision, 'rule' | 'endsWhen' | 'endsAt'>,
  at: string,
): string {
  if (endsAt === null) return `until ${endsWhen}`;
  // An ejection has no set end: this is the time of the next probe.
  return `until ${endsWhen}${rule === 'ejected' ? '; the next one is made' : ','} in ${ago(at, endsAt)}`;
}

/** Formats why a backend has its weight, and how much longer a slow start takes. */
export function reasonText(
  { reason, decision }: Pick<BackendDocument, 'reason' | 'decision'>,
  at: string,
): string {
  if (decision?.rule !== 'slow start' || decision.endsAt === null) return reason;
  return `${reason} for another ${ago(at, decision.endsAt)}`;
}

type Decision = NonNullable<BackendDocument['decision']>;
type Spread = NonNullable<VipDocument['spread']>;

/** Formats the least and the greatest multiple of a share: `0.8-1.2x`. */
export function spreadText({ least, most }: Pick<Spread, 'least' | 'most'>): string {
  return `${times(least.ofShare)}-${times(most.ofShare)}x`;
}

/** Formats the most uneven share: `10.0.0.1:80 got 2.6 times its share of new connections, 312 of 400 in 7m`. */
export function unevenText({ least, most, connections, since }: Spread, at: string): string {
  // Too much for one backend is the cause of too little for others.
  const { backend, ofShare, connections: got } = most.ofShare >= UNEVEN_FROM ? most : least;
  return `${backend} got ${times(ofShare)} times its share of new connections, ${got} of ${connections} in ${ago(since, at)}`;
}

function times(ofShare: number): string {
  return ofShare < 9.95 ? ofShare.toFixed(1) : short(ofShare);
}

/** Formats seconds in their largest whole unit. */
export function duration(seconds: number): string {
  for (const [size, unit] of UNITS) if (seconds >= size) return `${Math.floor(seconds / size)}${unit}`;
  return `${Math.round(seconds)}s`;
}

/** Formats a number in at most four characters: `950`, `12k`, `3.4M`. */
export function short(count: number): string {
  let rest = count;
  for (const unit of ['', 'k', 'M', 'G', 'T']) {
    if (rest < 999.5)
      return unit === '' || rest >= 9.95 ? `${Math.round(rest)}${unit}` : `${rest.toFixed(1)}${unit}`;
    rest /= 1_000;
  }
  return `${rest.toFixed(1)}P`;
}

/** `1 VIP`, `2 VIPs`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
