import { beforeEach, describe, expect, test } from '@jest/globals';
import type { EjectionReport } from '../../../controller/model/ejection.ts';
import type { AppSource, Observer } from '../../../controller/ports.ts';
import { createStatusBoard, type StatusBoard } from '../../../controller/status/board.ts';
import { type Check, DEFAULT_LIMITS, livez, readyz } from '../../../controller/status/checks.ts';
import { checksText } from '../../../controller/status/checks-text.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf, observedService, tableOf } from '../../support/observed.ts';
import { DB, passOf, settled, WEB } from './passes.ts';

const SOURCE = 'marathon=http://m:8080';
const HOUR = 3_600_000;
const whole: Parameters<Observer['sourceRead']>[1] = { apps: 1, complete: true, fromDiskOf: null };

let now: number;
let board: StatusBoard;

function boardOf(dryRun = false, sources: readonly AppSource['name'][] = [SOURCE]): StatusBoard {
  return createStatusBoard({ sources, dryRun, clock: { epoch: () => now, monotonic: () => now } });
}

beforeEach(() => {
  now = 1_000_000;
  board = boardOf();
});

/** Simulates a working loop, which sends heartbeats and makes passes. */
function later(ms: number, pass = passOf({})): void {
  now += ms;
  board.moved();
  board.passed({ ...pass, startedAt: now - 50, finishedAt: now });
}

function ready(exclude: readonly string[] = []): boolean {
  return checksText('readyz', readyz(board.current(), now, DEFAULT_LIMITS), { exclude, verbose: false }).ok;
}

function alive(): boolean {
  return livez(board.current(), now, DEFAULT_LIMITS).every(({ ok }) => ok);
}

function checkOf(name: string): Pick<Check, 'ok' | 'message'> | undefined {
  const found = readyz(board.current(), now, DEFAULT_LIMITS).find((check) => check.name === name);
  return found && { ok: found.ok, message: found.message };
}

