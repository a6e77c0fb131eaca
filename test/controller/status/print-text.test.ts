import { describe, expect, test } from '@jest/globals';
import type { StatusDocument } from '../../../controller/status/document.ts';
import { ago, duration, short } from '../../../controller/status/format.ts';
import { statusText, vipsText, wideText } from '../../../controller/status/print-text.ts';
import { painter } from '../../../controller/text/table.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf, tableOf } from '../../support/observed.ts';
import { DB, passOf, settled, WEB } from './passes.ts';
import { documentOf, readingOf, traffic } from './status-world.ts';

const plain = { width: null, paint: painter(false) };
const counters = new Map([
  [
    'tcp/11.0.0.1:80',
    {
      traffic,
      backends: new Map([['10.0.0.1:31000', { activeConnections: 1_234, inactiveConnections: 0, traffic }]]),
    },
  ],
]);
const both = documentOf(passOf({ desired: desiredOf(WEB, DB) }), readingOf(counters));

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

describe('the status as text', () => {
  test('has a line for each VIP in aligned columns, and a summary line', () => {
    expect(statusText(both, plain)).toBe(
      [
        'VIP           ADDRESS            SCHED  BACKENDS  CONNS  CONN/S  SPREAD  STATE       SINCE',
        'db.marathon   11.0.0.2:5432/tcp  wlc         1/1      0       -       -  forwarding     1m',
        'web.marathon  11.0.0.1:80/tcp    wlc         1/1   1.2k       3       -  forwarding     1m',
        '',
        '2 VIPs: 2 forwarding; 2 of 2 backends in rotation; 1234 connections; ready',
        '',
      ].join('\n'),
    );
  });

  test('drops the least important columns on a narrow terminal, and finally shortens names', () => {
    const at = (width: number) =>
      statusText(both, { ...plain, width })
        .split('\n')
        .slice(0, 3)
        .join('\n');
    for (const width of [80, 72, 60, 50, 44]) expect(widest(at(width))).toBeLessThanOrEqual(width);
    expect(at(80)).not.toContain('SCHED');
    expect(at(80)).toContain('CONN/S');
    expect(at(60)).toMatch(/BACKENDS .*STATE/);
    const long = {
      ...both,
      vips: both.vips.map((vip) => ({ ...vip, name: 'a-name-of-considerable-length' })),
    };
    expect(statusText(long, { ...plain, width: 60 })).toMatch(/^a-name-[a-z-]*… {2}11\.0\.0\.2:5432/m);
  });

  test('colours a state without moving a column', () => {
    const coloured = statusText(both, { width: null, paint: painter(true) });
    expect(coloured).toContain('\u001b[32mforwarding\u001b[0m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(statusText(both, plain));
  });

  test('lists problems, and why it is not ready', () => {
    const pass = passOf({
      observed: tableOf(),
      desired: {
        ...desiredOf(WEB),
        rejected: [
          {
            app: '/bad',
            at: 'portDefinitions[0].labels.VIP_0',
            value: 'nocolon',
            reason: 'expected NAME:PORT',
          },
        ],
        warnings: ['two labels, one name'],
      },
      over: { problems: ['interface vip0: no right'], advice: ['sysctl x is 0'] },
    });
    const text = statusText(documentOf(pass), plain);
    expect(text).toContain('! interface vip0: no right\n');
    expect(text).toContain(
      '! rejected  /bad  portDefinitions[0].labels.VIP_0 = "nocolon": expected NAME:PORT\n',
    );
    expect(text).toContain('! pending  tcp/11.0.0.1:80: the kernel lacks it\n');
    expect(text).toContain('! sysctl x is 0\n! two labels, one name\n');
    expect(text).toMatch(
      /not ready \(kernel: 1 VIP not as desired: .*; reachability: interface vip0: no right\)\n$/,
    );
  });

  test('shows a few of each kind if there are hundreds', () => {
    const warnings = Array.from({ length: 300 }, (_, at) => `warning ${at}`);
    const text = statusText(documentOf(passOf({ desired: { ...desiredOf(WEB), warnings } })), plain);
    expect(text.split('\n').filter((line) => line.startsWith('! warning'))).toHaveLength(20);
    expect(text).toContain('! … and 280 more like these (-o json has them all)');
  });

  test('shows what is held and for how long', () => {
    const held: StatusDocument['held'] = {
      reason: 'the source names 3 apps of 40',
      since: '1970-01-01T00:17:00.000Z',
      until: '1970-01-01T00:18:30.000Z',
      services: ['tcp/11.0.0.1:80', 'tcp/11.0.0.2:5432'],
    };
    expect(statusText({ ...both, held }, plain)).toContain(
      '! held for 50s more: 2 VIPs: the source names 3 apps of 40',
    );
  });
});

describe('the VIPs with their backends', () => {
  test('show the rule that overrides the sources for the service or a backend, and what ends it', () => {
    const decision = {
      rule: 'postponed',
      since: '1970-01-01T00:12:40.000Z',
      reason: null,
      endsWhen: 'its write succeeds; it is retried',
      endsAt: '1970-01-01T00:17:50.000Z',
    } as const;
    const [db, web] = both.vips;
    if (db === undefined || web === undefined) throw new Error('two VIPs');
    const backends = web.backends.map((each) => ({ ...each, decision: { ...decision, endsAt: null } }));
    const text = vipsText(
      {
        ...both,
        vips: [
          { ...db, decision },
          { ...web, backends },
        ],
      },
      plain,
    );
    const rule = 'postponed for 5m, until its write succeeds; it is retried';
    expect(text).toContain(`  service: ${rule}, in 10s\n`);
    expect(text).toContain(`  10.0.0.1:31000: ${rule}\n`);
  });

  test('show why a rule applies to the whole service, and the next probe of an ejection', () => {
    const [db, web] = both.vips;
    if (db === undefined || web === undefined) throw new Error('two VIPs');
    const decided = (rule: 'nearness' | 'ejected', reason: string | null, endsWhen: string) => ({
      ...{ rule, reason, endsWhen, since: '1970-01-01T00:17:30.000Z', endsAt: '1970-01-01T00:18:00.000Z' },
    });
    const near = decided('nearness', 'backends in the zone are back', 'they have been so for 30 s');
    const ejected = decided('ejected', null, 'two probes in a row find that it answers');
    const backends = web.backends.map((each) => ({ ...each, decision: ejected }));
    const vips = [
      { ...db, decision: near },
      { ...web, backends },
    ];
    const text = vipsText({ ...both, vips }, plain);
    expect(text).toContain(
      '  service: nearness for 10s, since backends in the zone are back, until they have been so for 30 s, in 20s\n',
    );
    expect(text).toContain(
      ': ejected for 10s, until two probes in a row find that it answers; the next one is made in 20s\n',
    );
  });

  test('show the large removals that affected them, and why they were not held', () => {
    const removal: StatusDocument['largeRemovals'][number] = {
      at: '1970-01-01T00:12:40.000Z',
      reason: '20 of 20 VIPs and 40 of 40 backends left the rotation: 40 named by marathon',
      because: [],
      services: ['tcp/11.0.0.1:80'],
    };
    const line = `not held, 5m ago: ${removal.reason}\n`;
    const document = { ...both, largeRemovals: [removal] };
    expect(vipsText(document, plain).match(/not held/g)).toHaveLength(1);
    expect(vipsText({ ...document, vips: both.vips.slice(1) }, plain)).toMatch(
      new RegExp(`^  ${line}$`, 'm'),
    );
    expect(statusText(document, plain)).toContain(`! ${line}`);
  });

  test('have weight, connections, rates, time, task and reason', () => {
    expect(vipsText({ ...both, vips: both.vips.slice(1) }, plain)).toBe(
      [
        'web.marathon.l4lb.thisdcos.directory  11.0.0.1:80/tcp  forwarding for 1m',
        '  scheduler wlc; 1/1 in rotation; 1.2k connections, 3/s; in 1.4kB/s, out 4.7kB/s; /web',
        '  BACKEND         WEIGHT  ACTIVE  INACT  CONN/S  IN B/S  OUT B/S  SINCE  TASK                 WHY',
        '  10.0.0.1:31000       1    1.2k      0       3    1.4k     4.7k     1m  task-10.0.0.1:31000  running, no health check',
        '',
      ].join('\n'),
    );
    expect(wideText(both, plain)).toContain(vipsText(both, plain));
  });

  test('show both endpoints of a backend that is reached past its host port', () => {
    const [vip] = both.vips.slice(1);
    const backends =
      vip?.backends.map((one) => ({ ...one, hostPort: { address: '10.9.9.9', port: 31_500 } })) ?? [];
    const text = vipsText({ ...both, vips: vip === undefined ? [] : [{ ...vip, backends }] }, plain);
    expect(text).toContain('10.0.0.1:31000 (10.9.9.9:31500)');
  });

  test('show the connection limit of a backend, and other settings from labels', () => {
    const asked = { scheduler: 'mh', flags: 'mh-port', persistenceSeconds: 60, persistencePrefix: 24 };
    const limited = backend('10.0.0.1', 31_000, { upperThreshold: 100, lowerThreshold: 75 });
    const web = service('11.0.0.1', 80, [limited], { name: 'web', ...asked });
    const text = vipsText(documentOf(passOf({ desired: desiredOf(web) })), plain);
    expect(text).toContain('scheduler mh, persistent 60 s, clients by /24, mh-port;');
    expect(text).toContain('running, no health check, at most 100 connections\n');
  });

  test('show the progress of a slow start, and how much longer it takes', () => {
    const backends = [
      backend('10.0.0.1', 31_000, { weight: 100 }),
      backend('10.0.0.2', 31_000, { weight: 40, reason: 'slow start: 40 %' }),
    ];
    const web = service('11.0.0.1', 80, backends, { name: 'web', slowStartSeconds: 30 });
    const decision = {
      rule: 'slow start',
      since: 990_000,
      endsWhen: 'it has its full weight',
      endsAt: 1_012_000,
    } as const;
    const decisions = new Map([['tcp/11.0.0.1:80', new Map([['10.0.0.2:31000', decision]])]]);
    const document = documentOf(passOf({ desired: desiredOf(web), over: { decisions } }));
    const at = '1970-01-01T00:16:40.000Z';
    const text = vipsText({ ...document, at }, plain);
    expect(text).toContain('scheduler wlc; slow start 30 s; 2/2 in rotation;');
    expect(text).toMatch(/10\.0\.0\.1:31000 +1 /);
    expect(text).toMatch(/10\.0\.0\.2:31000 +0\.4 .*slow start: 40 % for another 12s\n$/);
    expect(document.vips[0]).toMatchObject({
      slowStartSeconds: 30,
      backends: [{ weight: 100 }, { weight: 40 }],
    });
  });

  test('show the connections left in a drain, and its deadline', () => {
    const drains = new Map([['tcp/11.0.0.1:80', new Map([['10.0.0.1:31000', 1_300_000]])]]);
    const pass = passOf({
      desired: desiredOf(),
      before: settled(WEB),
      observed: settled(WEB),
      over: { drains },
    });
    expect(vipsText(documentOf(pass), plain)).toContain('draining: 0 connections left, at most 4m');
  });
});

test('numbers and times are as short as can be', () => {
  expect(
    [0, 7, 950, 999, 1_000, 1_234, 9_949, 9_950, 12_345, 999_499, 999_500, 3.4e6, 5e15].map(short),
  ).toEqual(['0', '7', '950', '999', '1.0k', '1.2k', '9.9k', '10k', '12k', '999k', '1.0M', '3.4M', '5.0P']);
  expect([0, 59, 60, 3_599, 3_600, 86_400, 864_000].map(duration)).toEqual([
    '0s',
    '59s',
    '1m',
    '59m',
    '1h',
    '1d',
    '10d',
  ]);
  expect(ago('2026-01-01T00:00:05.000Z', '2026-01-01T00:00:00.000Z')).toBe('0s');
});
