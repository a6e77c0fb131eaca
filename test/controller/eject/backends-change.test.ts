/** Backends of VIPs that come and go while they are suspects or ejected. */

import { describe, expect, test } from '@jest/globals';
import type { BackendOutcome } from '../../../controller/eject/backends.ts';
import { Ejector } from '../../../controller/eject/ejector.ts';
import { VipBackends } from '../../../controller/eject/vip-backends.ts';
import type { Probe } from '../../../controller/eject/watched.ts';
import { targetOf } from '../../../controller/model/ejection.ts';
import type { Backend, Service, ServiceKey } from '../../../controller/model/service.ts';
import { WEIGHT_1, WLC } from '../../support/builders.ts';

const READ_MS = 200;
const PROBE_MS = 1_100;
const [A, B, C] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] as const;
const KEY = `tcp/${A}:80`;

/** Clients of all VIPs connect to each backend between two readings. */
class Host {
  readonly services = new Map<ServiceKey, Service>();
  readonly ejector = new Ejector(
    new VipBackends(
      () => this.services,
      () => new Set(),
    ),
  );
  /** Addresses that answer neither clients nor probes, and those that answer probes alone. */
  readonly dead = new Set<string>();
  readonly mute = new Set<string>();
  now = 0;
  #open: { readonly probe: Probe; readonly isDead: boolean }[] = [];

  /** Adds or replaces a VIP; `suffix` tells its tasks from those that had these addresses before. */
  vip(address: string, addresses: readonly string[], suffix = ''): void {
    const backends = addresses.map((at): [string, Backend] => {
      const of = { app: '/web', task: `${at}${suffix}`, reason: 'running', drainSeconds: 300 };
      return [`${at}:80`, { address: at, port: 80, ...WEIGHT_1, ...of }];
    });
    const called = { name: 'web', framework: 'marathon', fqdn: null, apps: ['/web'] };
    const is = { protocol: 'tcp', family: 'ipv4', address, port: 80, ...WLC, ...called } as const;
    this.services.set(`tcp/${address}:80`, { ...is, backends: new Map(backends) });
  }

  get ejected(): readonly string[] {
    return [...this.ejector.register.ejections.keys()];
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) this.step();
  }

  step(): void {
    const from = this.now;
    this.now += READ_MS;
    const ended = this.#open.filter(
      ({ probe: { startedAt }, isDead }) => startedAt + (isDead ? PROBE_MS : 1) <= this.now,
    );
    this.#open = this.#open.filter((one) => !ended.includes(one));
    for (const { probe, isDead } of ended) {
      const result = isDead ? 'timed out' : 'connected';
      this.ejector.recordProbe(
        probe,
        Array.from({ length: probe.attempts }, () => result),
        this.now,
      );
    }
    this.ejector.recordConnections({ from, to: this.now }, this.#outcomes());
    for (const probe of this.ejector.takeDue(this.now))
      this.#open.push({ probe, isDead: this.dead.has(probe.target.address) });
  }

  /** Steps until a backend is ejected. */
  runUntilEjected(): void {
    while (this.ejected.length === 0) this.step();
  }

  /** A backend fails from now on, until it is ejected. Returns how long it was out after it was repaired then. */
  outFor(address: string): number {
    this.dead.add(address);
    this.runUntilEjected();
    const from = this.now;
    this.dead.delete(address);
    while (this.ejected.length > 0) this.step();
    return this.now - from;
  }

  get probed(): number {
    return this.#open.filter(({ probe }) => probe.attempts === 2).length;
  }

  *#outcomes(): Generator<BackendOutcome> {
    for (const [service, { protocol, backends }] of this.services) {
      for (const backend of backends.values()) {
        const hasAnswered = !this.dead.has(backend.address) && !this.mute.has(backend.address);
        const sign = hasAnswered ? null : ({ kind: 'nothing', connections: 1, packets: 0 } as const);
        yield { service, target: targetOf(protocol, backend), sign, hasAnswered };
      }
    }
  }
}

