/** Large removals that were not held are remembered. */

import { expect, test } from '@jest/globals';
import type { LargeRemoval } from '../../../controller/plan/large-removal.ts';
import { createStatusBoard } from '../../../controller/status/board.ts';
import { DEFAULT_LIMITS } from '../../../controller/status/checks.ts';
import { createHistory } from '../../../controller/status/history.ts';
import { LargeRemovals } from '../../../controller/status/large-removals.ts';
import { presentStatus } from '../../../controller/status/present.ts';
import { selectVips } from '../../../controller/status/selection.ts';
import { passOf } from './passes.ts';
import { readingOf } from './status-world.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

function removal(backends: number): LargeRemoval {
  return {
    vips: 1,
    ofVips: 1,
    backends,
    ofBackends: 50,
    services: new Set(['tcp/11.0.0.1:80']),
    because: [{ rule: 'named', source: 'marathon', at: 999_000, backends }],
  };
}

const at = (finishedAt: number, largeRemoval: LargeRemoval | null) => ({ finishedAt, largeRemoval });

test('removals are kept for an hour, at most ten of them', () => {
  const kept = new LargeRemovals();
  for (let i = 1; i <= 12; i += 1) kept.passed(at(i * SECOND, removal(i)));
  expect(kept.recent(12 * SECOND).map(({ backends }) => backends)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  expect(kept.recent(HOUR + 11 * SECOND).map(({ backends }) => backends)).toEqual([12]);
  expect(kept.recent(HOUR + 12 * SECOND)).toEqual([]);
});

test('a removal that is planned again because writes fail counts once; the same one later counts again', () => {
  const kept = new LargeRemovals();
  expect(kept.passed(at(1, removal(40)))).not.toBeNull();
  expect(kept.passed(at(2, removal(40)))).toBeNull();
  expect(kept.passed(at(3, null))).toBeNull();
  expect(kept.passed(at(4, removal(40)))).not.toBeNull();
  expect(kept.recent(5).map((each) => each.at)).toEqual([4, 1]);
});

test('the status and the history of each affected VIP show which source named it, and when', () => {
  const clock = { epoch: () => 1_000_000, monotonic: () => 1_000_000 };
  const history = createHistory();
  const board = createStatusBoard({ sources: [], dryRun: false, clock, history });
  board.passed(passOf({ over: { largeRemoval: removal(40) } }));
  board.passed(passOf({}));
  const limits = DEFAULT_LIMITS;
  const status = board.current();
  const document = presentStatus({ status, reading: readingOf(), limits, version: '1', now: 1_000_000 });
  const reason = '1 of 1 VIPs and 40 of 50 backends left the rotation: 40 named by marathon';
  expect(document.largeRemovals).toEqual([
    {
      at: '1970-01-01T00:16:40.000Z',
      reason,
      because: [{ rule: 'named', source: 'marathon', at: '1970-01-01T00:16:39.000Z', backends: 40 }],
      services: ['tcp/11.0.0.1:80'],
    },
  ]);
  expect(selectVips(document, '11.0.0.1').largeRemovals).toEqual(document.largeRemovals);
  expect(selectVips(document, '11.0.0.2').largeRemovals).toEqual([]);
  expect(history.ofVip('tcp/11.0.0.1:80')).toMatchObject([{ kind: 'not held', backend: null, text: reason }]);
});
