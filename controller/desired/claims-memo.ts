import { type App, appKey } from '../model.ts';
import { type AppClaims, type ClaimRules, claimsOf } from './claims.ts';
import { differenceOf } from './grouping.ts';
import type { Surroundings } from './port-reading.ts';
import { reuseClaims } from './reuse-claims.ts';

/** A question that was asked about the surroundings of an app, with the answer that its claims rest on. */
interface Question {
  readonly ask: (surroundings: Surroundings) => string | null | undefined;
  readonly answer: string | null | undefined;
}

interface Known {
  readonly claims: AppClaims;
  readonly questions: readonly Question[];
  readonly here: ReadonlySet<string>;
  readonly unfit: Surroundings['unfit'];
}

export interface ClaimsMemo {
  (app: App, surroundings: Surroundings): AppClaims;
  /** Whether this app has been read: its claims cost next to nothing then, unless an answer has changed. */
  knows(app: App): boolean;
  /** Tells of the apps of which claims will be asked for; what was made of others is forgotten. */
  turnTo(apps: readonly App[]): void;
}

/**
 * Makes `claimsOf` with a memory: the same claims, to the object, for the same app as long as every question that
 * it led to has the same answer. Most apps lead to none. Of an app that changed, claims and backends that did not are the
 * same objects too.
 *
 * It forgets by being told, and has no WeakMap: thousands of entries in one make V8's collector go round many times.
 */
export function createClaimsMemo(rules: ClaimRules): ClaimsMemo {
  const known = new Map<App, Known>();
  /** What was made of the apps that changed last, as they were. */
  let former: ReadonlyMap<string, AppClaims> = new Map();
  let last: readonly App[] = [];

  const turnTo = (apps: readonly App[]): void => {
    const { gone } = differenceOf(last, apps);
    last = apps;
    former = new Map(
      gone.flatMap((app) => {
        const had = known.get(app);
        return had === undefined ? [] : [[appKey(app), had.claims]];
      }),
    );
    for (const app of gone) known.delete(app);
  };

  const remembered = (app: App, surroundings: Surroundings): AppClaims => {
    const before = known.get(app);
    const sameHost = before?.here === surroundings.here && before.unfit === surroundings.unfit;
    if (sameHost && stillHold(before.questions, surroundings)) return before.claims;
    const made = read(app, surroundings);
    const claims = reuseClaims(before?.claims ?? former.get(appKey(app)), made.claims);
    known.set(app, { ...made, claims });
    return claims;
  };

  const read = (app: App, surroundings: Surroundings): Known => {
    const questions: Question[] = [];
    const record = (ask: Question['ask']): string | null | undefined => {
      const answer = ask(surroundings);
      questions.push({ ask, answer });
      return answer;
    };
    const { here, unfit } = surroundings;
    const claims = claimsOf(app, rules, {
      refusal: (target) =>
        // A name is never refused, and there may be ten thousand of them: no question worth remembering.
        target.address === null ? null : (record((asked) => asked.refusal(target)) ?? null),
      remembered: (key) => record((asked) => asked.remembered(key)) ?? undefined,
      lacks: (scheduler) => record((asked) => (asked.lacks(scheduler) ? scheduler : null)) !== null,
      here,
      unfit,
    });
    return { claims, questions, here, unfit };
  };
  return Object.assign(remembered, { knows: (app: App) => known.has(app), turnTo });
}

function stillHold(questions: readonly Question[], surroundings: Surroundings): boolean {
  // No closure: most apps have no question, and one would be made for each.
  for (const { ask, answer } of questions) if (ask(surroundings) !== answer) return false;
  return true;
}
