/**
 * The conditions of a MarathonApp, modelled on the Gateway API: `Accepted` (its definition can be used), `ResolvedRefs`
 * (the endpoints and ports that it refers to exist), `Programmed` (the kernel balances each of its VIPs to at least one
 * backend), and `Ready`: True if all three are, otherwise a copy of the first that is not. Pure.
 */

import type { Condition } from '../../kubernetes/marathon-app.ts';
import type { Rejection } from '../../model/app.ts';
import type { References } from '../../source/kubernetes/references.ts';
import type { VipFacts } from './pass-facts.ts';

export type Verdict = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>;

/** What the conditions depend on. */
export interface Findings {
  /** Whether the object declares anything that can be used. */
  readonly usable: boolean;
  readonly problems: readonly Rejection[];
  /** Set if an older object declares the same app. */
  readonly duplicate: Rejection | undefined;
  readonly warnings: readonly string[];
  readonly vips: readonly VipFacts[];
  /** undefined until the source has read the EndpointSlices. */
  readonly references: References | undefined;
  /** The error that ended the pass early; null if there was none. */
  readonly passError: string | null;
}

/** Returns all conditions, `Ready` last. */
export function conditionsOf(findings: Findings): readonly Verdict[] {
  const found = [accepted(findings), resolvedRefs(findings), programmed(findings)];
  const cause = found.find(({ status }) => status !== 'True');
  return [...found, cause === undefined ? is('Ready', 'True', 'Ready') : { ...cause, type: 'Ready' }];
}

function is(type: string, status: Verdict['status'], reason: string, message = ''): Verdict {
  return { type, status, reason, message };
}

function accepted({ problems, duplicate, vips, warnings }: Findings): Verdict {
  if (duplicate !== undefined) return is('Accepted', 'False', 'Conflict', duplicate.reason);
  const wrong = problems.map(({ at, value, reason }) => `${at} "${value}": ${reason}`);
  const message = some([...wrong, ...warnings.filter((warning) => !isOfTask(warning))]);
  if (wrong.length > 0) {
    return vips.length === 0
      ? is('Accepted', 'False', 'Rejected', message)
      : is('Accepted', 'True', 'PartlyRejected', message);
  }
  if (vips.length > 0) return is('Accepted', 'True', 'Accepted', message);
  return is('Accepted', 'True', 'NoVip', some(['no port has a VIP label', ...warnings]));
}

function resolvedRefs({ usable, duplicate, references, warnings }: Findings): Verdict {
  const type = 'ResolvedRefs';
  if (!usable || duplicate !== undefined) return is(type, 'Unknown', 'NotAccepted');
  if (references === undefined)
    return is(type, 'Unknown', 'Pending', 'its EndpointSlices have not been read yet');
  const { reason, message } = references;
  if (reason !== 'ResolvedRefs') return is(type, 'False', reason, message);
  return is(type, 'True', reason, some(warnings.filter(isOfTask)));
}

function programmed({ vips, passError }: Findings): Verdict {
  const not = (reason: string, message: string) => is('Programmed', 'False', reason, message);
  if (vips.length === 0) return not('NoVip', 'there is no VIP to program');
  if (passError !== null) return not('KernelError', passError);
  const conflicts = vips.flatMap((vip) => vip.conflicts);
  if (conflicts.length > 0) return not('Conflict', some(conflicts));
  const shortfalls = vips.flatMap((vip) => vip.shortfalls);
  if (shortfalls.length > 0) return not('Pending', some(shortfalls));
  const empty = vips.filter(({ services }) => services.length === 0);
  if (empty.length > 0) return not('NoEndpoints', `no endpoint yet: ${some(empty.map(vipText))}`);
  const idle = vips.filter((vip) => rotating(vip) === 0);
  if (idle.length > 0)
    return not('NoReadyEndpoints', `no backend gets new connections: ${some(idle.map(idleText))}`);
  return is('Programmed', 'True', 'Programmed');
}

/** `my-service.marathon.l4lb.thisdcos.directory`, `10.1.2.3`. */
export function nameOf({ declared }: VipFacts): string {
  return declared.fqdn ?? declared.address ?? '';
}

/** Counts the app's own backends that get new connections, including those that only hosts nearer to them use. */
export function rotating({ declared, services }: VipFacts): number {
  const all = services.flatMap(({ backends, nearness }) => [...(nearness?.all ?? backends).values()]);
  return all.filter(({ app, weight }) => app === declared.app && weight > 0).length;
}

function vipText(vip: VipFacts): string {
  return `${nameOf(vip)}:${vip.declared.port}`;
}

function idleText(vip: VipFacts): string {
  return `${vipText(vip)} has 0 of ${vip.declared.backends} in rotation`;
}

/** Whether a warning is about one task rather than the definition. */
function isOfTask(warning: string): boolean {
  return /^\S+: task \S+ is not a backend: /.test(warning);
}

const MAX_LISTED = 10;

/** Keeps a message readable and below the API server's limit. */
function some(texts: readonly string[]): string {
  const rest = texts.length - MAX_LISTED;
  const shown = texts.slice(0, MAX_LISTED).join('; ');
  return (rest > 0 ? `${shown}; and ${rest} more` : shown).slice(0, 4_000);
}