function hostOf(...addresses: readonly string[]): Host {
  const host = new Host();
  host.vip('11.0.0.1', addresses);
  host.run(2_000);
  return host;
}

describe('another task at the address of', () => {
  test.each([
    ['whose clients are all answered', false],
    ['whose first clients are not answered', true],
  ])('a suspect, %s, is not ejected for the probe of the former one', (_, isMute) => {
    const host = hostOf(A, B, C);
    host.dead.add(A);
    while (host.probed === 0) host.step();
    host.vip('11.0.0.1', [A, B, C], '.new');
    host.dead.delete(A);
    for (let i = 0; i < 20; i += 1) {
      // Suspected when the probe of the former one is about to end.
      if (isMute && i === 4) host.mute.add(A);
      host.step();
      expect(host.ejected).toEqual([]);
    }
  });

  test('an ejected backend gets clients as soon as the next reading', () => {
    const host = hostOf(A, B, C);
    host.dead.add(A);
    host.runUntilEjected();
    host.ejector.register.takeChanged();
    host.dead.delete(A);
    host.vip('11.0.0.1', [A, B, C], '.new');
    host.step();
    expect(host.ejected).toEqual([]);
    expect([...host.ejector.register.takeChanged()]).toEqual([KEY]);
  });

  test('a removed suspect is not ejected when the probe of it ends before the next reading', () => {
    const host = hostOf(A, B, C);
    host.dead.add(A);
    while (host.probed === 0) host.step();
    host.run(PROBE_MS - READ_MS);
    host.vip('11.0.0.1', [B, C]);
    host.run(1_000);
    expect(host.ejector.register.ejected['timed out']).toBe(0);
  });
});

describe('a backend of several VIPs', () => {
  function hostOfTwo(): Host {
    const host = hostOf(A, B, C);
    host.vip('11.0.0.2', [A, B]);
    host.dead.add(A);
    host.runUntilEjected();
    return host;
  }

  test('is ejected once, and probed once at a time', () => {
    const host = hostOfTwo();
    host.run(10_000);
    expect(host.ejected).toEqual([KEY]);
    expect(host.ejector.register.ejected['timed out']).toBe(1);
  });

  test.each(['11.0.0.1', '11.0.0.2'])('stays ejected when VIP %s is removed', (address) => {
    const host = hostOfTwo();
    host.services.delete(`tcp/${address}:80`);
    host.run(5_000);
    expect(host.ejected).toEqual([KEY]);
    expect(host.ejector.register.ejected['timed out']).toBe(1);
  });

  test('returns when no VIP has it any more', () => {
    const host = hostOfTwo();
    host.vip('11.0.0.1', [B, C]);
    host.vip('11.0.0.2', [B]);
    host.step();
    expect(host.ejected).toEqual([]);
  });
});

test.each([
  ['fails again at once', 0],
  ['answers some clients first', 10_000],
])('a backend that comes back and %s is out for longer each time', (_, worksMs) => {
  const host = hostOf(A, B, C);
  const out: number[] = [];
  while (out.length < 5) {
    out.push(host.outFor(A));
    host.run(worksMs);
  }
  for (const [i, ms] of out.entries()) expect(ms).toBeGreaterThanOrEqual(1.5 * (out[i - 1] ?? 0));
  expect(out.at(-1)).toBeLessThanOrEqual(33_000);
});

test('a suspect whose clients are answered at times keeps its back-off', () => {
  const host = hostOf(A, B, C);
  const out: number[] = [];
  while (out.length < 3) {
    // One lost SYN: a suspect for a moment.
    host.dead.add(A);
    host.step();
    host.dead.delete(A);
    host.run(1_000);
    out.push(host.outFor(A));
  }
  expect(out[2]).toBeGreaterThanOrEqual(1.5 * (out[0] ?? 0));
});
