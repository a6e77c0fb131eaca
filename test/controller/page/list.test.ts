import { describe, expect, test } from '@jest/globals';
import { EMPTY_FEED, freshnessOf, MAX_SAMPLES, withAll, withChanges } from '../../../controller/page/feed.ts';
import { endpoint, moment, rate } from '../../../controller/page/format.ts';
import { graphOf, HEIGHT, WIDTH } from '../../../controller/page/graph.ts';
import { leftOver } from '../../../controller/page/left-over.ts';
import { type ListQuery, listLink, listPage, parseListQuery } from '../../../controller/page/list.ts';
import { parseRoute, vipLink } from '../../../controller/page/route.ts';
import { rowsOf, type VipRow } from '../../../controller/status/rows.ts';
import { documentOf } from '../status/status-world.ts';

const [sample] = rowsOf(documentOf()).vips;
if (sample === undefined) throw new Error('a VIP');

function row(name: string, over: Partial<VipRow> = {}): VipRow {
  return {
    ...(sample as VipRow),
    id: `tcp/${name}`,
    name,
    fqdn: `${name}.marathon.l4lb`,
    apps: [`/${name}`],
    ...over,
  };
}

const ALL = parseListQuery(new URLSearchParams());
const names = (rows: readonly VipRow[], query: Partial<ListQuery>) =>
  listPage(rows, { ...ALL, ...query }).rows.map(({ name }) => name);

describe('the list of services', () => {
  const rows = [
    row('web', { address: '11.0.0.10', state: 'forwarding', inRotation: 3, activeConnections: 5 }),
    row('api', {
      address: '11.0.0.9',
      state: 'conflict',
      inRotation: 0,
      activeConnections: 9,
      reason: 'of keepalived',
    }),
    row('db', { address: '11.0.0.100', state: 'held', inRotation: 1, activeConnections: 0 }),
  ];

  test('is sorted by name, or by state with the most severe first', () => {
    expect(names(rows, {})).toEqual(['api', 'db', 'web']);
    expect(names(rows, { sort: 'state' })).toEqual(['api', 'db', 'web']);
    expect(names(rows, { sort: 'address' })).toEqual(['api', 'web', 'db']);
    expect(names(rows, { sort: 'connections', descending: true })).toEqual(['api', 'web', 'db']);
  });

  test('can be searched for uneven VIPs, and for backends that are ejected or in slow start', () => {
    const spread = { text: '0.1-2.6x', uneven: true };
    const odd = [
      row('web', { spread }),
      row('api', { spread: { ...spread, uneven: false }, ejected: 2 }),
      row('db', { inSlowStart: 1 }),
    ];
    expect(names(odd, { text: 'uneven' })).toEqual(['web']);
    expect(names(odd, { text: 'ejected' })).toEqual(['api']);
    expect(names(odd, { text: 'slow start' })).toEqual(['db']);
  });

  test('every word of a search must occur: in name, address, app or reason', () => {
    expect(names(rows, { text: 'WEB :80' })).toEqual(['web']);
    expect(names(rows, { text: 'keepalived' })).toEqual(['api']);
    expect(names(rows, { text: 'web api' })).toEqual([]);
    expect(names(rows, { state: 'held' })).toEqual(['db']);
  });

  test('has pages, and a page beyond the last one is the last one', () => {
    const many = Array.from({ length: 120 }, (_, at) => row(`app-${String(at).padStart(3, '0')}`));
    expect(listPage(many, { ...ALL, page: 1 })).toMatchObject({ found: 120, page: 1, pages: 3, first: 50 });
    const last = listPage(many, { ...ALL, page: 99 });
    expect([last.page, last.rows.length, last.rows.at(-1)?.name]).toEqual([2, 20, 'app-119']);
  });

  test('has its filter and order in the URL', () => {
    const query = { text: 'a b&c', state: 'no backend', sort: 'rate', descending: true, page: 2 } as const;
    const { query: back } = parseRoute(listLink(query), 'diff');
    expect(parseListQuery(back)).toEqual(query);
    expect(listLink(ALL)).toBe('#/services');
    expect(parseListQuery(new URLSearchParams('state=x&sort=y&page=-3'))).toEqual(ALL);
  });
});

