import { afterEach, expect, test } from '@jest/globals';
import { ApiFailure } from '../../../controller/kubernetes/api-failure.ts';
import type { KubernetesClient } from '../../../controller/kubernetes/client.ts';
import { elect } from '../../../controller/kubernetes/election.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';

interface Lease {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: { readonly holderIdentity: string; readonly renewTime?: string };
}

/** An API server with one lease. */
class Server {
  lease: Lease | null = null;
  #version = 0;

  put(spec: object): void {
    this.#version += 1;
    const metadata = { resourceVersion: String(this.#version) };
    this.lease = { metadata, spec: { holderIdentity: '', ...spec } };
  }

  call(method: string, body: unknown): unknown {
    if (method === 'GET') {
      if (this.lease === null) throw failure(404, 'NotFound');
      return this.lease;
    }
    const { metadata, spec } = body as { metadata: { resourceVersion?: string }; spec: object };
    if (metadata.resourceVersion !== this.lease?.metadata.resourceVersion) throw failure(409, 'Conflict');
    this.put(spec);
    return this.lease;
  }
}

function failure(status: number, reason: string): ApiFailure {
  return new ApiFailure('call', { status, body: { reason }, retryAfter: undefined });
}

const running: Promise<void>[] = [];
let now: { stop: AbortController; clock: FakeClock; server: Server };

function world() {
  now = { stop: new AbortController(), clock: new FakeClock(), server: new Server() };
  return now;
}

afterEach(async () => {
  now.stop.abort();
  // Hanging requests are aborted.
  await now.clock.advance(5_000);
  await Promise.all(running.splice(0));
});

/** A candidate; `reach` is how it reaches the API server. */
class Process {
  leading = false;
  /** How often it was elected. */
  turns = 0;
  reach: 'answers' | 'refuses' | 'hangs' | 'races' = 'answers';
  /** Why its API server refuses, and when it is asked. */
  busy: (() => Error) | null = null;
  /** What `lead` does in its next term instead of waiting for its signal. */
  fails: (() => Promise<void>) | null = null;
  readonly logged: string[] = [];
  readonly stop = new AbortController();
  readonly done: Promise<void>;

  constructor(identity: string, { clock, server, stop: all }: typeof now) {
    const client = {
      call: (method: string, _path: string, { body }: { body?: unknown }, signal: AbortSignal) =>
        this.#call(() => server.call(method, body), method, signal),
    } as unknown as KubernetesClient;
    const write = (message: string) => void this.logged.push(message);
    const log = { debug: write, info: write, warn: write, error: write };
    const options = { client, clock, log, namespace: 'n', name: 'lease', identity, random: () => 0 };
    this.done = elect(
      options,
      (signal) => this.#lead(signal),
      AbortSignal.any([this.stop.signal, all.signal]),
    );
    running.push(this.done);
  }

  async #call(answer: () => unknown, method: string, signal: AbortSignal): Promise<unknown> {
    if (this.busy !== null) throw this.busy();
    if (this.reach === 'refuses') throw new Error('ECONNREFUSED');
    if (this.reach === 'races' && method !== 'GET') throw failure(409, 'Conflict');
    if (this.reach === 'hangs') {
      await new Promise((_resolve, reject) => {
        const end = () => reject(signal.reason);
        if (signal.aborted) end();
        else signal.addEventListener('abort', end);
      });
    }
    return answer();
  }

  #lead(signal: AbortSignal): Promise<void> {
    this.turns += 1;
    const { fails } = this;
    this.fails = null;
    if (fails !== null) return fails();
    this.leading = true;
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        this.leading = false;
        resolve();
      });
    });
  }
}

/** How many more seconds it leads. */
async function leadsFor(process: Process, clock: FakeClock, most = 60): Promise<number> {
  for (let second = 0; second < most; second += 1) {
    if (!process.leading) return second;
    await clock.advance(1_000);
  }
  return most;
}

test('the first candidate leads for as long as it renews, and later ones wait', async () => {
  const { clock, server } = world();
  const first = new Process('a', now);
  await settled();
  const second = new Process('b', now);
  await clock.advance(600_000);
  expect([first.leading, first.turns, second.turns]).toEqual([true, 1, 0]);
  expect(server.lease?.spec.holderIdentity).toBe('a');
});

