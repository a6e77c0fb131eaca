import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { firstDelta } from '../../../controller/inventory/inventory.ts';
import { run, type WakeReason } from '../../../controller/loop/run.ts';
import type { AppSource, SourceListener } from '../../../controller/ports.ts';
import { createServiceManager, type ServiceManager } from '../../../controller/systemd/service-manager.ts';
import { Latch } from '../../../controller/time.ts';
import { snapshot, web } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { World } from '../../support/world.ts';
import { passOf } from '../status/passes.ts';

const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
function nothing(): void {}

let clock: FakeClock;
let sent: string[][];
beforeEach(() => {
  clock = new FakeClock();
  sent = [];
});

function manager(environment: Record<string, string> = { WATCHDOG_USEC: '120000000' }): ServiceManager {
  const made = createServiceManager(
    { NOTIFY_SOCKET: '/run/systemd/notify', ...environment },
    {
      clock,
      log,
      createNotify:
        () =>
        (...assignments) =>
          void sent.push([...assignments]),
    },
  );
  if (made === null) throw new Error('no service manager');
  return made;
}

/** What was sent since this was last asked, without the lines for people. */
function told(): string[] {
  return sent.splice(0).flatMap((message) => message.filter((one) => !one.startsWith('STATUS=')));
}

test('without NOTIFY_SOCKET there is no service manager', () => {
  expect(createServiceManager({}, { clock, log })).toBeNull();
  expect(createServiceManager({ NOTIFY_SOCKET: '' }, { clock, log })).toBeNull();
});

describe('the service manager is notified', () => {
  test('that the controller is ready once a pass was made, and not by one that failed', () => {
    const systemd = manager();
    systemd.passed(passOf({ over: { error: 'the kernel cannot be read' } }));
    expect(told()).toEqual([]);
    systemd.passed(passOf({}));
    systemd.passed(passOf({}));
    expect(told()).toEqual(['READY=1']);
  });

  test('that a reload has begun, and is over when the whole table was read', () => {
    const systemd = manager();
    systemd.passed(passOf({}));
    told();
    systemd.reloading();
    systemd.passed(passOf({ over: { kind: 'changes' } }));
    expect(told()).toEqual(['RELOADING=1', expect.stringMatching(/^MONOTONIC_USEC=\d+$/)]);
    systemd.passed(passOf({ over: { kind: 'full' } }));
    expect(told()).toEqual(['READY=1']);
  });

  test('that it stops', () => {
    const systemd = manager();
    systemd.stopping();
    expect(told()).toEqual(['STOPPING=1']);
  });

  test('with a status line', () => {
    const systemd = manager();
    systemd.passed(passOf({}));
    expect(sent.flat()).toContain('STATUS=1 VIP');
    sent = [];
    systemd.passed(passOf({ over: { error: 'no\nkernel' } }));
    systemd.moved();
    expect(sent.flat()).toContain('STATUS=the last pass failed: no kernel');
  });
});

describe('watchdog messages come from the loop itself', () => {
  let stop: AbortController;
  let ended: Promise<void>;
  let world: World;
  let listener: SourceListener | undefined;

  async function start(environment?: Record<string, string>): Promise<void> {
    world = new World(clock);
    stop = new AbortController();
    const source: AppSource = {
      name: 'one',
      follow: (hears, signal) => {
        listener = hears;
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      },
      read: async () => snapshot(),
    };
    const ports = { ...world.ports(), sources: [source], observer: manager(environment) };
    const options = { resyncMs: 30_000, settleMs: 20, restoreAfterMs: 5_000, dryRun: false };
    ended = run(ports, world.start().reconciler, options, new Latch<WakeReason>(), stop.signal);
    await clock.advance(100);
  }

  const says = (address = '10.0.0.1') =>
    listener?.changed(firstDelta(snapshot(web('/a', { VIP_0: '/a:80' }, `${address}:80`))));

  afterEach(async () => {
    stop.abort();
    await ended;
  });

  test('extend the start-up time while it waits for its sources, and it is not ready', async () => {
    await start();
    await clock.advance(300_000);
    const all = told();
    expect(all.length).toBeGreaterThanOrEqual(10);
    expect(new Set(all)).toEqual(new Set(['EXTEND_TIMEOUT_USEC=120000000']));
    says();
    await clock.advance(100);
    expect(told()).toEqual(['READY=1']);
    await clock.advance(120_000);
    expect(told()).toEqual(['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1']);
  });

  test('are not sent by a loop that is stuck', async () => {
    await start();
    says();
    await clock.advance(60_000);
    expect(told()).toContain('WATCHDOG=1');
    let go: () => void = nothing;
    world.table.observe = () => new Promise((_, reject) => (go = () => reject(new Error('given up'))));
    world.table.observeInBackground = () => Promise.reject(new Error('not to be read'));
    world.table.apply = () => new Promise((_, reject) => (go = () => reject(new Error('given up'))));
    says('10.0.0.2');
    await clock.advance(1_000);
    told();
    await clock.advance(600_000);
    expect(told()).toEqual([]);
    go();
  });
});

const there = (program: string) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Perl is on every Debian; Node has no such socket. Prints each message with its lines joined by blanks. */
const RECEIVER = `use Socket; $| = 1;
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die;
print "bound\\n"; while (defined recv($s, my $m, 65536, 0)) { $m =~ s/\\n/ /g; print "$m\\n"; }`;

(there('systemd-notify') && there('perl') ? describe : describe.skip)('over a real socket', () => {
  const directory = mkdtempSync(join(tmpdir(), 'notify-'));
  const receiver = spawn('perl', ['-e', RECEIVER, join(directory, 'socket')]);
  let heard = '';
  receiver.stdout.on('data', (text) => (heard += String(text)));
  afterEach(async () => {
    receiver.kill();
    await once(receiver, 'exit');
    rmSync(directory, { recursive: true, force: true });
  });

  test('READY=1, WATCHDOG=1 and STOPPING=1 arrive in this order', async () => {
    const until = async (what: string) => {
      while (!heard.includes(what)) await once(receiver.stdout, 'data');
    };
    await until('bound');
    const environment = { NOTIFY_SOCKET: join(directory, 'socket'), WATCHDOG_USEC: '4000' };
    const systemd = createServiceManager(environment, { clock, log });
    systemd?.passed(passOf({}));
    systemd?.moved();
    systemd?.stopping();
    await until('STOPPING=1');
    expect(heard.match(/\b(?:READY|WATCHDOG|STOPPING)=1/g)).toEqual(['READY=1', 'WATCHDOG=1', 'STOPPING=1']);
    expect(heard).toContain('STATUS=1 VIP');
  });
});