test('a hash leads to its page, an unknown one to the front page', () => {
  expect(parseRoute('', 'diff').page).toBe('diff');
  expect(parseRoute('#/nothing', 'services').page).toBe('services');
  expect(parseRoute(vipLink('tcp/[fd00::1]:80'), 'diff')).toMatchObject({
    page: 'vip',
    id: 'tcp/[fd00::1]:80',
  });
  expect(parseRoute('#/vip/%', 'diff').page).toBe('diff');
});

describe('the feed', () => {
  const all = rowsOf(documentOf());

  test('long or VIP-specific data is not sent with every change', () => {
    expect(Object.keys(all.findings)).toContain('refused');
    expect(Object.keys(all.overview)).not.toContain('refused');
    expect(Object.keys(sample ?? {})).not.toContain('decision');
  });

  test('changes replace rows, remove those that are gone, and keep unchanged findings', () => {
    const first = withAll(EMPTY_FEED, { ...all, vips: [row('a'), row('b')] }, 1_000);
    const changed = {
      overview: all.overview,
      vips: [row('a', { inRotation: 7 }), row('c')],
      gone: ['tcp/b'],
    };
    const { known } = withChanges(first, changed, 3_000);
    expect([...(known?.rows.values() ?? [])].map(({ name, inRotation }) => [name, inRotation])).toEqual([
      ['a', 7],
      ['c', sample?.inRotation],
    ]);
    expect(known?.findings).toBe(first.known?.findings);
  });

  test('samples of the rate go back two minutes', () => {
    let feed = withAll(EMPTY_FEED, { ...all, vips: [row('a', { connectionRate: 0 })] }, 0);
    for (let rate = 1; rate <= 70; rate++) {
      const vips = [row('a', { connectionRate: rate })];
      feed = withChanges(feed, { overview: all.overview, vips, gone: [] }, rate * 2_000);
    }
    const samples = feed.known?.samples.get('tcp/a') ?? [];
    expect([samples.length, samples[0], samples.at(-1)]).toEqual([MAX_SAMPLES, 11, 70]);
  });

  test('is stale after seven seconds of silence', () => {
    expect(freshnessOf(EMPTY_FEED, 0)).toEqual({ kind: 'connecting' });
    const heard = withAll(EMPTY_FEED, all, 1_000);
    expect(freshnessOf(heard, 7_900)).toEqual({ kind: 'live' });
    expect(freshnessOf(heard, 13_000)).toEqual({ kind: 'stale', seconds: 12 });
  });
});

test('a graph ends at the right edge, with its largest sample at the top', () => {
  expect(graphOf([0], 60).line).toBe('');
  const { line, latest, max } = graphOf([0, 10, 5], 3);
  expect([line, latest, max]).toEqual([`M0 ${HEIGHT - 1}L${WIDTH / 2} 1L${WIDTH} ${HEIGHT / 2}`, 5, 10]);
  // A tenth of a connection a second is not a mountain.
  expect(graphOf([0, 0.1], 2).line).toBe(`M0 ${HEIGHT - 1}L${WIDTH} 20.8`);
});

test('numbers, times and addresses are formatted for people', () => {
  expect([rate(null), rate(0), rate(1_234_567, 'B')]).toEqual(['-', '0/s', '1.2MB/s']);
  expect([endpoint({ address: 'fd00::1', port: 80 }), endpoint({ address: '1.2.3.4', port: 80 })]).toEqual([
    '[fd00::1]:80',
    '1.2.3.4:80',
  ]);
  const at = '2026-03-04T10:00:00.000Z';
  expect(moment(at, at)).toMatch(/^\d\d:00:00$/);
  expect(moment(at, '2026-03-09T10:00:00.000Z')).toMatch(/^2026-03-04 \d\d:00:00$/);
});

test('shows what a pass has left for the next one, which is nothing after a good one', () => {
  const good = documentOf();
  expect(leftOver(good, good)).toEqual([]);
  const held = { reason: 'x', since: good.at, until: good.at, services: ['a', 'b'] };
  const summary = { ...good.summary, byState: { pending: 1, draining: 1 } };
  const failures = [{ step: '-A -t 11.0.0.1:80 -s wlc', message: 'EPERM' }];
  expect(leftOver({ ...good, summary, held, waiting: 2 }, { failures })).toEqual([
    '1 failed write to retry',
    '2 failed writes waiting for the next retry',
    `2 services held until ${good.at}`,
    '1 service removed once drained',
  ]);
  expect(leftOver({ ...good, summary }, good)[0]).toBe('1 service not as desired yet');
  expect(leftOver({ ...good, lastPass: null }, good)).toEqual(['everything: no pass has run yet']);
});
