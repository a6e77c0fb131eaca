import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as nftables from '../datapath/why-rules.ts';
import * as tried from '../kernel/why-breakages.ts';

const page = readFileSync(new URL('../../docs/internals/why-tried.md', import.meta.url), 'utf8');
const BROKEN = [
  ...tried.DECLARED,
  ...tried.NAMES,
  ...tried.TABLE,
  ...tried.ROUTES,
  ...tried.FILTERS,
  ...nftables.BROKEN,
  ...tried.TRAFFIC,
  ...tried.CONTAINERS,
];
const HEALTHY = [...tried.HEALTHY, ...nftables.HEALTHY];

test('the page lists what is broken on a real kernel in the tests, with the cause that must be named', () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, cause, by]) => ({ cause, by }));
  expect(rows).toEqual(BROKEN.map(({ cause, by }) => ({ cause, by })));
});

test('and the set-ups on which no cause may be named', () => {
  const rows = [...page.matchAll(/^- (.+)$/gm)].map(([, by]) => by);
  expect(rows).toEqual(HEALTHY.map(({ by }) => by));
});

test('there are at least 40 of each, no two alike', () => {
  for (const list of [BROKEN.map(({ cause, by }) => `${cause}: ${by}`), HEALTHY.map(({ by }) => by)]) {
    expect(list.length).toBeGreaterThanOrEqual(40);
    expect(new Set(list).size).toBe(list.length);
  }
});
