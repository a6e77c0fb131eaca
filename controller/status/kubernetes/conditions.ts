/**
 * The conditions of a MarathonApp, as the Gateway API has them: `Accepted` (its definition can be used), `ResolvedRefs`
 * (the endpoints and ports that it refers to were found), `Programmed` (the kernel balances each of its VIPs to a backend
 * at least), and `Ready`, which sums up: True where all three are, else the first one that is not. Pure.
 */

import type { Condition } from '../../kubernetes/marathon-app.ts';
import type { Rejection } from '../../model.ts';
import type { References } from '../../source/kubernetes/references.ts';
import type { VipFacts } from './pass-facts.ts';

export type Verdict = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>;

/** What they are made of. */
export interface Findings {
  /** Whether the object declares anything that can be used. */
  readonly usable: boolean;
  readonly problems: readonly Rejection[];
  /** Another object declares the same app, and is older. */
  readonly twice: Rejection | undefined;
  readonly warnings: readonly string[];
  readonly vips: readonly VipFacts[];
  /** undefined: the source has not read the endpoints yet. */
  readonly references: References | undefined;
  /** What ended the pass early; null: nothing. */
  readonly passError: string | null;
}

/** All conditions, the summary last. */
export function conditionsOf(findings: Findings): readonly Verdict[] {
  const found = [accepted(findings), resolvedRefs(findings), programmed(findings)];
  const cause = found.find(({ status }) => status !== 'True');
  return [...found, cause === undefined ? is('Ready', 'True', 'Ready') : { ...cause, type: 'Ready' }];
}

function is(type: string, status: Verdict['status'], reason: string, message = ''): Verdict {
  return { type, status, reason, message };
}

function accepted({ problems, twice, vips, warnings }: Findings): Verdict {
  if (twice !== undefined) return is('Accepted', 'False', 'Conflict', twice.reason);
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

function resolvedRefs({ usable, twice, references, warnings }: Findings): Verdict {
  const type = 'ResolvedRefs';
  if (!usable || twice !== undefined) return is(type, 'Unknown', 'NotAccepted');
  if (references === undefined) return is(type, 'Unknown', 'Pending', 'its EndpointSlices are not read yet');
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

/** How many of the app's own backends get new connections; those too that this host leaves to hosts nearer to them. */
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

/** About one task, as there may be hundreds: no fault of the definition. */
function isOfTask(warning: string): boolean {
  return /^\S+: task \S+ is no backend: /.test(warning);
}

const LONGEST_LIST = 10;

/** A message must stay readable, and within what the server takes. */
function some(texts: readonly string[]): string {
  const rest = texts.length - LONGEST_LIST;
  const shown = texts.slice(0, LONGEST_LIST).join('; ');
  return (rest > 0 ? `${shown}; and ${rest} more` : shown).slice(0, 4_000);
}
