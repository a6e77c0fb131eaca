import type { App } from '../model.ts';
import { type AppClaims, type ClaimRules, claimsOf } from './claims.ts';
import type { Surroundings } from './port-reading.ts';

/** A question that was asked about the surroundings of an app, with the answer that its claims rest on. */
interface Question {
  readonly ask: (surroundings: Surroundings) => string | null | undefined;
  readonly answer: string | null | undefined;
}

interface Known {
  readonly claims: AppClaims;
  readonly questions: readonly Question[];
  readonly here: ReadonlySet<string>;
}

export interface ClaimsMemo {
  (app: App, surroundings: Surroundings): AppClaims;
  /** Whether this app has been read: its claims cost next to nothing then, unless an answer has changed. */
  knows(app: App): boolean;
}

/**
 * Makes `claimsOf` with a memory: the same claims, to the object, for the same app as long as every question that
 * it led to has the same answer. Most apps lead to none.
 */
export function createClaimsMemo(rules: ClaimRules): ClaimsMemo {
  const known = new WeakMap<App, Known>();

  const remembered = (app: App, surroundings: Surroundings): AppClaims => {
    const before = known.get(app);
    const { here } = surroundings;
    if (before?.here === here && stillHold(before.questions, surroundings)) return before.claims;

    const questions: Question[] = [];
    const record = (ask: Question['ask']): string | null | undefined => {
      const answer = ask(surroundings);
      questions.push({ ask, answer });
      return answer;
    };
    const claims = claimsOf(app, rules, {
      refusal: (target) =>
        // A name is never refused, and there may be ten thousand of them: no question worth remembering.
        target.address === null ? null : (record((asked) => asked.refusal(target)) ?? null),
      remembered: (key) => record((asked) => asked.remembered(key)) ?? undefined,
      here,
    });
    known.set(app, { claims, questions, here });
    return claims;
  };
  return Object.assign(remembered, { knows: (app: App) => known.has(app) });
}

function stillHold(questions: readonly Question[], surroundings: Surroundings): boolean {
  return questions.length === 0 || questions.every(({ ask, answer }) => ask(surroundings) === answer);
}