describe('ready', () => {
  test('if every source was read and the kernel is as desired', () => {
    board.sourceRead(SOURCE, whole);
    board.passed(passOf({}));
    expect(ready()).toBe(true);
  });

  test('not before the first pass, even if nothing has failed', () => {
    expect(ready()).toBe(false);
    board.sourceRead(SOURCE, whole);
    expect(checkOf('kernel')).toEqual({ ok: false, message: 'no pass yet' });
    expect(ready()).toBe(false);
    expect(ready(['kernel'])).toBe(false);
  });

  test('not while one of two sources was never read', () => {
    board = boardOf(false, [SOURCE, 'file=a']);
    board.sourceRead(SOURCE, whole);
    board.sourceFailed('file=a', new Error('no such file'));
    board.passed(passOf({}));
    expect(checkOf('source file=a')).toEqual({ ok: false, message: 'not read yet: no such file' });
    expect(ready()).toBe(false);
  });

  test('not when a step failed', () => {
    board.sourceRead(SOURCE, whole);
    const failures = [{ step: '-A -t 11.0.0.1:80 -s wlc', message: 'kernel has no scheduler "wlc"' }];
    board.passed(passOf({ over: { failures } }));
    expect(checkOf('kernel')).toEqual({
      ok: false,
      message: '1 step failed: -A -t 11.0.0.1:80 -s wlc: kernel has no scheduler "wlc"',
    });
  });

  test('not while a failed step waits for its retry, even if the passes in between had no failure', () => {
    board.sourceRead(SOURCE, whole);
    board.passed(passOf({ desired: desiredOf(WEB, DB), observed: settled(DB) }));
    expect(checkOf('kernel')).toEqual({
      ok: false,
      message: '1 VIP not as desired: tcp/11.0.0.1:80 missing',
    });
  });

  test('not while steps wait for their retry, even if everything looks fine', () => {
    board.sourceRead(SOURCE, whole);
    board.passed(passOf({ over: { waiting: 2 } }));
    expect(checkOf('kernel')).toEqual({ ok: false, message: '2 failed steps wait for their retry' });
  });

  test('not when the kernel could not be read', () => {
    board.sourceRead(SOURCE, whole);
    later(1_000, passOf({ over: { error: 'list services: CAP_NET_ADMIN is needed' } }));
    expect(checkOf('kernel')).toEqual({ ok: false, message: 'list services: CAP_NET_ADMIN is needed' });
  });

  test('again once a pass went well after one that failed', () => {
    board.sourceRead(SOURCE, whole);
    later(1_000, passOf({ over: { error: 'x' } }));
    later(1_000);
    expect(ready()).toBe(true);
  });

  test('not when interface or routes keep VIPs from being reached', () => {
    board.sourceRead(SOURCE, whole);
    board.passed(passOf({ over: { problems: ['route local 11.0.0.0/8 dev vip0: EPERM'] } }));
    expect(checkOf('reachability')?.ok).toBe(false);
    expect(ready()).toBe(false);
  });

  test('not when a backend has the wrong weight in the kernel', () => {
    board.sourceRead(SOURCE, whole);
    const wrong = observedService(WEB);
    const backends = new Map([...wrong.backends].map(([key, one]) => [key, { ...one, weight: 0 }]));
    board.passed(passOf({ observed: tableOf({ ...wrong, backends }) }));
    expect(checkOf('kernel')?.message).toBe('1 VIP not as desired: tcp/11.0.0.1:80 differs');
  });

  test.each([
    ['its scheduler', { scheduler: 'rr' }],
    ['its persistence', { persistenceSeconds: 60 }],
    ['a flag that we never set', { flags: 'one-packet' }],
    ['the prefix of its persistence', { persistencePrefix: 24 }],
  ])('not when a VIP differs in %s', (_what, over) => {
    board.sourceRead(SOURCE, whole);
    board.passed(passOf({ observed: tableOf(observedService(WEB, over)) }));
    expect(ready()).toBe(false);
  });

  test('not when a VIP that should be gone still exists', () => {
    board.sourceRead(SOURCE, whole);
    board.passed(passOf({ desired: desiredOf(WEB), before: settled(WEB, DB), observed: settled(WEB, DB) }));
    expect(checkOf('kernel')?.message).toBe('1 VIP not as desired: tcp/11.0.0.2:5432 not removed');
  });

  test('also while a leaving backend drains with weight 0', () => {
    board.sourceRead(SOURCE, whole);
    const have = observedService(WEB);
    const [[, one] = []] = have.backends;
    if (one === undefined) throw new Error('a service without backends');
    const draining = { ...one, address: '10.0.0.9', weight: 0 };
    const observed = tableOf({
      ...have,
      backends: new Map([...have.backends, ['10.0.0.9:31000', draining]]),
    });
    board.passed(passOf({ observed }));
    expect(ready()).toBe(true);
  });

  test('also while a UDP backend of weight 0 is kept out of the kernel, but not while it is in it', () => {
    board.sourceRead(SOURCE, whole);
    const serving = backend('10.0.0.1', 31_000);
    const killed = backend('10.0.0.2', 31_000, { weight: 0 });
    const query = service('11.0.0.1', 53, [serving, killed], { protocol: 'udp' });
    const without = observedService({ ...query, backends: new Map([...query.backends].slice(0, 1)) });
    board.passed(passOf({ desired: desiredOf(query), observed: tableOf(without) }));
    expect(ready()).toBe(true);
    board.passed(passOf({ desired: desiredOf(query), observed: tableOf(observedService(query)) }));
    expect(checkOf('kernel')?.message).toBe('1 VIP not as desired: udp/11.0.0.1:53 differs');
  });

  test('not when passes have stopped although the loop still sends heartbeats', () => {
    board.sourceRead(SOURCE, whole);
    later(1_000);
    for (let waited = 0; waited < 130_000; waited += 1_000) {
      now += 1_000;
      board.moved();
    }
    expect(alive()).toBe(true);
    expect(checkOf('kernel')).toEqual({ ok: false, message: 'last pass 130 s ago' });
  });
});

