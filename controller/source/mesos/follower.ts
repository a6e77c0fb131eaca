import type { BackoffOptions } from '../../backoff.ts';
import { asError, ControllerError } from '../../errors.ts';
import type { App, AppKey } from '../../model/app.ts';
import { isEmpty } from '../../model/delta.ts';
import { Pace } from '../../pace.ts';
import type { Clock, Resolver, SourceListener } from '../../ports.ts';
import { Latch } from '../../time.ts';
import { Feed } from '../feed.ts';
import type { LastGood } from '../last-good.ts';
import { reconnect } from '../stream.ts';
import { AddressCache } from './address-cache.ts';
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
  readonly retry: BackoffOptions;
  readonly random: () => number;
  readonly lastGood: LastGood;
}

/** How often the addresses of agents are resolved again, and an unchanged state is published, so that its age stays known. */
const REFRESH_MS = 30_000;

/**
 * Follows a Mesos: one half applies its events to the cluster, the other publishes what changed. There is no way to resume
 * a subscription: each begins with the whole state.
 */
export class MesosFollower {
  readonly #options: FollowerOptions;
  readonly #cluster: Cluster;
  readonly #addresses: AddressCache;
  readonly #wake = new Latch<'changed' | 'moved'>();
  /** Set while the cluster changes from one state to another, which takes many turns of the event loop. */
  #replacing: Promise<void> | null = null;
  /** When the first change arrived that has not been published. */
  #changedAt: number | null = null;
  /** Whether the unpublished changes include a list, so that absence from it is a reason to end. */
  #hasList = false;
  #publishedAt = Number.NEGATIVE_INFINITY;
  #receivedAt = Number.NEGATIVE_INFINITY;
  #refreshed = Number.NEGATIVE_INFINITY;
  readonly #feed = new Feed();
  /** Apps that changed since the feed was updated. */
  readonly #changes = new Map<AppKey, App | null>();
  #reportedMissing = '';

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#cluster = new Cluster(`mesos=${options.client.name}`, options.lastGood);
    this.#addresses = new AddressCache(options.resolver);
  }

  /** Follows until `signal` aborts, and resolves then. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#publish(signal), this.#checkAgents(signal)]);
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
      received: () => {
        this.#receivedAt = clock.monotonic();
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
        this.#hasList = true;
        this.#changed();
      } catch (error) {
        if (!signal.aborted) listener.failed(asError(error));
      }
    }
  }

  async #replace(state: MesosState): Promise<void> {
    await this.#cluster.replace(state, this.#options.clock.monotonic(), new Pace());
    this.#hasList = true;
    this.#replacing = null;
    this.#changed();
  }

  #changed(): void {
    this.#changedAt ??= this.#options.clock.monotonic();
    this.#wake.set('changed');
  }

  async #publish(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await this.#wake.wait(Math.max(0, this.#nextWake() - clock.monotonic()), clock, signal);
      // Half of one state and half of another is a part of the truth.
      await this.#replacing;
      if (signal.aborted) return;
      const changed = this.#wake.take().size > 0;
      const now = clock.monotonic();
      if (this.#cluster.expire(now)) {
        this.#hasList = true;
        this.#changedAt ??= now;
      }
      await this.#resolve(now, signal);
      const quiet = this.#receivedAt > this.#publishedAt && now - this.#publishedAt >= REFRESH_MS;
      if ((changed || this.#changedAt !== null || (quiet && this.#feed.isListed)) && !this.#isIncomplete(now))
        await this.#publishDelta(signal);
    }
  }

  #nextWake(): number {
    const expiry = this.#cluster.nextExpiry() ?? Number.POSITIVE_INFINITY;
    const incomplete =
      (this.#feed.isListed ? null : this.#cluster.recovering.until) ?? Number.POSITIVE_INFINITY;
    const regular = this.#options.clock.monotonic() + REFRESH_MS;
    return Math.min(expiry, incomplete, regular);
  }

  /**
   * Resolves the addresses of agents. The first delta waits for this, since a state without addresses would look like
   * backends that ended.
   */
  async #resolve(now: number, signal: AbortSignal): Promise<void> {
    const named = this.#cluster.takeNamedHosts();
    const due = now - this.#refreshed >= REFRESH_MS;
    const wanted = due ? this.#cluster.hosts : this.#addresses.unknown(named);
    if (wanted.size === 0) return;
    if (due) {
      this.#refreshed = now;
      this.#addresses.prune(wanted);
    }
    const resolving = this.#addresses.refresh(wanted).then((moved) => {
      this.#cluster.moved(moved);
      return moved.size > 0;
    });
    if (!this.#hasList) {
      void resolving.then((moved) => {
        if (moved && !signal.aborted) this.#wake.set('moved');
      });
      return;
    }
    await resolving;
    // Another state may have arrived meanwhile.
    await this.#resolve(now, signal);
  }

  /** Before the first delta, a state without the tasks of some agents would be a part of the truth. */
  #isIncomplete(now: number): boolean {
    if (this.#feed.isListed) return false;
    const until = this.#cluster.recovering.until;
    if (until === null || until <= now) return false;
    const missing = this.#cluster.recovering.hosts.join(', ');
    if (missing !== this.#reportedMissing) {
      const what = `a new master leads, and these agents have not come back to it: ${missing}; what runs there is not known`;
      this.#options.listener.failed(new ControllerError('source', `${this.#options.client.name}: ${what}`));
    }
    this.#reportedMissing = missing;
    return true;
  }

  async #publishDelta(signal: AbortSignal): Promise<void> {
    const { clock, listener } = this.#options;
    const since = this.#changedAt ?? clock.monotonic();
    this.#changedAt = null;
    const pace = new Pace();
    const about = await this.#cluster.take(this.#changes, this.#addresses.addresses, pace);
    await this.#feed.compareInTurns(this.#changes, pace);
    if (signal.aborted) return;
    if (this.#replacing !== null) {
      // Its end wakes the loop.
      this.#changedAt = since;
      return;
    }
    // Only now: a state that arrived meanwhile is in the changes too.
    const complete = this.#hasList;
    const delta = this.#feed.update(this.#changes, { complete, learnedAt: since, about });
    this.#changes.clear();
    if (delta === null) return;
    if (!complete && isEmpty(delta) && clock.monotonic() - this.#publishedAt < REFRESH_MS) return;
    this.#hasList = false;
    this.#publishedAt = clock.monotonic();
    listener.changed(delta);
  }
}
