import { messageOf } from '../../errors.ts';
import { ApiFailure } from '../../kubernetes/api-failure.ts';
import { elect } from '../../kubernetes/election.ts';
import { Reflector } from '../../kubernetes/reflector.ts';
import { collectionPath, MARATHON_APPS } from '../../kubernetes/resources.ts';
import { inTurns, Pace } from '../../pace.ts';
import type { PassStatus } from '../../pass-status.ts';
import type { Log } from '../../ports.ts';
import { same } from '../../same.ts';
import type { ReferenceBook } from '../../source/kubernetes/references.ts';
import { Latch } from '../../time.ts';
import { appStatus, idOf } from './app-status.ts';
import { DueObjects } from './due-objects.ts';
import { factsOf, NO_FACTS, type PassFacts, sameFacts } from './pass-facts.ts';
import { publish, type StatusApiOptions, writeStatus } from './status-api.ts';
import { readStatusObject, type StatusObject } from './status-object.ts';
import { type TrafficFacts, trafficNews, trafficOf } from './traffic-news.ts';

export interface StatusWriterOptions extends StatusApiOptions {
  readonly log: Log;
  /** Of the MarathonApps; null: all. */
  readonly namespace: string | null;
  readonly random: () => number;
  /** What the source of these objects found of what they refer to. */
  readonly references: ReferenceBook;
}

/** Name of the Lease, in our own namespace. */
export const STATUS_LEASE = 'marathon-ipvs-status';
/** The status of one object is written again only after this: each write goes to all hosts that watch it. */
const REST_MS = 10_000;
/** How long the leader waits for news at the most. */
const LOOK_MS = 5_000;
/** Objects that are written at once. */
const IN_FLIGHT = 4;
/** How long a pass is waited for that knows a change of an object. One that changes nothing for the kernel brings none. */
const PASS_MS = 5_000;