test.each(['refuses', 'hangs', 'races'] as const)(
  'a leader whose API server %s stops ten seconds after its last renewal',
  async (reach) => {
    const { clock } = world();
    const leader = new Process('a', now);
    await clock.advance(60_000); // A renewal was sent just now.
    leader.reach = reach;
    expect(await leadsFor(leader, clock)).toBe(10);
    leader.reach = 'answers';
    await clock.advance(20_000);
    expect([leader.leading, leader.turns]).toEqual([true, 2]);
  },
);

test('neither a hanging attempt nor a late answer prolongs leadership', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  await clock.advance(60_000);
  leader.reach = 'refuses';
  await clock.advance(7_000);
  leader.reach = 'hangs';
  expect(await leadsFor(leader, clock)).toBe(3);
});

test('there are never two leaders, whichever process the API server does not answer', async () => {
  const { clock } = world();
  const all = ['a', 'b', 'c'].map((identity) => new Process(identity, now));
  const reaches = ['answers', 'hangs', 'refuses', 'answers', 'races'] as const;
  let most = 0;
  for (let second = 0; second < 600; second += 1) {
    if (second % 13 === 0)
      all.forEach((one, index) => {
        one.reach = reaches[(second / 13 + index * 2) % reaches.length] ?? 'answers';
      });
    await clock.advance(1_000);
    most = Math.max(most, all.filter(({ leading }) => leading).length);
  }
  expect(most).toBe(1);
  expect(all.reduce((sum, { turns }) => sum + turns, 0)).toBeGreaterThan(5);
});

test('a short failure has no effect', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  await clock.advance(60_000);
  for (const reach of ['refuses', 'races', 'hangs'] as const) {
    leader.reach = reach;
    await clock.advance(5_000);
    leader.reach = 'answers';
    await clock.advance(10_000);
  }
  // A hanging attempt is not repeated concurrently, so a single one may lose the lease.
  expect(leader.turns).toBeLessThanOrEqual(2);
  expect(leader.leading).toBe(true);
});

test('a leader stops at once when another process holds the lease', async () => {
  const { clock, server } = world();
  const leader = new Process('a', now);
  await clock.advance(60_000);
  server.put({ holderIdentity: 'z', leaseDurationSeconds: 15, renewTime: 'now' });
  await clock.advance(2_000);
  expect(leader.leading).toBe(false);
  expect(server.lease?.spec.holderIdentity).toBe('z');
});

test.each<[string, () => Promise<void>]>([
  ['rejects', () => Promise.reject(new Error('the reflector broke'))],
  [
    'throws',
    () => {
      throw new Error('the reflector broke');
    },
  ],
  ['ends', () => Promise.resolve()],
])('a leader that %s ends its term but not the process, and releases the lease', async (_, fails) => {
  const { clock, server } = world();
  const leader = new Process('a', now);
  leader.fails = fails;
  await settled();
  expect([leader.leading, leader.turns]).toEqual([false, 1]);
  expect(server.lease?.spec.holderIdentity).toBe('');
  await clock.advance(2_000);
  expect([leader.leading, leader.turns]).toEqual([true, 2]);
});

test('a leader that rejects during a renewal ends only its term', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  let reject: (error: Error) => void = () => undefined;
  leader.fails = () => new Promise((_resolve, no) => (reject = no));
  await settled();
  leader.reach = 'hangs';
  await clock.advance(3_000);
  reject(new Error('the reflector broke'));
  await settled();
  expect(leader.logged).toContain('work as leader failed');
  leader.reach = 'answers';
  await clock.advance(30_000);
  expect([leader.leading, leader.turns]).toEqual([true, 2]);
});

