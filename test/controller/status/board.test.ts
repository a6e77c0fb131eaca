import { expect, test } from '@jest/globals';
import { createStatusBoard } from '../../../controller/status/board.ts';
import { desiredOf } from '../../support/observed.ts';
import { DB, passOf, settled, WEB } from './passes.ts';

const boardOf = () =>
  createStatusBoard({
    sources: ['file=a'],
    dryRun: false,
    clock: { epoch: () => 1_000, monotonic: () => 1_000 },
  });

test('the status after a pass is the same whether or not the board was prepared for it', async () => {
  const first = passOf({ desired: desiredOf(WEB), observed: settled(WEB) });
  const second = passOf({ desired: desiredOf(WEB, DB), observed: settled(WEB) });
  const [prepared, plain] = [boardOf(), boardOf()];
  for (const pass of [first, second]) {
    await prepared.prepare(pass);
    prepared.passed(pass);
    plain.passed(pass);
    expect(prepared.current()).toEqual(plain.current());
  }
});

test('preparation for one pass does not affect another', async () => {
  const board = boardOf();
  await board.prepare(passOf({ desired: desiredOf(WEB, DB), observed: settled(WEB, DB) }));
  board.passed(passOf({ desired: desiredOf(WEB), observed: settled(WEB) }));
  expect(board.current().vips.size).toBe(1);
});
