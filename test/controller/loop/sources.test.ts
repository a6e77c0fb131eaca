import { expect, test } from '@jest/globals';
import { Sources } from '../../../controller/loop/sources.ts';
import type { AppSource, Observer } from '../../../controller/ports.ts';
import { snapshot, web } from '../../support/builders.ts';

const nothing = () => undefined;
const NOBODY: Observer = {
  moved: nothing,
  sourceRead: nothing,
  sourceFailed: nothing,
  passed: nothing,
  repaired: nothing,
};
const source = (name: string): AppSource => ({
  name,
  read: async () => snapshot(),
  follow: async () => undefined,
});

const first = web('/web', { VIP_0: '/web:80' }, '10.0.0.1:31000', '10.0.0.2:31000');
const fewer = web('/web', { VIP_0: '/web:80' }, '10.0.0.1:31000');
const other = web('/other', { VIP_0: '/other:80' }, '10.0.0.3:31000');

test('no words are merged before every source has said something', async () => {
  const sources = new Sources([source('a'), source('b')], NOBODY);
  sources.heard('a', snapshot(first), true);
  expect([sources.known, sources.merged()]).toEqual([false, null]);
  sources.heard('b', snapshot(other), true);
  expect(sources.known).toBe(true);
  expect((await sources.merged())?.snapshot.apps).toEqual([first, other]);
});

test('what a source says while words are merged is in the next ones, and so is what it said is gone', async () => {
  const sources = new Sources([source('a'), source('b')], NOBODY);
  sources.heard('a', snapshot(first), true);
  sources.heard('b', snapshot(other), true);
  const merging = sources.merged();
  const gone = sources.takeGone();
  sources.heard('a', snapshot(fewer), false);
  expect((await merging)?.snapshot.apps).toEqual([first, other]);
  expect(gone).toEqual([]);

  expect((await sources.merged())?.snapshot.apps).toEqual([fewer, other]);
  expect(sources.takeGone()).toEqual(['10.0.0.2:31000']);
});

test('apps that went are not kept where nobody asks for them', async () => {
  const sources = new Sources([source('a')], NOBODY);
  sources.heard('a', snapshot(first, other), true);
  sources.heard('a', snapshot(first), false);
  expect(sources.takeGoneApps()).toEqual([other]);
  sources.heard('a', snapshot(), false);
  sources.takeGone();
  expect(sources.takeGoneApps()).toEqual([]);
});
