import type { KubernetesClient } from '../../kubernetes/client.ts';
import { readSlice, type Slice } from '../../kubernetes/endpoint-slice.ts';
import type { Versioned } from '../../kubernetes/listing.ts';
import { type ChangeOrigin, Reflector, type ReflectorListener } from '../../kubernetes/reflector.ts';
import { ENDPOINT_SLICES, MARATHON_APPS } from '../../kubernetes/resources.ts';
import type { App, AppKey } from '../../model/app.ts';
import { Pace } from '../../pace.ts';
import type { Clock, SourceListener } from '../../ports.ts';
import { Latch } from '../../time.ts';
import { Feed } from '../feed.ts';
import type { LastGood } from '../last-good.ts';
import { Catalogue } from './catalogue.ts';
import { type DeclaredObject, readDeclaredObject } from './object.ts';
import type { ReferenceBook } from './references.ts';

/** The cluster to follow, and who learns of its changes. */
export interface FollowerOptions {
  readonly client: KubernetesClient;
  readonly paths: { readonly apps: string; readonly slices: string };
  readonly clock: Clock;
  readonly random: () => number;
  readonly listener: SourceListener;
  readonly gatherMs: number;
  readonly resyncMs: number;
  readonly watchSilenceMs: number;
  readonly references?: ReferenceBook | undefined;
  readonly lastGood: LastGood;
}

const KINDS = { apps: MARATHON_APPS.kind, slices: ENDPOINT_SLICES.kind };

/** Keeps the catalogue in sync with the API server, and publishes its changes while it is in sync. */
export class KubernetesFollower {
  readonly #options: FollowerOptions;
  readonly #catalogue: Catalogue;
  readonly #wake = new Latch<'changed' | 'in sync'>();
  readonly #inSync = { apps: false, slices: false };
  /** When the first unpublished change arrived. */
  #changedAt: number | null = null;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#catalogue = new Catalogue(options.references, options.lastGood);
  }

  /** Follows until `signal` aborts; then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { paths } = this.#options;
    const apps = this.#reflector<DeclaredObject>(
      'apps',
      paths.apps,
      readDeclaredObject,
      (before, now, origin) => this.#catalogue.objectChanged(before, now, origin),
    );
    const slices = this.#reflector<Slice>('slices', paths.slices, readSlice, (before, now, origin) =>
      this.#catalogue.sliceChanged(before, now, origin),
    );
    await Promise.all([apps.run(signal), slices.run(signal), this.#publish(signal)]);
  }

  #reflector<T extends Versioned>(
    which: 'apps' | 'slices',
    path: string,
    project: (json: unknown) => T,
    take: (before: T | null, now: T | null, origin: ChangeOrigin) => boolean,
  ): Reflector<T> {
    const { client, clock, random, watchSilenceMs: silenceMs } = this.#options;
    const listener: ReflectorListener<T> = {
      changed: (before, now, origin) => {
        if (!take(before, now, origin)) return;
        this.#changedAt ??= clock.monotonic();
        this.#wake.set('changed');
      },
      unread: (objects) => {
        this.#catalogue.setUnread(KINDS[which], objects);
        this.#changedAt ??= clock.monotonic();
        this.#wake.set('changed');
      },
      behind: () => {
        this.#inSync[which] = false;
      },
      inStep: () => {
        this.#inSync[which] = true;
        this.#wake.set('in sync');
      },
      failed: (error) => {
        this.#inSync[which] = false;
        this.#options.listener.failed(error);
      },
    };
    return new Reflector({ client, clock, path, project, listener, random, silenceMs });
  }

  async #publish(signal: AbortSignal): Promise<void> {
    const { clock, listener, gatherMs, resyncMs, random } = this.#options;
    const feed = new Feed();
    const pace = new Pace();
    /** Apps that changed since the last update of the feed. */
    const changes = new Map<AppKey, App | null>();
    /** Those of them that a list changed. */
    const listed = new Set<AppKey>();
    let restUntil = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      await this.#wake.wait(resyncMs * (0.9 + 0.2 * random()), clock, signal);
      // Changes that arrive in one packet are published together; after a quiet period, a change waits no longer than
      // that.
      await pace.rest();
      if (clock.monotonic() < restUntil) await clock.sleep(restUntil - clock.monotonic(), signal);
      this.#wake.take();
      if (signal.aborted || !this.#isInSync()) continue;
      const since = this.#changedAt ?? clock.monotonic();
      this.#changedAt = null;
      const about = await this.#catalogue.take(changes, pace, listed);
      await feed.compareInTurns(changes, pace);
      if (signal.aborted) continue;
      // Out of sync meanwhile: publish these changes with those of the next sync.
      if (!this.#isInSync()) {
        this.#changedAt = since;
        continue;
      }
      const delta = feed.update(changes, { complete: true, listed, learnedAt: since, about });
      changes.clear();
      listed.clear();
      restUntil = clock.monotonic() + gatherMs;
      if (delta !== null) listener.changed(delta);
    }
  }

  /** Only one kind in sync gives an incomplete state: what was last published stays. */
  #isInSync(): boolean {
    return this.#inSync.apps && this.#inSync.slices;
  }
}
