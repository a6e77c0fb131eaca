import { describe, expect, test } from '@jest/globals';
import { RemovalHold } from '../../../controller/relay/removal-hold.ts';

const HOLD_MS = 60_000;
const apps = (count: number) => Array.from({ length: count }, (_, i) => `app-${i}`);
const held = (hold: RemovalHold, surplus: readonly string[], published: number, now = 0) =>
  hold.release(surplus, published, now).held.size;

describe('removals of a relay (rule 4)', () => {
  test('more than half and more than ten, or all of two or more, are held; fewer are removed at once', () => {
    expect(held(new RemovalHold(HOLD_MS), apps(16), 30)).toBe(16);
    expect(held(new RemovalHold(HOLD_MS), apps(15), 30)).toBe(0);
    expect(held(new RemovalHold(HOLD_MS), apps(10), 12)).toBe(0);
    expect(held(new RemovalHold(HOLD_MS), apps(2), 2)).toBe(2);
    expect(held(new RemovalHold(HOLD_MS), apps(1), 1)).toBe(0);
  });

  test('named ends are never held; the rest is if it is still a mass removal', () => {
    const hold = new RemovalHold(HOLD_MS);
    hold.accept(apps(10));
    expect(hold.release(apps(30), 30, 0)).toMatchObject({ go: apps(10) });
    hold.accept(apps(30));
    expect(hold.release(apps(30), 30, 0)).toEqual({ go: apps(30), held: new Set() });
  });

  test('a named end does not apply to an app that came back and is missing again: it is held', () => {
    const hold = new RemovalHold(HOLD_MS);
    hold.accept(apps(3));
    hold.release([], 3, 0);
    expect(held(hold, apps(3), 3)).toBe(3);
  });

  test('after a minute the sources are read again; what they list then waits again', () => {
    const hold = new RemovalHold(HOLD_MS);
    hold.release(apps(2), 2, 1_000);
    expect(hold.due(60_999).size).toBe(0);
    expect(hold.due(61_000)).toEqual(new Set(apps(2)));
    hold.postpone(new Set(['app-0']), 61_000);
    expect(hold.due(61_000)).toEqual(new Set(['app-1']));
    hold.accept(['app-1']);
    expect(hold.release(apps(2), 2, 61_000)).toEqual({ go: ['app-1'], held: new Set(['app-0']) });
  });

  test('while a source has an unknown part, every removal that is not named is held', () => {
    const hold = new RemovalHold(HOLD_MS);
    hold.accept(['app-1']);
    expect(hold.release(apps(2), 30, 0, false)).toEqual({ go: ['app-1'], held: new Set(['app-0']) });
  });
});
