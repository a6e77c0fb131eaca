import { beforeEach, describe, expect, test } from '@jest/globals';
import { createStatusBoard, type StatusBoard } from '../../../controller/status/board.ts';
import { DEFAULT_LIMITS, healthz, livez } from '../../../controller/status/checks.ts';
import { passOf } from './passes.ts';

const SOURCE = 'marathon=http://m:8080';
const HOUR = 3_600_000;

let now: number;
/** Adjustments of the machine's clock. */
let stepped: number;
let board: StatusBoard;

beforeEach(() => {
  now = 10 * HOUR;
  stepped = 0;
  board = createStatusBoard({
    sources: [SOURCE],
    dryRun: false,
    clock: { epoch: () => now + stepped, monotonic: () => now },
  });
});

function later(ms: number, pass = passOf({})): void {
  now += ms;
  board.moved();
  board.passed({ ...pass, startedAt: now - 50, finishedAt: now });
}

function alive(): boolean {
  return livez(board.current(), now, DEFAULT_LIMITS).every(({ ok }) => ok);
}

describe('alive', () => {
  test('while the loop moves, whatever happens to sources and kernel', () => {
    expect(alive()).toBe(true);
    later(HOUR, passOf({ over: { error: 'no kernel' } }));
    board.sourceFailed(SOURCE, new Error('down'));
    expect(alive()).toBe(true);
  });

  test('not once the loop is stuck, even if everything was fine before', () => {
    board.sourceRead(SOURCE, { apps: 1, complete: true, fromDiskOf: null });
    later(1_000);
    now += 61_000;
    expect(alive()).toBe(false);
    expect(healthz(board.current(), now, DEFAULT_LIMITS).find(({ name }) => name === 'loop')?.message).toBe(
      'no heartbeat for 61 s',
    );
  });

  test.each([-HOUR, HOUR])('by heartbeats alone, even if the clock is stepped by %d ms', (step) => {
    board.moved();
    stepped += step;
    expect(alive()).toBe(true);
    now += 61_000;
    expect(alive()).toBe(false);
  });
});
