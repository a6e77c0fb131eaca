/** How much of what clients ask goes to an instance that has just come, second by second. */

import type { Expect } from './black-hole.ts';
import { type Client, since } from './clients.ts';
import type { Tally } from './load.ts';
import { moment } from './show.ts';

const SECOND_MS = 1_000;
/**
 * With fewer answers for each instance the lab had no time for the clients, and a second says nothing: with each change of a
 * weight wrr begins anew with the newest instance, which then gets one more of them.
 */
const FEWEST_ANSWERS = 8;
/** Slow start is to keep a newcomer below that. */
const MOST_OF_ITS_SHARE = 2;

type Answers = ReadonlyMap<string, number>;

export interface Growth {
  /** Ends it, and says what each of these newcomers got while the VIP came to have so many instances. */
  show(newcomers: readonly string[], instances: number, expect: Expect): void;
}

/** Counts by whom the clients are answered in each second from now on. */
export function watchGrowth(clients: readonly Client[]): Growth {
  const seconds: Answers[] = [];
  let before = clients.map((client) => client.tally());
  const timer = setInterval(() => {
    const now = clients.map((client) => client.tally());
    seconds.push(answersBetween(before, now));
    before = now;
  }, SECOND_MS);
  return {
    show(newcomers, instances, expect) {
      clearInterval(timer);
      for (const backend of newcomers) showOne(backend, seconds, instances, expect);
    },
  };
}

function answersBetween(before: readonly Tally[], now: readonly Tally[]): Answers {
  const answers = new Map<string, number>();
  for (const [i, tally] of now.entries()) {
    for (const [backend, count] of since(before[i] ?? tally, tally))
      answers.set(backend, (answers.get(backend) ?? 0) + count);
  }
  return answers;
}

function showOne(backend: string, seconds: readonly Answers[], instances: number, expect: Expect): void {
  const all = seconds.map((answers) => ({
    mine: answers.get(backend) ?? 0,
    total: [...answers.values()].reduce((sum, count) => sum + count, 0),
  }));
  const first = all.findIndex(({ mine }) => mine > 0);
  const got = first < 0 ? [] : all.slice(first).filter(({ total }) => total > 0);
  const shares = got.map(({ mine, total }) => `${Math.round((100 * mine) / total)} %`).join(', ');
  const share = `${Math.round(100 / instances)} %`;
  moment(
    `${backend} is new and grows to its share, ${share}. Of each second's requests it answers ${shares}`,
  );
  expect(got.length > 0, `${backend}, which is new, answers`);
  const most = (total: number) => (MOST_OF_ITS_SHARE * total) / instances;
  const isGentle = got.every(({ mine, total }) => total < FEWEST_ANSWERS * instances || mine <= most(total));
  expect(isGentle, `${backend}, which is new, gets no more than twice its share in any second`);
}
