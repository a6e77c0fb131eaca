/** A Marathon with many apps, and a controller that follows it: from its events to the kernel in memory. */

import { expect } from '@jest/globals';
import { Sources } from '../../../../controller/loop/sources.ts';
import type { PassStatus } from '../../../../controller/pass-status.ts';
import { LastGood } from '../../../../controller/source/last-good.ts';
import type { MarathonClient } from '../../../../controller/source/marathon/client.ts';
import { MarathonFollower } from '../../../../controller/source/marathon/follower.ts';
import { MarathonReader } from '../../../../controller/source/marathon/reader.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { SILENT_OBSERVER } from '../../../support/silent-observer.ts';
import { type Controller, World } from '../../../support/world.ts';
import { namesOf, TestListener } from '../support.ts';

export const APPS = 20;
const TICK_MS = 100;

export type AppJson = Readonly<Record<string, unknown>> | null;
export const task = (i: number, t: number, fields: object = {}) => ({
  id: `${i}.${t}`,
  host: `10.0.${i}.${t}`,
  state: 'TASK_RUNNING',
  ports: [31_000],
  ...fields,
});
export const appOf = (i: number, tasks: readonly object[]): AppJson => ({
  id: `/${i}`,
  cmd: 'x',
  portDefinitions: [{ labels: { VIP_0: `web${i}:80` } }],
  tasks,
});
export const healthy = (i: number) => appOf(i, [task(i, 1), task(i, 2)]);
export const loading = (i: number) => appOf(i, []);

/** Twenty apps with a VIP and two tasks each, behind a Marathon that does what a test says. */
export class Cluster {
  readonly #clock = new FakeClock();
  readonly #world = new World(this.#clock);
  readonly #controller: Controller = this.#world.start();
  readonly listener = new TestListener();
  readonly #sources = new Sources(
    [{ name: 'marathon', follow: async () => undefined, read: () => Promise.reject(new Error('not read')) }],
    SILENT_OBSERVER,
    this.#controller.reconciler.inventory,
  );
  readonly #stop = new AbortController();
  #stream: ReadableStreamDefaultController<Uint8Array> | null = null;
  #following: Promise<void> | undefined;
  /** What Marathon answers about an app; null: it does not know it. */
  answerOf: (i: number) => AppJson = healthy;
  info: object = { version: '1.11.24' };
  /** Marathon answers nothing but errors; no stream opens. */
  isDown = false;
  refusesStreams = false;
  /** The paths of all requests. */
  readonly requests: string[] = [];
  last: PassStatus | undefined;

  /** Starts to follow. `maxDirty` as in `MarathonSourceOptions`. */
  async start({ maxDirty = 50, framework = 'marathon' as string | undefined } = {}): Promise<void> {
    const clock = this.#clock;
    const open = async () => {
      if (this.isDown || this.refusesStreams) throw new Error('answered 503');
      return new ReadableStream<Uint8Array>({
        start: (stream) => {
          this.#stream = stream;
        },
      });
    };
    const send = () => Promise.reject(new Error('a source never writes'));
    const get = this.#get.bind(this);
    const client = { name: 'marathon', servers: [], get, stream: open, send } as MarathonClient;
    const options = { client, clock, resolver: namesOf(), framework, inFlight: 4, healthHoldMs: 0 };
    this.#following = new MarathonFollower({
      client,
      clock,
      listener: this.listener,
      unreadable: () => undefined,
      createReader: (callbacks) =>
        new MarathonReader({ ...options, lastGood: new LastGood('marathon'), ...callbacks }),
      inFlight: 4,
      relistMs: 300_000,
      restMs: 50,
      maxDirty,
      spreadMs: 1_000,
      eventSilenceMs: 6_000_000,
      random: () => 0.9,
    }).run(this.#stop.signal);
    await this.advance(TICK_MS);
    this.tell('event_stream_attached', {});
    await this.advance(3_000);
    expect(this.inRotation).toBe(2 * APPS);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.loseStream();
    await this.#clock.advance(600_000);
    await this.#following;
  }

  async #get(path: string, _signal: AbortSignal, parse?: (body: Buffer) => unknown): Promise<unknown> {
    this.requests.push(path);
    const [, kind = '', id] = /^\/v2\/(\w+)\/?(\d*)/.exec(path) ?? [];
    const isList = kind === 'apps' && !id;
    await this.#clock.sleep(isList ? 200 : 20);
    if (this.isDown) throw new Error('answered 503');
    const all = Array.from({ length: APPS }, (_, i) => this.answerOf(i)).filter((each) => each !== null);
    const lists: Readonly<Record<string, unknown>> = { info: this.info, apps: { apps: all }, pods: [] };
    const one = id ? this.answerOf(Number(id)) : null;
    const answer = id ? (one && kind === 'apps' ? { app: one } : null) : lists[kind];
    return parse === undefined ? answer : parse(Buffer.from(JSON.stringify(answer)));
  }

  tell(event: string, data: object): void {
    this.#stream?.enqueue(Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  }

  /** Marathon reports the state of a task of each of the first `apps` apps. */
  tellStates(t: number, taskStatus: string, apps = APPS): void {
    for (let i = 0; i < apps; i += 1)
      this.tell('status_update_event', { appId: `/${i}`, taskId: `${i}.${t}`, taskStatus });
  }

  loseStream(): void {
    this.#stream?.close();
    this.#stream = null;
  }

  /** Time passes, and each delta makes a pass. */
  async advance(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      await this.#clock.advance(TICK_MS);
      const deltas = this.listener.deltas.splice(0);
      for (const delta of deltas) this.#sources.read('marathon', delta);
      if (deltas.length === 0) continue;
      const gone = this.#sources.takeEnded().endpoints;
      const request = { full: false, complete: this.#sources.complete, changesSince: [], gone };
      this.last = await this.#controller.reconciler.pass(request);
    }
  }

  get inRotation(): number {
    return [...this.#world.kernel.values()]
      .flatMap(({ backends }) => [...backends.values()])
      .filter(({ weight }) => weight > 0).length;
  }

  get vips(): number {
    return this.#world.kernel.size;
  }

  /** Waits for the next connection to the event stream. */
  async streamBack(): Promise<void> {
    for (let tries = 0; tries < 600 && this.#stream === null; tries += 1) await this.advance(TICK_MS);
    this.tell('event_stream_attached', {});
  }

  /** Another Marathon leads, answers like this, and reports the tasks that it reconciles. */
  async changeLeader(answer: (i: number) => AppJson, ms: number): Promise<void> {
    this.answerOf = answer;
    this.loseStream();
    await this.streamBack();
    this.tellStates(1, 'TASK_RUNNING');
    await this.advance(ms);
  }
}
