import { isEmpty } from '../../delta.ts';
import { ControllerError } from '../../errors.ts';
import { asError } from '../../http/retry.ts';
import type { App, AppKey } from '../../model.ts';
import { Pace } from '../../pace.ts';
import type { Clock, Resolver, SourceListener } from '../../ports.ts';
import { Latch } from '../../time.ts';
import { Feed } from '../feed.ts';
import { reconnect } from '../stream.ts';
import { AddressBook } from './addresses.ts';
import type { MesosClient } from './client.ts';
import { Cluster } from './cluster.ts';
import { RECHECK_MS } from './recovering-agents.ts';
import type { MesosState } from './state.ts';
import { followSubscription, type SubscriptionOptions } from './subscription.ts';

export interface FollowerOptions {
  readonly client: MesosClient;
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly listener: SourceListener;
  readonly maxRecordBytes: number;
  readonly silenceMs: number;
  readonly retry: { readonly firstMs: number; readonly lastMs: number };
  readonly random: () => number;
}

/** How often the addresses of agents are asked for anew, and a quiet cluster is said to be as it was. */
const REFRESH_MS = 30_000;

/**
 * Keeps up with a Mesos: one half follows its events and changes the cluster by them, the other tells what it has
 * become. There is no way to resume a subscription: each begins with everything.
 */
export class MesosFollower {
  readonly #options: FollowerOptions;
  readonly #cluster: Cluster;
  readonly #book: AddressBook;
  readonly #wake = new Latch<'changed' | 'moved'>();
  /** While the cluster goes over from one state to another, which takes many turns. */
  #replacing: Promise<void> | null = null;
  /** When the first change that has not been told was learnt of. */
  #since: number | null = null;
  /** Whether what has not been told yet includes a list, so that absence from it is a reason to end. */
  #whole = false;
  #told = Number.NEGATIVE_INFINITY;
  #heard = Number.NEGATIVE_INFINITY;
  #refreshed = Number.NEGATIVE_INFINITY;
  readonly #feed = new Feed();
  /** What became of the apps that changed since the feed was told. */
  readonly #changes = new Map<AppKey, App | null>();
  #blind = '';

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#cluster = new Cluster(`mesos=${options.client.name}`);
    this.#book = new AddressBook(options.resolver);
  }

  /** Follows until `signal` aborts, and resolves then. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#tell(signal), this.#checkAgents(signal)]);
  }

  #follow(signal: AbortSignal): Promise<void> {
    const { client, clock, listener, maxRecordBytes, silenceMs, retry, random } = this.#options;
    const subscription: SubscriptionOptions = {
      client,
      clock,
      maxRecordBytes,
      silenceMs,
      state: (state) => {
        this.#replacing = this.#replace(state);
        return this.#replacing;
      },
      event: (event) => {
        this.#cluster.apply(event, clock.monotonic());
        this.#changed();
      },
      heard: () => {
        this.#heard = clock.monotonic();
      },
    };
    const failed = (error: Error) => listener.failed(error);
    return reconnect(
      () => followSubscription(subscription, signal),
      { clock, random, retry, failed },
      signal,
    );
  }

  /** After a failover: finds out which agents the master has given up, of which it sends no event. */
  async #checkAgents(signal: AbortSignal): Promise<void> {
    const { client, clock, listener, random } = this.#options;
    while (!signal.aborted) {
      // Every host saw the failover at the same moment.
      await clock.sleep(RECHECK_MS * (0.5 + random()), signal);
      if (clock.monotonic() < this.#cluster.recovering.nextCheck) continue;
      try {
        const list = await client.getAgents(signal);
        await this.#replacing;
        if (!this.#cluster.checkAgents(list, clock.monotonic())) continue;
        this.#whole = true;
        this.#changed();
      } catch (error) {
        if (!signal.aborted) listener.failed(asError(error));
      }
    }
  }

  async #replace(state: MesosState): Promise<void> {
    await this.#cluster.replace(state, this.#options.clock.monotonic(), new Pace());
    this.#whole = true;
    this.#replacing = null;
    this.#changed();
  }

  #changed(): void {
    this.#since ??= this.#options.clock.monotonic();
    this.#wake.set('changed');
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await this.#wake.wait(Math.max(0, this.#nextLook() - clock.monotonic()), clock, signal);
      // Half of one state and half of another is a part of the truth.
      await this.#replacing;
      if (signal.aborted) return;
      const changed = this.#wake.take().size > 0;
      const now = clock.monotonic();
      if (this.#cluster.expire(now)) {
        this.#whole = true;
        this.#since ??= now;
      }
      await this.#resolve(now, signal);
      const quiet = this.#heard > this.#told && now - this.#told >= REFRESH_MS;
      if ((changed || this.#since !== null || (quiet && this.#feed.isListed)) && !this.#isBlind(now))
        await this.#tellAll(signal);
    }
  }

  #nextLook(): number {
    const expiry = this.#cluster.nextExpiry() ?? Number.POSITIVE_INFINITY;
    const blind = (this.#feed.isListed ? null : this.#cluster.recovering.until) ?? Number.POSITIVE_INFINITY;
    const regular = this.#options.clock.monotonic() + REFRESH_MS;
    return Math.min(expiry, blind, regular);
  }

  /**
   * Finds out where agents are: before anything is told the first time this is waited for, since a state without
   * addresses would look like backends that ended.
   */
  async #resolve(now: number, signal: AbortSignal): Promise<void> {
    const named = this.#cluster.takeNamedHosts();
    const due = now - this.#refreshed >= REFRESH_MS;
    const wanted = due ? this.#cluster.hosts : this.#book.unknown(named);
    if (wanted.size === 0) return;
    if (due) {
      this.#refreshed = now;
      this.#book.prune(wanted);
    }
    const resolving = this.#book.refresh(wanted).then((moved) => {
      this.#cluster.moved(moved);
      return moved.size > 0;
    });
    if (!this.#whole) {
      void resolving.then((moved) => {
        if (moved && !signal.aborted) this.#wake.set('moved');
      });
      return;
    }
    await resolving;
    // Another state may have come meanwhile.
    await this.#resolve(now, signal);
  }

  /** Without a word of before, a state that lacks agents would be a part of the truth. */
  #isBlind(now: number): boolean {
    if (this.#feed.isListed) return false;
    const until = this.#cluster.recovering.until;
    if (until === null || until <= now) return false;
    const missing = this.#cluster.recovering.hosts.join(', ');
    if (missing !== this.#blind) {
      const what = `a new master leads, and these agents have not come back to it: ${missing}; what runs there is not known`;
      this.#options.listener.failed(new ControllerError('source', `${this.#options.client.name}: ${what}`));
    }
    this.#blind = missing;
    return true;
  }

  async #tellAll(signal: AbortSignal): Promise<void> {
    const { clock, listener } = this.#options;
    const since = this.#since ?? clock.monotonic();
    this.#since = null;
    const pace = new Pace();
    const about = await this.#cluster.take(this.#changes, this.#book.addresses, pace);
    await this.#feed.compareInTurns(this.#changes, pace);
    if (signal.aborted) return;
    if (this.#replacing !== null) {
      // Its end wakes us.
      this.#since = since;
      return;
    }
    // Only now: a state that came meanwhile is in the changes too.
    const complete = this.#whole;
    const delta = this.#feed.update(this.#changes, { complete, learnedAt: since, about });
    this.#changes.clear();
    if (delta === null) return;
    if (!complete && isEmpty(delta) && clock.monotonic() - this.#told < REFRESH_MS) return;
    this.#whole = false;
    this.#told = clock.monotonic();
    listener.changed(delta);
  }
}
