import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CAUSES, causes, STAGES } from '../../controller/why/causes.ts';

const rows = readFileSync(new URL('../../docs/why.md', import.meta.url), 'utf8').matchAll(
  /^\| `([a-z-]+)` \| (.+) \| (.+) \|$/gm,
);

test('docs/why.md has every cause with its proof and fix, in the order of the way', () => {
  const order = [...causes].sort((a, b) => STAGES.indexOf(CAUSES[a].stage) - STAGES.indexOf(CAUSES[b].stage));
  expect([...rows].map(([, code]) => code)).toEqual(order);
});
