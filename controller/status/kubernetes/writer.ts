import { delayAfter, withJitter } from '../../backoff.ts';
import { same } from '../../compare.ts';
import { messageOf } from '../../errors.ts';
import { ApiFailure } from '../../kubernetes/api-failure.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { elect } from '../../kubernetes/election.ts';
import { Reflector } from '../../kubernetes/reflector.ts';
import { collectionPath, MARATHON_APPS } from '../../kubernetes/resources.ts';
import { retryAfterOf } from '../../kubernetes/throttle.ts';
import { inTurns, Pace } from '../../pace.ts';
import type { PassStatus } from '../../pass-status.ts';
import type { Log } from '../../ports.ts';
import type { ReferenceBook } from '../../source/kubernetes/references.ts';
import { Latch } from '../../time.ts';
import { appStatus, idOf } from './app-status.ts';
import { DueObjects } from './due-objects.ts';
import { factsOf, NO_FACTS, type PassFacts, sameFacts } from './pass-facts.ts';
import { publish, type StatusApiOptions, writeStatus } from './status-api.ts';
import { readStatusObject, type StatusObject } from './status-object.ts';
import { type TrafficFacts, trafficEvents, trafficOf } from './traffic-events.ts';

/** What the status describes, and where it is written. */
export interface StatusWriterOptions extends StatusApiOptions {
  readonly log: Log;
  /** The namespace of the MarathonApps; null for all. */
  readonly namespace: string | null;
  readonly random: () => number;
  /** Whether the endpoints and ports that the objects refer to exist, as their source found. */
  readonly references: ReferenceBook;
}

/** Name of the Lease, in the controller's own namespace. */
export const STATUS_LEASE = 'marathon-ipvs-status';
/** Minimum interval between writes to one object: each write goes to every host that watches it. */
const MIN_INTERVAL_MS = 10_000;
/** The delays after successive failed writes of one object, besides jitter. */
const RETRY = { firstMs: MIN_INTERVAL_MS, limitMs: 300_000 };
/** How often the leader checks for due objects if nothing wakes it. */
const POLL_MS = 5_000;
/** Concurrent writes. */
const IN_FLIGHT = 4;
/** How long to wait for a pass that knows a changed object. A change that does not affect the kernel causes no pass. */
const PASS_MS = 5_000;

