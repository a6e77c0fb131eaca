/** How evenly new connections spread over the backends of a VIP: what is compared, and from how many on it says anything. */

import { describe, expect, test } from '@jest/globals';
import type { BackendRecord } from '../../../controller/status/backend-records.ts';
import { isUneven, spreadOf, updateFull } from '../../../controller/status/spread.ts';
import { WEIGHT_1 } from '../../support/builders.ts';

const START = 1_000;

/** A backend with what was counted before, and since. */
interface Counted extends Partial<BackendRecord> {
  readonly before?: number;
  readonly got: number;
  readonly open?: number;
  /** When it was seen full before this. */
  readonly wasFull?: number;
}

/** The spread over backends `10.0.0.1:80`, `10.0.0.2:80`, … */
function spread(backends: readonly Counted[], scheduler: string | null = 'wlc') {
  const keys = backends.map((_, i) => `10.0.0.${i + 1}:80`);
  const records = backends.map(
    ({ before: _, got: _got, open: _open, wasFull: _full, ...over }, i): BackendRecord => {
      const place = { address: `10.0.0.${i + 1}`, port: 80, hostPort: null, app: '/web', task: `web.${i}` };
      const told = { reason: 'running', since: 0, drainsUntil: null, inKernel: true, decision: null };
      return { ...WEIGHT_1, ...place, ...told, ...over };
    },
  );
  const before = new Map(backends.map(({ before: had = 7 }, i) => [keys[i] ?? '', had]));
  const now = new Map(
    backends.map(({ before: had = 7, got, open = 0 }, i) => [
      keys[i] ?? '',
      { activeConnections: open, inactiveConnections: 0, traffic: { connections: had + got } },
    ]),
  );
  const entries = records.map((record, i) => [keys[i] ?? '', record] as const);
  const vip = { scheduler, backends: new Map(entries) };
  const counted = { at: START, backends: before };
  const had = new Map(
    backends.flatMap(({ wasFull }, i) => (wasFull === undefined ? [] : [[keys[i] ?? '', wasFull]])),
  );
  return spreadOf(vip, counted, now, updateFull(had, vip, counted, now, START + 60_000));
}

describe('the spread of new connections', () => {
  test('names the backends with the largest and the smallest multiple of their share', () => {
    expect(spread([{ got: 50 }, { got: 30 }, { got: 10 }])).toEqual({
      since: START,
      connections: 90,
      backends: 3,
      most: { backend: '10.0.0.1:80', connections: 50, ofShare: 50 / 30 },
      least: { backend: '10.0.0.3:80', connections: 10, ofShare: 10 / 30 },
    });
  });

  test('is measured by weights if the scheduler uses them', () => {
    const weighted = [{ got: 300, weight: 3 }, { got: 100 }];
    expect(spread(weighted)?.most.ofShare).toBe(1);
    expect(spread(weighted, 'rr')?.most.ofShare).toBe(1.5);
  });

  test('is not judged below twenty connections per backend on average', () => {
    expect(spread([{ got: 39 }, { got: 0 }])).toBeNull();
    expect(spread([{ got: 40 }, { got: 0 }])?.most.ofShare).toBe(2);
  });

  test('judges a light backend only if it gets far more than its share', () => {
    // Its share is 2 of 200.
    expect(spread([{ got: 200, weight: 99 }, { got: 0 }])?.least).toMatchObject({ backend: '10.0.0.1:80' });
    expect(spread([{ got: 190, weight: 99 }, { got: 10 }])?.most).toMatchObject({ backend: '10.0.0.1:80' });
    expect(spread([{ got: 400, weight: 99 }, { got: 400 }])?.most).toMatchObject({
      backend: '10.0.0.2:80',
      ofShare: 50,
    });
  });

  test.each<[string, Counted]>([
    ['one that came into rotation, or got another weight, since then', { got: 500, since: START + 1 }],
    ['one of weight 0', { got: 500, weight: 0 }],
    ['one that the kernel lacks', { got: 500, inKernel: false }],
    ['one that is full', { got: 0, upperThreshold: 40, lowerThreshold: 30, open: 30 }],
    ['one that was full meanwhile', { got: 5, wasFull: START + 1 }],
    ['one that the kernel made anew', { before: 900, got: -890 }],
  ])('leaves out %s', (_, other) => {
    expect(spread([{ got: 50 }, { got: 50 }, other])).toMatchObject({
      backends: 2,
      connections: 100,
      most: { ofShare: 1 },
    });
  });

  test('compares a backend that was full earlier, and one below its lower threshold', () => {
    const free = { upperThreshold: 40, lowerThreshold: 30, open: 29 };
    expect(spread([{ got: 50 }, { got: 50, wasFull: START - 1, ...free }])?.backends).toBe(2);
  });

  test('needs two backends to compare', () => {
    expect(spread([{ got: 900 }])).toBeNull();
    expect(spread([{ got: 900 }, { got: 5, since: START + 1 }])).toBeNull();
  });

  test.each(['fo', 'ovf', 'dh', 'lblc', 'lblcr', null])(
    'is none with the scheduler %s, which spreads them by no share',
    (scheduler) => {
      expect(spread([{ got: 900 }, { got: 0 }], scheduler)).toBeNull();
    },
  );
});

describe('a spread is uneven', () => {
  test.each<[string, readonly number[], boolean]>([
    ['where one gets twice its share', [200, 50, 50, 100], true],
    ['where one gets a quarter of its share or less', [100, 100, 100, 20], true],
    ['not where they differ by less than that', [150, 50, 100, 100], false],
  ])('%s', (_, got, uneven) => {
    const found = spread(got.map((each) => ({ got: each })));
    expect(found !== null && isUneven(found)).toBe(uneven);
  });
});
