import { describe, expect, test } from '@jest/globals';
import type { MassRemoval } from '../../../controller/plan/mass.ts';
import { createStatusBoard } from '../../../controller/status/board.ts';
import { DEFAULT_LIMITS } from '../../../controller/status/checks.ts';
import { statusDocument } from '../../../controller/status/document.ts';
import { presentStatus } from '../../../controller/status/present.ts';
import { selectVips } from '../../../controller/status/selection.ts';
import { backend, service, WEIGHT_1 } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { desiredOf, observedBackend, observedService, tableOf } from '../../support/observed.ts';
import { DB, passOf, settled, WEB } from './passes.ts';
import { documentOf, readingOf, traffic } from './status-world.ts';

const counted = new Map([
  [
    'tcp/11.0.0.1:80',
    {
      traffic,
      backends: new Map([['10.0.0.1:31000', { activeConnections: 4, inactiveConnections: 1, traffic }]]),
    },
  ],
]);

describe('the status document', () => {
  test('matches its schema exactly', () => {
    const document = documentOf(passOf({ desired: desiredOf(WEB, DB) }), readingOf(counted));
    const parsed = statusDocument.parse(JSON.parse(JSON.stringify(document)));
    expect(parsed).toEqual(document);
    expect(statusDocument.safeParse(JSON.parse('{"apiVersion":"marathon-ipvs/v2"}')).success).toBe(false);
  });

  test("has the kernel's own counters of each VIP and backend", () => {
    const document = documentOf(passOf({}), readingOf(counted));
    expect(document.vips).toMatchObject([
      { activeConnections: 4, inactiveConnections: 1, traffic: { connectionRate: 3, outBytes: 26_820 } },
    ]);
    expect(document.vips[0]?.backends[0]).toMatchObject({
      activeConnections: 4,
      traffic: { inBytes: 8_040 },
    });
    expect(document.summary).toMatchObject({
      vips: 1,
      byState: { forwarding: 1 },
      backendsInRotation: 1,
      connections: 5,
    });
    expect(document.kernel).toMatchObject({
      readAt: '1970-01-01T00:17:39.500Z',
      error: null,
      services: 1,
      foreignServices: 0,
    });
  });

  test('falls back to the counts of the last pass if the counters cannot be read, and says so', () => {
    const busy = observedBackend(
      { address: '10.0.0.1', port: 31_000, ...WEIGHT_1 },
      { activeConnections: 2 },
    );
    const observed = tableOf(observedService(WEB, { backends: new Map([['10.0.0.1:31000', busy]]) }));
    const document = documentOf(passOf({ observed }), { at: null, error: 'EPERM' });
    expect(document.vips[0]).toMatchObject({ activeConnections: 2, traffic: null });
    expect(document.kernel).toMatchObject({ readAt: null, error: 'EPERM', timeouts: null });
  });

  test('a drain has the connections left, its deadline, and the seconds until then', () => {
    const leaving = service('11.0.0.1', 80, [backend('10.0.0.9', 31_009)], { name: 'web' });
    const observed = settled(leaving);
    const drains = new Map([['tcp/11.0.0.1:80', new Map([['10.0.0.9:31009', 1_300_000]])]]);
    const pass = passOf({ desired: desiredOf(), before: observed, observed, over: { drains } });
    const now = new Map([
      [
        'tcp/11.0.0.1:80',
        {
          traffic,
          backends: new Map([['10.0.0.9:31009', { activeConnections: 1, inactiveConnections: 2, traffic }]]),
        },
      ],
    ]);
    expect(documentOf(pass, readingOf(now)).vips[0]?.backends[0]?.drain).toEqual({
      connections: 3,
      deadline: '1970-01-01T00:21:40.000Z',
      secondsLeft: 240,
    });
  });

  test('has what is held, since when, until when, and the VIPs affected', () => {
    const endpoints = new Set(['10.0.0.1:31000']);
    const held: MassRemoval = {
      reasons: [['missing', 1]],
      vips: 2,
      ofVips: 2,
      backends: 2,
      ofBackends: 2,
      endpoints,
      services: new Set(['tcp/11.0.0.2:80', 'tcp/11.0.0.1:80']),
    };
    const document = documentOf(passOf({ over: { held: { ...held, since: 1_000_000, until: 1_090_000 } } }));
    expect(document.held).toEqual({
      reason: expect.stringContaining('2 of 2 VIPs'),
      since: '1970-01-01T00:16:40.000Z',
      until: '1970-01-01T00:18:10.000Z',
      services: ['tcp/11.0.0.1:80', 'tcp/11.0.0.2:80'],
    });
  });

  test('is ready exactly if /readyz is', () => {
    expect(documentOf()).toMatchObject({ ready: true });
    const document = documentOf(passOf({ observed: tableOf() }));
    expect(document.ready).toBe(false);
    expect(document.checks.filter(({ ok }) => !ok)).toEqual([
      { name: 'kernel', ok: false, message: '1 VIP not as desired: tcp/11.0.0.1:80 missing' },
    ]);
  });
});

describe('a VIP is selected', () => {
  const both = documentOf(passOf({ desired: desiredOf(WEB, DB) }));
  const idsOf = (name: string) => selectVips(both, name).vips.map(({ id }) => id);

  test.each([
    ['web'],
    ['WEB.marathon'],
    ['web:80'],
    ['web.marathon.l4lb.thisdcos.directory.'],
    ['web.marathon.l4lb.thisdcos.directory:80'],
    ['11.0.0.1'],
    ['11.0.0.1:80'],
    ['tcp/11.0.0.1:80'],
    ['/web'],
    ['w*b'],
    ['*web'],
  ])('as %s', (name) => {
    expect(idsOf(name)).toEqual(['tcp/11.0.0.1:80']);
  });

  test('by a pattern, and not by a part of its name', () => {
    expect(idsOf('*.marathon')).toHaveLength(2);
    expect(idsOf('we')).toEqual([]);
    expect(idsOf('web:8080')).toEqual([]);
    expect(idsOf('w*w*b')).toEqual([]);
    expect(idsOf(`${'*a'.repeat(4_000)}*`)).toEqual([]);
  });
});

test('times are shown by the machine’s current clock, and ages do not change with it', () => {
  const clock = new FakeClock();
  const board = createStatusBoard({ sources: ['file=a'], dryRun: false, clock });
  board.sourceRead('file=a', { apps: 1, complete: true, fromDiskOf: null });
  board.passed(passOf({ over: { startedAt: clock.monotonic(), finishedAt: clock.monotonic() } }));
  const present = () =>
    presentStatus({
      status: board.current(),
      reading: readingOf(counted, clock.monotonic()),
      limits: DEFAULT_LIMITS,
      version: '0.1.0',
      now: clock.monotonic() + 60_000,
    });
  const read = new Date(clock.epoch());
  expect(present()).toMatchObject({
    startedAt: read.toISOString(),
    lastPass: { finishedAt: read.toISOString() },
    vips: [{ since: read.toISOString() }],
    sources: [{ readAt: read.toISOString(), ageSeconds: 60 }],
    kernel: { readAt: read.toISOString() },
  });
  clock.step(-600_000);
  const shown = new Date(read.getTime() - 600_000).toISOString();
  expect(present()).toMatchObject({
    startedAt: shown,
    lastPass: { finishedAt: shown },
    sources: [{ readAt: shown, ageSeconds: 60 }],
  });
});
