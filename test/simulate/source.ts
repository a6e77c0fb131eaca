/** A source that says what the story says; what touches the contract of `AppSource` is here alone. */

import { type App, type AppKey, appKey, rowOf } from '../../controller/model/app.ts';
import type { Snapshot } from '../../controller/model/snapshot.ts';
import type { AppSource, Clock, SavedApps, SourceListener } from '../../controller/ports.ts';
import { type Changes, Feed } from '../../controller/source/feed.ts';
import { LastGood } from '../../controller/source/last-good.ts';

export class ScriptedSource implements AppSource {
  readonly name: string;
  readonly #clock: Clock;
  readonly #now: () => Snapshot;
  #listener: SourceListener | null = null;
  #feed = new Feed();
  #lastGood: LastGood;
  down = false;
  /** What the controller finds that starts next. */
  saved: SavedApps = async () => null;
  /** Ids of apps that are as they were, and of which nothing can be read. */
  readonly unreadable: ReadonlySet<string>;

  constructor(name: string, clock: Clock, now: () => Snapshot, unreadable: ReadonlySet<string>) {
    this.name = name;
    this.#clock = clock;
    this.#now = now;
    this.unreadable = unreadable;
    this.#lastGood = new LastGood(name);
  }

  async follow(listener: SourceListener, signal: AbortSignal): Promise<void> {
    this.#listener = listener;
    this.#feed = new Feed();
    this.#lastGood = new LastGood(this.name, this.saved);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    if (this.#listener === listener) this.#listener = null;
  }

  async read(): Promise<Snapshot> {
    if (this.down) throw new Error('connection refused');
    return this.#now();
  }

  /**
   * Reads now, the whole or each app by itself, and tells of it, so many times, once `delayMs` have passed: the feed knows
   * which reads have been overtaken.
   */
  async tell(complete: boolean, delayMs: number, times: number): Promise<void> {
    this.down = false;
    const [feed, listener] = [this.#feed, this.#listener];
    const read = feed.begin();
    const now = this.#now();
    const snapshot = now.apps.some((app) => this.unreadable.has(app.id)) ? await this.#readable(now) : now;
    const since = this.#clock.monotonic();
    if (delayMs > 0) await this.#clock.sleep(delayMs);
    // The process that asked has ended.
    if (listener !== this.#listener) return;
    for (let i = 0; i < times; i += 1) {
      const deltas = complete
        ? [feed.list(snapshot, since, read)]
        : [...this.#changes(snapshot)].map(([key, app]) => feed.read(read, key, app, since));
      for (const delta of deltas) if (delta !== null) listener?.changed(delta);
      if (complete) this.#lastGood.forget();
    }
  }

  /** What cannot be read is what it was last, for this process or for the one before it. */
  async #readable(now: Snapshot): Promise<Snapshot> {
    const [feed, lastGood] = [this.#feed, this.#lastGood];
    await lastGood.load();
    const known = new Map(feed.snapshot.apps.map((app) => [rowOf(app), app]));
    const lastOf = (app: App) => known.get(rowOf(app)) ?? lastGood.find(rowOf(app)) ?? [];
    return { ...now, apps: now.apps.flatMap((app) => (this.unreadable.has(app.id) ? lastOf(app) : app)) };
  }

  #changes({ apps }: Snapshot): Changes {
    const gone = this.#feed.snapshot.apps.map((app) => [appKey(app), null] as const);
    return new Map<AppKey, App | null>([...gone, ...apps.map((app) => [appKey(app), app] as const)]);
  }

  fail(): void {
    this.down = true;
    this.#listener?.failed(new Error('connection refused'));
  }
}
