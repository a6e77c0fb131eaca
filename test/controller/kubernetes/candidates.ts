/** A lease, its API server and the processes that want it, for the tests of the election. */

import { afterEach } from '@jest/globals';
import { ApiFailure } from '../../../controller/kubernetes/api-failure.ts';
import type { KubernetesClient } from '../../../controller/kubernetes/client.ts';
import { elect } from '../../../controller/kubernetes/election.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** As the API server keeps it. */
export interface Lease {
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

export function failure(status: number, reason: string): ApiFailure {
  return new ApiFailure('call', { status, body: { reason }, retryAfter: undefined });
}

const running: Promise<void>[] = [];
export let now: { stop: AbortController; clock: FakeClock; server: Server };

export function world() {
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
export class Process {
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
export async function leadsFor(process: Process, clock: FakeClock, most = 60): Promise<number> {
  for (let second = 0; second < most; second += 1) {
    if (!process.leading) return second;
    await clock.advance(1_000);
  }
  return most;
}
