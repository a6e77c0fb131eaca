/** What a pass means for one MarathonApp, in the form of its status. Pure. */

import { cleanName } from '../../desired/names.ts';
import type { Condition, MarathonAppStatus } from '../../kubernetes/marathon-app.ts';
import type { Rejection } from '../../model.ts';
import type { Declaration } from '../../source/kubernetes/declaration.ts';
import type { References } from '../../source/kubernetes/references.ts';
import { visible } from '../../visible.ts';
import { conditionsOf, nameOf, rotating } from './conditions.ts';
import type { AppFacts, VipFacts } from './pass-facts.ts';

/** The object, as far as its status depends on it. */
export interface Subject {
  /** `namespace/name`. */
  readonly key: string;
  readonly generation: number | undefined;
  readonly declaration: Declaration | Rejection;
}

/** What its status is made of besides the object itself. */
export interface Evidence {
  /** What the pass says of the app that the object declares. */
  readonly facts: AppFacts;
  /** What ended that pass early; null: nothing. */
  readonly passError: string | null;
  readonly references: References | undefined;
}

/** Id of the app that an object declares; where nothing of it can be used, what its rejection is told of. */
export function idOf({ declaration }: Subject): string {
  return 'selector' in declaration ? declaration.id : declaration.app;
}

/**
 * The status of an object after a pass. `before`: what it has now, whose times of transition stay where nothing has
 * changed. `now`: RFC 3339.
 */
export function appStatus(
  { key, generation, declaration }: Subject,
  { facts, passError, references }: Evidence,
  before: MarathonAppStatus,
  now: string,
): MarathonAppStatus {
  const usable = 'selector' in declaration ? declaration : null;
  const refused = facts.rejected.filter(({ reason }) => concerns(reason, key));
  const twice = refused.find(({ at, reason }) => at === 'id' && reason.includes(`MarathonApp ${key} `));
  const vips = usable === null || twice !== undefined ? [] : ownVips(usable, facts);
  const problems = usable === null ? [declaration as Rejection] : refused;
  const { warnings } = facts;

  const verdicts = conditionsOf({
    usable: usable !== null,
    problems,
    twice,
    warnings,
    vips,
    references,
    passError,
  });
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const conditions = verdicts.map((verdict): Condition => {
    const was = before.conditions?.find(({ type }) => type === verdict.type);
    const lastTransitionTime = was?.status === verdict.status ? was.lastTransitionTime : now;
    // kubectl prints it as it is.
    return { ...verdict, message: visible(verdict.message), ...observed, lastTransitionTime };
  });
  return { ...observed, conditions, ...summary(vips) };
}

/** Of a duplicate only the object that it names is told; everything else is about the app. */
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