/**
 * Writes the status of MarathonApps, where this host is elected to: what this host's own kernel has, after each of
 * its passes. Only what changed is looked at and written. What turns for the worse, and that an object has become
 * ready, are Events too.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  #pass: PassStatus | null = null;
  #term: Term | null = null;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    options.references.changed = (key) => this.#term?.look(key);
  }

  /** Takes note of a pass; what follows of it is written later. */
  passed(pass: PassStatus): void {
    this.#pass = pass;
    this.#term?.passed(pass);
  }

  /** Stands for election, and writes while elected; resolves when `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const election = { ...this.#options, namespace: client.namespace, name: STATUS_LEASE };
    await elect(election, (leading) => this.#lead(leading), signal);
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const term = new Term(this.#options);
    if (this.#pass !== null) term.passed(this.#pass);
    this.#term = term;
    try {
      await term.run(signal);
    } finally {
      this.#term = null;
    }
  }
}

/** What is known and done while this host is elected. A change costs as much as the objects that it concerns. */
class Term {
  readonly #options: StatusWriterOptions;
  readonly #reflector: Reflector<StatusObject>;
  readonly #news = new Latch<'pass' | 'object'>();
  readonly #due = new DueObjects();
  /** Keys of the objects, by the id of the app that they declare. */
  readonly #byApp = new Map<string, Set<string>>();
  readonly #writtenAt = new Map<string, number>();
  /** What was last told of its traffic; nothing is told of how it was found. */
  readonly #traffic = new Map<string, TrafficFacts>();
  /** When the newest generation of an object was learnt of. */
  readonly #learnt = new Map<string, { readonly generation: number | undefined; readonly at: number }>();
  /** Objects that a pass is waited for with. */
  readonly #ahead = new Set<string>();
  #inStep = false;
  #pass: PassStatus | null = null;
  /** The pass that `#facts` are of. */
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
        changed: (before, now) => this.#learn(before, now),
        behind: () => {
          this.#inStep = false;
        },
        inStep: () => {
          this.#inStep = true;
          this.#news.set('object');
        },
        failed: (error) =>
          log.debug('MarathonApps cannot be read for their status', { error: messageOf(error) }),
      },
    });
  }

  passed(pass: PassStatus): void {
    this.#pass = pass;
    this.#news.set('pass');
  }

  /** Something changed that the status of this object depends on. */
  look(key: string): void {
    this.#due.add(key);
    this.#news.set('object');
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const following = this.#reflector.run(signal);
    while (!signal.aborted) {
      await this.#news.wait(LOOK_MS, clock, signal);
      this.#news.take();
      if (!this.#inStep || this.#pass === null) continue;
      await this.#compare(this.#pass);
      this.#due.release(clock.monotonic());
      await Promise.all(Array.from({ length: IN_FLIGHT }, () => this.#writeDue(signal)));
    }
    await following;
  }

  #learn(before: StatusObject | null, now: StatusObject | null): void {
    if (before !== null && (now === null || idOf(before) !== idOf(now))) this.#unlink(before);
    if (now === null) {
      if (before === null) return;
      for (const known of [this.#learnt, this.#writtenAt, this.#traffic, this.#ahead])
        known.delete(before.key);
      return;
    }
    const { key, generation } = now;
    this.#byApp.set(idOf(now), (this.#byApp.get(idOf(now)) ?? new Set()).add(key));
    if (this.#learnt.get(key)?.generation !== generation)
      this.#learnt.set(key, { generation, at: this.#options.clock.monotonic() });
    this.look(key);
  }

  #unlink(object: StatusObject): void {
    const keys = this.#byApp.get(idOf(object));
    keys?.delete(object.key);
    if (keys?.size === 0) this.#byApp.delete(idOf(object));
  }

  /** Finds what a pass says, and makes due the objects of which it says something else than the one before. */
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

  /** Whether the pass may not know this generation yet: as its status it would pass for what the change has brought. */
  #isAhead({ key, generation, status }: StatusObject, { startedAt }: PassStatus): boolean {
    const learnt = this.#learnt.get(key);
    if (learnt === undefined || status.observedGeneration === generation) return false;
    return startedAt < learnt.at && this.#options.clock.monotonic() - learnt.at < PASS_MS;
  }

  async #writeDue(signal: AbortSignal): Promise<void> {
    const pace = new Pace();
    // What a newer pass says counts for the others.
    while (!signal.aborted && this.#pass === this.#known) {
      const key = this.#due.take();
      if (key === undefined) return;
      const object = this.#reflector.objects.get(key);
      if (object !== undefined && this.#known !== null) await this.#consider(object, this.#known, signal);
      await pace.restIfDue();
    }
  }

  async #consider(object: StatusObject, pass: PassStatus, signal: AbortSignal): Promise<void> {
    const { clock, log, references } = this.#options;
    const { key } = object;
    const now = clock.monotonic();
    if (this.#isAhead(object, pass)) {
      this.#ahead.add(key);
      this.#due.postpone(key, (this.#learnt.get(key)?.at ?? now) + PASS_MS);
      return;
    }
    const facts = this.#facts.get(idOf(object)) ?? NO_FACTS;
    const evidence = { facts, passError: pass.error, references: references.of(key) };
    const status = appStatus(object, evidence, object.status, rfc3339(clock.epoch()));
    const traffic = trafficOf(facts);
    const news = trafficNews(this.#traffic.get(key) ?? traffic, traffic, this.#options.identity);
    const isWritten = same(status, object.status);
    if (isWritten && news.length === 0) {
      this.#traffic.set(key, traffic);
      return;
    }
    const rested = (this.#writtenAt.get(key) ?? Number.NEGATIVE_INFINITY) + REST_MS;
    if (now < rested) {
      this.#due.postpone(key, rested);
      return;
    }
    this.#writtenAt.set(key, now);
    try {
      if (!isWritten) await writeStatus(this.#options, object, status, signal);
      this.#traffic.set(key, traffic);
      await publish(this.#options, object, news, signal);
    } catch (error) {
      this.#due.postpone(key, now + REST_MS);
      // Gone meanwhile, or changed by a newer leader: the watch tells.
      const expected = error instanceof ApiFailure && (error.status === 404 || error.status === 409);
      if (!expected && !signal.aborted)
        log.warn('status not written', { object: key, error: messageOf(error) });
    }
  }
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