describe('an exception is named, and does not fail', () => {
  test('a source that has been down for an hour, with its age and the reason', () => {
    board.sourceRead(SOURCE, whole);
    for (let waited = 0; waited < HOUR; waited += 30_000) {
      later(30_000);
      board.sourceFailed(SOURCE, new Error('connect ECONNREFUSED'));
    }
    expect(checkOf(`source ${SOURCE}`)).toEqual({
      ok: true,
      message: 'stale, last read 3600 s ago: connect ECONNREFUSED',
    });
    expect(ready()).toBe(true);
  });

  test('a source that is silent without a failure', () => {
    board.sourceRead(SOURCE, whole);
    later(HOUR);
    expect(checkOf(`source ${SOURCE}`)?.message).toBe('stale, last read 3600 s ago');
  });

  test('reading one app does not clear the failure of a whole source', () => {
    board.sourceRead(SOURCE, whole);
    later(HOUR);
    board.sourceFailed(SOURCE, new Error('503'));
    board.sourceRead(SOURCE, { ...whole, complete: false });
    expect(checkOf(`source ${SOURCE}`)?.message).toBe('stale, last read 3600 s ago: 503');
    board.sourceRead(SOURCE, whole);
    expect(checkOf(`source ${SOURCE}`)?.message).toBeNull();
  });

  test('a source whose state comes from disk, with its age', () => {
    board.sourceFailed(SOURCE, new Error('connect ECONNREFUSED'));
    board.sourceRead(SOURCE, { apps: 3, complete: true, fromDiskOf: now - 2 * HOUR });
    board.passed(passOf({}));
    expect(checkOf(`source ${SOURCE}`)?.message).toBe('from disk, 7200 s old: connect ECONNREFUSED');
    expect(ready()).toBe(true);
  });

  test('a state from the future, saved by a wrong clock, has age 0', () => {
    board.sourceRead(SOURCE, { apps: 3, complete: true, fromDiskOf: now + 2 * HOUR });
    board.passed(passOf({}));
    expect(checkOf(`source ${SOURCE}`)?.message).toBe('from disk, 0 s old');
  });

  test('differences from a state on disk, which removes nothing', () => {
    board.sourceRead(SOURCE, { apps: 3, complete: true, fromDiskOf: now - HOUR });
    board.passed(passOf({ desired: desiredOf(WEB), before: settled(WEB, DB), observed: settled(WEB, DB) }));
    expect(checkOf('kernel')).toEqual({
      ok: true,
      message: '1 VIP left as found until the source is read: tcp/11.0.0.2:5432 not removed',
    });
    board.sourceRead(SOURCE, whole);
    expect(checkOf('kernel')?.ok).toBe(false);
  });

  test('but not VIPs of a state on disk that the kernel lacks: they are added', () => {
    board.sourceRead(SOURCE, { apps: 3, complete: true, fromDiskOf: now - HOUR });
    board.passed(passOf({ desired: desiredOf(WEB, DB), observed: settled(WEB) }));
    expect(checkOf('kernel')).toEqual({
      ok: false,
      message: '1 VIP not as desired: tcp/11.0.0.2:5432 missing',
    });
  });

  test('a source whose last read failed, however recent its data', () => {
    board.sourceRead(SOURCE, whole);
    now += 2_000;
    board.sourceFailed(SOURCE, new Error('503\nService Unavailable'));
    expect(checkOf(`source ${SOURCE}`)?.message).toBe('stale, last read 2 s ago: 503 Service Unavailable');
  });

  test("a conflict with another program's service", () => {
    board.sourceRead(SOURCE, whole);
    const foreign = tableOf(observedService(WEB, { scheduler: 'rr' }));
    board.passed(passOf({ observed: foreign, foreign: true }));
    expect(checkOf('conflicts')).toEqual({
      ok: true,
      message: '1 VIP taken by another program: tcp/11.0.0.1:80',
    });
    expect(ready()).toBe(true);
  });

  test('rejected apps, a few by name', () => {
    board.sourceRead(SOURCE, whole);
    const rejected = Array.from({ length: 7 }, (_, index) => ({
      app: `/app${index}`,
      at: 'portDefinitions[0].labels.VIP_0',
      value: 'x',
      reason: 'y',
    }));
    board.passed(passOf({ desired: { ...desiredOf(WEB), rejected } }));
    expect(checkOf('apps')?.message).toMatch(
      /^7 rejected: \/app0 portDefinitions\[0\]\.labels\.VIP_0, .* and 2 more$/,
    );
    expect(ready()).toBe(true);
  });

  test('advice about kernel settings', () => {
    board.sourceRead(SOURCE, whole);
    board.passed(passOf({ over: { advice: ['sysctl x is 0, wanted 1: sysctl -w x=1'] } }));
    expect(checkOf('reachability')).toEqual({ ok: true, message: 'sysctl x is 0, wanted 1: sysctl -w x=1' });
  });
});

