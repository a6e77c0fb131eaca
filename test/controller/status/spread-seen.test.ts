/** How connections spread, and why some backends get none, as status, metrics and the page's list show it. */

import { expect, test } from '@jest/globals';
import { createMetrics } from '../../../controller/metrics/metrics.ts';
import { createStatusBoard } from '../../../controller/status/board.ts';
import { DEFAULT_LIMITS } from '../../../controller/status/checks.ts';
import { type StatusDocument, statusDocument } from '../../../controller/status/document.ts';
import { presentStatus } from '../../../controller/status/present.ts';
import { statusText, vipsText } from '../../../controller/status/print-text.ts';
import { rowsOf } from '../../../controller/status/rows.ts';
import type { Spread } from '../../../controller/status/spread.ts';
import { painter } from '../../../controller/text/table.ts';
import { desiredOf } from '../../support/observed.ts';
import { DB, passOf, WEB } from './passes.ts';
import { NOW, readingOf } from './status-world.ts';

const plain = { width: null, paint: painter(false) };
const UNEVEN: Spread = {
  since: NOW - 420_000,
  connections: 400,
  backends: 3,
  most: { backend: '10.0.0.1:31000', connections: 347, ofShare: 2.6 },
  least: { backend: '10.0.0.3:31000', connections: 20, ofShare: 0.15 },
};
const EVEN: Spread = {
  ...UNEVEN,
  most: { ...UNEVEN.most, ofShare: 1.2 },
  least: { ...UNEVEN.least, ofShare: 0.8 },
};
const spreads = new Map([
  ['tcp/11.0.0.1:80', UNEVEN],
  ['tcp/11.0.0.2:5432', EVEN],
]);
const clock = { epoch: () => NOW, monotonic: () => NOW };

function document(found: ReadonlyMap<string, Spread> | undefined): StatusDocument {
  const board = createStatusBoard({
    ...{ sources: [], dryRun: false, clock },
    spreads: found && (() => found),
  });
  board.passed(passOf({ desired: desiredOf(WEB, DB) }));
  const presented = { status: board.current(), reading: readingOf(), limits: DEFAULT_LIMITS };
  return presentStatus({ ...presented, version: '0.1.0', now: NOW });
}

/** The same with decisions of one backend. */
function deciding(status: StatusDocument, rule: 'ejected' | 'slow start'): StatusDocument {
  const decision = { rule, since: status.at, reason: null, endsWhen: 'it answers', endsAt: null };
  const vips = status.vips.map((vip) => ({
    ...vip,
    backends: vip.backends.map((backend) => ({ ...backend, decision })),
  }));
  return { ...status, vips };
}

test('the document has the spread of each VIP, and how many are uneven', () => {
  const status = document(spreads);
  const [db, web] = status.vips;
  expect(web?.spread).toEqual({ ...UNEVEN, since: '1970-01-01T00:10:40.000Z', uneven: true });
  expect(db?.spread?.uneven).toBe(false);
  expect(status.summary.uneven).toBe(1);
  expect(statusDocument.parse(JSON.parse(JSON.stringify(status)))).toEqual(status);
  expect(document(undefined).vips.map(({ spread }) => spread)).toEqual([null, null]);
});

test('the status shows the range of shares, and which backend got too much or too little', () => {
  const text = statusText(document(spreads), plain);
  expect(text).toMatch(/^web\.marathon .* 0\.1-2\.6x {2}forwarding/m);
  expect(text).toContain(
    '! uneven  tcp/11.0.0.1:80: 10.0.0.1:31000 got 2.6 times its share of new connections, 347 of 400 in 7m\n',
  );
  expect(text.match(/^! /gm)).toHaveLength(1);
  const starved = document(new Map([['tcp/11.0.0.1:80', { ...EVEN, least: UNEVEN.least }]]));
  expect(vipsText(starved, plain)).toContain(
    '  uneven: 10.0.0.3:31000 got 0.1 times its share of new connections, 20 of 400 in 7m\n',
  );
  expect(vipsText(starved, plain)).toContain('spread 0.1-1.2x of 400 new connections;');
});

test("the page's list has it in a few bytes, with the number of ejected and slow-starting backends", () => {
  const [db, web] = rowsOf(document(spreads)).vips;
  expect(web?.spread).toEqual({ text: '0.1-2.6x', uneven: true });
  expect(db).toMatchObject({ spread: { uneven: false }, ejected: 0, inSlowStart: 0, leftOut: 0 });
  expect(rowsOf(deciding(document(spreads), 'ejected')).vips[0]).toMatchObject({ ejected: 1 });
  expect(rowsOf(deciding(document(spreads), 'slow start')).vips[0]).toMatchObject({ inSlowStart: 1 });
});

test('metrics count compared and uneven VIPs, and have the largest share', async () => {
  const options = { sources: [], dryRun: false, clock };
  const metrics = createMetrics({ ...options, spreads: () => spreads });
  const text = await metrics.text();
  expect(text).toContain('marathon_ipvs_compared_vips 2\n');
  expect(text).toContain('marathon_ipvs_uneven_vips 1\n');
  expect(text).toContain('marathon_ipvs_spread_max_ratio 2.6\n');
  expect(await createMetrics(options).text()).toContain('marathon_ipvs_uneven_vips Nan\n');
});