/**
 * Writes the status of MarathonApps while this host is the elected leader. The status is that of this host's kernel after
 * each of its passes. Only changed objects are written. New problems, and an object becoming ready, are also published as
 * Events.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  #pass: PassStatus | null = null;
  #term: Term | null = null;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    options.references.changed = (key) => this.#term?.markDue(key);
  }

  /** Records a pass; its results are written in the background. */
  passed(pass: PassStatus): void {
    this.#pass = pass;
    this.#term?.passed(pass);
  }

  /** Stands for election, and writes while elected; resolves when `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const election = { ...this.#options, namespace: client.namespace, name: STATUS_LEASE };
    await elect(election, (leading, writing) => this.#lead(writing, leading), signal);
  }

  async #lead(client: KubernetesClient, signal: AbortSignal): Promise<void> {
    const term = new Term({ ...this.#options, client });
    if (this.#pass !== null) term.passed(this.#pass);
    this.#term = term;
    try {
      await term.run(signal);
    } finally {
      this.#term = null;
    }
  }
}

/** One term as the leader. The cost of a change is proportional to the number of objects that it concerns. */
class Term {
  readonly #options: StatusWriterOptions;
  readonly #reflector: Reflector<StatusObject>;
  readonly #wakeUp = new Latch<'pass' | 'object'>();
  readonly #due = new DueObjects();
  /** Keys of the objects, by the id of the app that they declare. */
  readonly #byApp = new Map<string, Set<string>>();
  readonly #writtenAt = new Map<string, number>();
  /** Objects whose last write failed. */
  readonly #retries = new Map<string, { readonly failures: number; readonly due: number }>();
  /** The traffic last published in Events; what is found first is only the baseline. */
  readonly #traffic = new Map<string, TrafficFacts>();
  /** When the newest generation of an object was first seen. */
  readonly #seen = new Map<string, { readonly generation: number | undefined; readonly at: number }>();
  /** Objects that are newer than the last pass, and wait for the next one. */
  readonly #ahead = new Set<string>();
  #inStep = false;
  #pass: PassStatus | null = null;
  /** The pass that `#facts` belong to. */
  #known: PassStatus | null = null;
  #facts: PassFacts = new Map();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    const { client, clock, log, namespace, random } = options;
    this.#reflector = new Reflector<StatusObject>({
      client,
      clock,
      random,
      path: collectionPath(MARATHON_APPS, namespace),
      project: readStatusObject,
      silenceMs: 150_000,
      listener: {
        changed: (before, now) => this.#update(before, now),
        behind: () => {
          this.#inStep = false;
        },
        inStep: () => {
          this.#inStep = true;
          this.#wakeUp.set('object');
        },
        unread: (objects) => {
          for (const { key, reason } of objects)
            log.warn('status not written: the object cannot be read', { object: key, error: reason });
        },
        failed: (error) =>
          log.debug('cannot read MarathonApps to write their status', { error: messageOf(error) }),
      },
    });
  }

  passed(pass: PassStatus): void {
    this.#pass = pass;
    this.#wakeUp.set('pass');
  }

  /** Makes an object due, because something that its status depends on has changed. */
  markDue(key: string): void {
    this.#due.add(key);
    this.#wakeUp.set('object');
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const following = this.#reflector.run(signal);
    while (!signal.aborted) {
      await this.#wakeUp.wait(POLL_MS, clock, signal);
      this.#wakeUp.take();
      if (!this.#inStep || this.#pass === null) continue;
      await this.#compare(this.#pass);
      this.#due.release(clock.monotonic());
      await Promise.all(Array.from({ length: IN_FLIGHT }, () => this.#writeDue(signal)));
    }
    await following;
  }

  #update(before: StatusObject | null, now: StatusObject | null): void {
    if (before !== null && (now === null || idOf(before) !== idOf(now))) this.#unlink(before);
    if (now === null) {
      if (before === null) return;
      for (const known of [this.#seen, this.#writtenAt, this.#retries, this.#traffic, this.#ahead])
        known.delete(before.key);
      return;
    }
    const { key, generation } = now;
    this.#byApp.set(idOf(now), (this.#byApp.get(idOf(now)) ?? new Set()).add(key));
    if (this.#seen.get(key)?.generation !== generation) {
      this.#seen.set(key, { generation, at: this.#options.clock.monotonic() });
      this.#retries.delete(key);
    }
    this.markDue(key);
  }

  #unlink(object: StatusObject): void {
    const keys = this.#byApp.get(idOf(object));
    keys?.delete(object.key);
    if (keys?.size === 0) this.#byApp.delete(idOf(object));
  }

  /** Makes the objects due whose results differ from those of the previous pass. */
  async #compare(pass: PassStatus): Promise<void> {
    const before = this.#known;
    if (pass === before) return;
    const facts = await inTurns(factsOf(pass));
    const pace = new Pace();
    for (const [app, keys] of this.#byApp) {
      const changed = pass.error !== before?.error || !sameFacts(this.#facts.get(app), facts.get(app));
      if (changed) for (const key of keys) this.#due.add(key);
      await pace.restIfDue();
    }
    for (const key of this.#ahead) this.#due.add(key);
    this.#ahead.clear();
    this.#known = pass;
    this.#facts = facts;
  }

  /** Whether the pass may predate this generation: its results would wrongly appear as the effect of the change. */
  #isAhead({ key, generation, status }: StatusObject, { startedAt }: PassStatus): boolean {
    const seen = this.#seen.get(key);
    if (seen === undefined || status.observedGeneration === generation) return false;
    return startedAt < seen.at && this.#options.clock.monotonic() - seen.at < PASS_MS;
  }

  async #writeDue(signal: AbortSignal): Promise<void> {
    const pace = new Pace();
    // Stops when a newer pass arrives: its results count for the rest.
    while (!signal.aborted && this.#pass === this.#known) {
      const key = this.#due.take();
      if (key === undefined) return;
      const object = this.#reflector.objects.get(key);
      if (object !== undefined && this.#known !== null)
        await this.#writeIfChanged(object, this.#known, signal);
      await pace.restIfDue();
    }
  }

  async #writeIfChanged(object: StatusObject, pass: PassStatus, signal: AbortSignal): Promise<void> {
    const { clock, log, references } = this.#options;
    const { key } = object;
    const now = clock.monotonic();
    if (this.#isAhead(object, pass)) {
      this.#ahead.add(key);
      this.#due.postpone(key, (this.#seen.get(key)?.at ?? now) + PASS_MS);
      return;
    }
    const facts = this.#facts.get(idOf(object)) ?? NO_FACTS;
    const evidence = { facts, passError: pass.error, references: references.of(key) };
    const status = appStatus(object, evidence, object.status, rfc3339(clock.epoch()));
    const traffic = trafficOf(facts);
    const events = trafficEvents(this.#traffic.get(key) ?? traffic, traffic, this.#options.identity);
    const isWritten = same(status, object.status);
    if (isWritten && events.length === 0) {
      this.#traffic.set(key, traffic);
      return;
    }
    const next = (this.#writtenAt.get(key) ?? Number.NEGATIVE_INFINITY) + MIN_INTERVAL_MS;
    const dueAt = Math.max(next, this.#retries.get(key)?.due ?? next);
    if (now < dueAt) {
      this.#due.postpone(key, dueAt);
      return;
    }
    this.#writtenAt.set(key, now);
    try {
      if (!isWritten) await writeStatus(this.#options, object, status, signal);
      this.#traffic.set(key, traffic);
      await publish(this.#options, object, events, signal);
      this.#retries.delete(key);
    } catch (error) {
      this.#due.postpone(key, this.#retryAt(key, error));
      // The object is gone, or a newer leader changed it: the watch will report it.
      const expected = error instanceof ApiFailure && (error.status === 404 || error.status === 409);
      if (!expected && !signal.aborted)
        log.warn('status not written', { object: key, error: messageOf(error) });
    }
  }

  /** Records a failed write. Returns when it is due again: later after each failure, and no sooner than the server asks. */
  #retryAt(key: string, error: unknown): number {
    const { clock, random } = this.#options;
    const failures = (this.#retries.get(key)?.failures ?? 0) + 1;
    // Somebody else wrote it at the same time: the watch has it by now.
    const isConflict = error instanceof ApiFailure && error.status === 409;
    if (isConflict && failures === 1) {
      this.#retries.set(key, { failures, due: clock.monotonic() });
      this.#writtenAt.delete(key);
      return clock.monotonic();
    }
    const delay = Math.max(delayAfter(failures, RETRY), retryAfterOf(error) ?? 0);
    const due = clock.monotonic() + withJitter(delay, random, 0.2);
    this.#retries.set(key, { failures, due });
    return due;
  }
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
