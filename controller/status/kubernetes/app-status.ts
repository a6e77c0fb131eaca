/** The status of one MarathonApp after a pass. Pure. */

import { cleanName } from '../../desired/names.ts';
import type { Condition, MarathonAppStatus } from '../../kubernetes/marathon-app.ts';
import type { Rejection } from '../../model/app.ts';
import type { Declaration } from '../../source/kubernetes/declaration.ts';
import type { References } from '../../source/kubernetes/references.ts';
import { visible } from '../../text/visible.ts';
import { conditionsOf, nameOf, rotating } from './conditions.ts';
import type { AppFacts, VipFacts } from './pass-facts.ts';

/** The parts of a MarathonApp that its status depends on. */
export interface Subject {
  /** `namespace/name`. */
  readonly key: string;
  readonly generation: number | undefined;
  readonly declaration: Declaration | Rejection;
}

/** What the status depends on besides the object itself. */
export interface Evidence {
  /** Results of the pass for the app that the object declares. */
  readonly facts: AppFacts;
  /** The error that ended the pass early; null if there was none. */
  readonly passError: string | null;
  readonly references: References | undefined;
}

/** Returns the id of the app that an object declares, or the one in its rejection if the object cannot be used. */
export function idOf({ declaration }: Subject): string {
  return 'selector' in declaration ? declaration.id : declaration.app;
}

/**
 * Returns the status of an object after a pass. Conditions that have not changed keep their transition time from `before`.
 * `now` is in RFC 3339.
 */
export function appStatus(
  { key, generation, declaration }: Subject,
  { facts, passError, references }: Evidence,
  before: MarathonAppStatus,
  now: string,
): MarathonAppStatus {
  const usable = 'selector' in declaration ? declaration : null;
  const refused = facts.rejected.filter(({ reason }) => concerns(reason, key));
  const duplicate = refused.find(({ at, reason }) => at === 'id' && reason.includes(`MarathonApp ${key} `));
  const vips = usable === null || duplicate !== undefined ? [] : ownVips(usable, facts);
  const problems = usable === null ? [declaration as Rejection] : refused;
  const { warnings } = facts;

  const verdicts = conditionsOf({
    usable: usable !== null,
    problems,
    duplicate,
    warnings,
    vips,
    references,
    passError,
  });
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const conditions = verdicts.map((verdict): Condition => {
    const was = before.conditions?.find(({ type }) => type === verdict.type);
    const lastTransitionTime = was?.status === verdict.status ? was.lastTransitionTime : now;
    // kubectl prints control characters as they are.
    return { ...verdict, message: visible(verdict.message), ...observed, lastTransitionTime };
  });
  return { ...observed, conditions, ...summary(vips) };
}

/** A rejection of a duplicate concerns only the object that it names; all others concern every object of the app. */
function concerns(reason: string, key: string): boolean {
  return !reason.startsWith('this id in MarathonApp ') || reason.includes(`MarathonApp ${key} `);
}

function ownVips({ framework }: Declaration, { vips }: AppFacts): readonly VipFacts[] {
  const clean = cleanName(framework);
  return vips.filter(({ declared }) => declared.framework === null || declared.framework === clean);
}

function summary(vips: readonly VipFacts[]): Omit<MarathonAppStatus, 'conditions' | 'observedGeneration'> {
  const entries = vips.map((vip) => ({
    name: nameOf(vip),
    protocol: vip.declared.protocol,
    port: vip.declared.port,
    addresses: vip.services.map(({ address }) => address),
    backends: vip.declared.backends,
    inRotation: rotating(vip),
  }));
  const [first, ...others] = entries;
  if (first === undefined) return { vips: [] };
  const more = others.length === 0 ? '' : ` +${others.length}`;
  return {
    vip: `${first.name}:${first.port}${more}`,
    ...(first.addresses.length > 0 && { address: first.addresses.join(',') }),
    backends: `${total(entries.map(({ inRotation }) => inRotation))}/${total(entries.map(({ backends }) => backends))}`,
    vips: entries,
  };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
