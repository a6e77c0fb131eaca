import type { KubernetesClient } from '../../kubernetes/client.ts';
import { readSlice, type Slice } from '../../kubernetes/endpoint-slice.ts';
import type { Versioned } from '../../kubernetes/listing.ts';
import { Reflector, type ReflectorListener } from '../../kubernetes/reflector.ts';
import type { App, AppKey } from '../../model.ts';
import { Pace } from '../../pace.ts';
import type { Clock, SourceListener } from '../../ports.ts';
import { Latch } from '../../time.ts';
import { Feed } from '../feed.ts';
import { Catalogue, type DeclaredObject } from './catalogue.ts';
import { readDeclaredObject } from './object.ts';
import type { ReferenceBook } from './references.ts';

export interface FollowerOptions {
  readonly client: KubernetesClient;
  readonly paths: { readonly apps: string; readonly slices: string };
  readonly clock: Clock;
  readonly random: () => number;
  readonly listener: SourceListener;
  readonly gatherMs: number;
  readonly tellMs: number;
  readonly watchSilenceMs: number;
  readonly references?: ReferenceBook | undefined;
}

/** Keeps the catalogue in step with the API server, and tells of it whenever it is. */
export class KubernetesFollower {
  readonly #options: FollowerOptions;
  readonly #catalogue: Catalogue;
  readonly #news = new Latch<'changed' | 'in step'>();
  readonly #inStep = { apps: false, slices: false };
  /** When the first change that has not been told of was learnt of. */
  #since: number | null = null;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#catalogue = new Catalogue(options.references);
  }

  /** Follows until `signal` aborts; resolves then. */
  async run(signal: AbortSignal): Promise<void> {
    const { paths } = this.#options;
    const apps = this.#reflector<DeclaredObject>('apps', paths.apps, readDeclaredObject, (before, now) =>
      this.#catalogue.objectChanged(before, now),
    );
    const slices = this.#reflector<Slice>('slices', paths.slices, readSlice, (before, now) =>
      this.#catalogue.sliceChanged(before, now),
    );
    await Promise.all([apps.run(signal), slices.run(signal), this.#tell(signal)]);
  }

  #reflector<T extends Versioned>(
    which: 'apps' | 'slices',
    path: string,
    project: (json: unknown) => T,
    take: (before: T | null, now: T | null) => boolean,
  ): Reflector<T> {
    const { client, clock, random, watchSilenceMs: silenceMs } = this.#options;
    const listener: ReflectorListener<T> = {
      changed: (before, now) => {
        if (!take(before, now)) return;
        this.#since ??= clock.monotonic();
        this.#news.set('changed');
      },
      behind: () => {
        this.#inStep[which] = false;
      },
      inStep: () => {
        this.#inStep[which] = true;
        this.#news.set('in step');
      },
      failed: (error) => {
        this.#inStep[which] = false;
        this.#options.listener.failed(error);
      },
    };
    return new Reflector({ client, clock, path, project, listener, random, silenceMs });
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { clock, listener, gatherMs, tellMs, random } = this.#options;
    const feed = new Feed();
    const pace = new Pace();
    /** What became of apps since the feed was told. */
    const changes = new Map<AppKey, App | null>();
    let rested = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      await this.#news.wait(tellMs * (0.9 + 0.2 * random()), clock, signal);
      // What comes in one packet is told together, and a change after quiet waits for no more.
      await pace.rest();
      if (clock.monotonic() < rested) await clock.sleep(rested - clock.monotonic(), signal);
      this.#news.take();
      if (signal.aborted || !this.#isWhole()) continue;
      const since = this.#since ?? clock.monotonic();
      this.#since = null;
      const about = await this.#catalogue.take(changes, pace);
      await feed.compareInTurns(changes, pace);
      if (signal.aborted) continue;
      // A break meanwhile: what came before it is told with what comes after.
      if (!this.#isWhole()) {
        this.#since = since;
        continue;
      }
      const delta = feed.update(changes, { complete: true, learnedAt: since, about });
      changes.clear();
      rested = clock.monotonic() + gatherMs;
      if (delta !== null) listener.changed(delta);
    }
  }

  /** One kind in step and the other one not is a part of the truth: what was told last stays. */
  #isWhole(): boolean {
    return this.#inStep.apps && this.#inStep.slices;
  }
}