describe('in a dry run', () => {
  beforeEach(() => {
    board = boardOf(true);
    board.sourceRead(SOURCE, whole);
  });

  test('differences make it unready, since nothing is written', () => {
    board.passed(passOf({ observed: settled() }));
    expect(checkOf('kernel')).toEqual({
      ok: false,
      message: 'dry run, nothing is written: 1 VIP not as desired: tcp/11.0.0.1:80 missing',
    });
    expect(board.current().convergedAt).toBeNull();
  });

  test('a kernel as desired is ready, with a note that interface and routes were not checked', () => {
    board.passed(passOf({}));
    expect(ready()).toBe(true);
    expect(checkOf('reachability')?.message).toBe('not checked in a dry run');
  });
});

test('the time of convergence is that of the last pass that left the kernel as desired', () => {
  board.sourceRead(SOURCE, whole);
  later(1_000);
  const good = now;
  later(1_000, passOf({ over: { error: 'x' } }));
  later(1_000, passOf({ over: { problems: ['x'] } }));
  later(1_000, passOf({ desired: desiredOf(WEB, DB), observed: settled(WEB) }));
  expect(board.current().convergedAt).toBe(good);
});

describe('backends that do not answer', () => {
  const found: EjectionReport = {
    ...{ mode: 'on', ejections: new Map(), suspects: 3, blind: null, behind: null, returned: 0 },
    ejected: { 'timed out': 0, unreachable: 0, refused: 0, agent: 0 },
    probes: { connected: 0, 'timed out': 6, unreachable: 0, refused: 0, silent: 0, unknown: 0 },
  };
  const noteOf = (report: EjectionReport) => {
    const clock = { epoch: () => now, monotonic: () => now };
    const { current } = createStatusBoard({ sources: [], dryRun: false, clock, ejection: () => report });
    return readyz(current(), now, DEFAULT_LIMITS).find(({ name }) => name === 'ejection');
  };

  test('a host that cannot reach most agents says so, and stays ready', () => {
    expect(noteOf({ ...found, blind: { since: now - 7_000, failing: 5, answering: 1 } })).toEqual({
      name: 'ejection',
      ok: true,
      message:
        'ejection is paused: for 7 s, 5 of the 6 agents that were tried cannot be reached; is this host cut off?',
    });
  });

  test.each([
    ['on', 'no answer from 1 backend: tcp/10.0.0.1:80'],
    ['observe', 'no answer from 1 backend, still in rotation (--eject observe): tcp/10.0.0.1:80'],
  ] as const)('a backend that does not answer is named, with --eject %s', (mode, message) => {
    const key = 'tcp/10.0.0.1:80';
    const target = {
      key,
      protocol: 'tcp',
      address: '10.0.0.1',
      port: 80,
      agent: '10.0.0.1',
      task: 'a',
    } as const;
    const ejection = { target, since: now, cause: 'refused', reason: 'x', nextProbe: null } as const;
    const ejections = new Map([[key, ejection]]);
    expect(noteOf({ ...found, mode, ejections })).toEqual({ name: 'ejection', ok: true, message });
  });

  test('the check has no message if all answer, and is absent with ejection off', () => {
    expect(noteOf(found)).toEqual({ name: 'ejection', ok: true, message: null });
    expect(readyz(board.current(), now, DEFAULT_LIMITS).map(({ name }) => name)).not.toContain('ejection');
  });
});