test('an abandoned lease is taken over once its spec was unchanged for its duration', async () => {
  const { clock, server } = world();
  const spec = { holderIdentity: 'gone', leaseDurationSeconds: 15, renewTime: '2099-01-01T00:00:00.000000Z' };
  server.put(spec);
  const candidate = new Process('a', now);
  for (let second = 0; second < 14; second += 1) {
    await clock.advance(1_000);
    server.put(spec); // As who labels it does: another resource version, the same lease.
  }
  expect(candidate.leading).toBe(false);
  await clock.advance(4_000);
  expect(candidate.leading).toBe(true);
});

test('a jump of the host clock does not affect leader and candidates', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  await settled();
  const candidate = new Process('b', now);
  for (const step of [86_400_000, -172_800_000, 3_600_000]) {
    clock.step(step);
    await clock.advance(30_000);
  }
  expect([leader.leading, leader.turns, candidate.turns]).toEqual([true, 1, 0]);
});

test('a stopped leader releases the lease, and the next one leads within two seconds', async () => {
  const { clock } = world();
  const leader = new Process('a', now);
  await settled();
  const next = new Process('b', now);
  await clock.advance(60_000);
  leader.stop.abort();
  await leader.done;
  expect(leader.leading).toBe(false);
  await clock.advance(2_000);
  expect(next.leading).toBe(true);
});

test('a candidate and a leader leave a busy API server alone as long as it asks, but not for ever', async () => {
  const { clock } = world();
  const process = new Process('a', now);
  const asked: number[] = [];
  process.busy = () => {
    asked.push(clock.monotonic());
    return new ApiFailure('lease', { status: 429, body: {}, retryAfter: '8' });
  };
  await clock.advance(60_000);
  const pauses = asked.slice(1).map((at, i) => at - (asked[i] ?? 0));
  expect(pauses.length).toBeGreaterThan(3);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(8_000);
  process.busy = null;
  await clock.advance(10_000);
  expect(process.leading).toBe(true);

  process.busy = () => new ApiFailure('lease', { status: 503, body: {}, retryAfter: '1000000000' });
  expect(await leadsFor(process, clock)).toBe(10);
  process.busy = null;
  await clock.advance(150_000);
  expect(process.leading).toBe(true);
});

test.each<[string, unknown]>([
  ['no spec', undefined],
  ['a spec of another type', 'x'],
  ['an empty holder', { holderIdentity: '', leaseDurationSeconds: 15 }],
  ['a holder of another type', { holderIdentity: 7 }],
  ['a negative duration', { holderIdentity: 'z', leaseDurationSeconds: -5 }],
  ['a duration of years', { holderIdentity: 'z', leaseDurationSeconds: 2_147_483_647 }],
  ['a duration that is text', { holderIdentity: 'z', leaseDurationSeconds: 'x' }],
  ['a renewal far in the future', { holderIdentity: 'z', renewTime: '9999-12-31T23:59:59.000000Z' }],
  ['the most transitions', { holderIdentity: 'z', leaseTransitions: 2_147_483_647, acquireTime: 'x' }],
])(
  'a lease with %s is taken over once it does not change, with fields that a server accepts',
  async (_, spec) => {
    const { clock, server } = world();
    server.lease = { metadata: { resourceVersion: '0' }, ...(spec !== undefined && { spec }) } as Lease;
    const process = new Process('a', now);
    await clock.advance(70_000);
    expect(process.leading).toBe(true);
    expect(server.lease.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15 });
    const { leaseTransitions, acquireTime } = server.lease.spec as unknown as {
      leaseTransitions: number;
      acquireTime: string;
    };
    expect(leaseTransitions).toBeLessThanOrEqual(2_147_483_647);
    expect(Date.parse(acquireTime)).toBeGreaterThan(0);
  },
);

test.each([-5, 0, 1, 0.5])(
  'a holder that renews with a duration of %d s keeps the lease',
  async (seconds) => {
    const { clock, server } = world();
    server.put({ holderIdentity: 'z', leaseDurationSeconds: seconds, renewTime: '0' });
    const process = new Process('a', now);
    for (let renewal = 1; renewal < 10; renewal += 1) {
      await clock.advance(5_000);
      expect(process.turns).toBe(0);
      server.put({ holderIdentity: 'z', leaseDurationSeconds: seconds, renewTime: String(renewal) });
    }
  },
);
