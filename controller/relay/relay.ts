import { messageOf } from '../errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { elect } from '../kubernetes/election.ts';
import { objectName } from '../kubernetes/object-name.ts';
import { delayAfter } from '../loop/backoff.ts';
import { follow } from '../loop/follow.ts';
import { Latch } from '../loop/latch.ts';
import { Sources } from '../loop/sources.ts';
import type { App } from '../model.ts';
import type { AppSource, Clock, Log } from '../ports.ts';
import type { RelayObserver, WriteOp } from './metrics.ts';
import { type PublishedKind, publishedKinds } from './published.ts';
import { marathonAppOf, type RelayedObject, slicesOf } from './relayed-app.ts';
import { RemovalHold } from './removal-hold.ts';

export interface RelayOptions {
  readonly client: KubernetesClient;
  readonly sources: readonly AppSource[];
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: RelayObserver;
  /** Where the objects are written. */
  readonly namespace: string;
  /** Tells the objects of this relay from others'. */
  readonly name: string;
  /** Who we are: unique among the relays of this name. */
  readonly identity: string;
  readonly settleMs: number;
  readonly random: () => number;
}

/** Writes at once; a server gives one client some tens of them a second before it queues. */
const IN_FLIGHT = 8;
const MOST_TOLD = 5;
const LOOK_MS = 2_000;
/** How long a mass removal is held before the sources are asked again, and then after each failure to ask them. */
const HOLD_MS = 60_000;
const ASK_AGAIN_MS = 10_000;
/** All is compared again, in case someone changed our objects and the watch was told of it while we wrote. */
const RESYNC_MS = 60_000;
const RETRY = { firstMs: 1_000, limitMs: 30_000 };

/**
 * Publishes what the sources say as MarathonApps and EndpointSlices, where this process is elected to. Resolves when
 * `signal` aborts; what is published stays.
 *
 * Nothing is written before every source was read completely, and before what is published was listed. Only what
 * differs is written, and only what bears our label removed.
 */
export async function runRelay(options: RelayOptions, signal: AbortSignal): Promise<void> {
  const election = {
    ...options,
    namespace: options.client.namespace,
    name: `marathon-ipvs-relay-${options.name}`,
  };
  const { observer } = options;
  const leadWhileTold = async (leading: AbortSignal): Promise<void> => {
    observer.elected(true);
    try {
      await lead(options, leading);
    } finally {
      observer.elected(false);
    }
  };
  await elect(election, leadWhileTold, signal);
}

async function lead(options: RelayOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, observer, sources: all, settleMs } = options;
  const news = new Latch<'source' | 'cluster'>();
  const sources = new Sources(all, observer);
  const kinds = publishedKinds({
    ...options,
    relay: options.name,
    changed: () => news.set('cluster'),
    failed: (error) => log.warn('the API server cannot be read', { error: messageOf(error) }),
  });
  const working = [
    ...all.map((source) => follow(source, sources, options, () => news.set('source'), signal)),
    kinds.apps.run(signal),
    kinds.slices.run(signal),
  ];

  const hold = new RemovalHold(HOLD_MS);
  const askAgain = createAsker(options, hold, () => news.set('source'), signal);
  let failures = 0;
  let comparedAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    observer.moved();
    await news.wait(LOOK_MS, clock, signal);
    askAgain();
    const due = clock.now() - comparedAt >= RESYNC_MS;
    if (signal.aborted || (news.take().size === 0 && !due && failures === 0)) continue;
    await clock.sleep(settleMs, signal);
    news.take();
    const merged = sources.merged();
    if (signal.aborted || merged === null || !merged.complete || !kinds.apps.inStep || !kinds.slices.inStep)
      continue;
    comparedAt = clock.now();
    hold.believe(sources.takeGoneApps().map(objectName));
    const failed = await publish(merged.snapshot.apps, kinds, hold, options, signal);
    failures = failed === 0 ? 0 : failures + 1;
    await clock.sleep(delayAfter(failures, RETRY), signal);
  }
  await Promise.all(working);
}

/** Makes the function that, when removals have been held for long enough, asks all sources once more, beside the loop. */
function createAsker(
  { sources, clock, log, name }: RelayOptions,
  hold: RemovalHold,
  then: () => void,
  signal: AbortSignal,
): () => void {
  let asking = false;
  let notBefore = 0;
  const ask = async (due: ReadonlySet<string>): Promise<void> => {
    try {
      const snapshots = await Promise.all(sources.map((source) => source.read(signal)));
      const there = new Set(snapshots.flatMap(({ apps }) => apps.map((app) => objectOf(app, name).name)));
      hold.believe([...due].filter((object) => !there.has(object)));
      hold.postpone(there, clock.now());
      then();
    } catch (error) {
      notBefore = clock.now() + ASK_AGAIN_MS;
      if (!signal.aborted)
        log.warn('mass removal stays held: the sources cannot be asked again', { error: messageOf(error) });
    } finally {
      asking = false;
    }
  };
  return () => {
    const due = hold.due(clock.now());
    if (asking || due.size === 0 || clock.now() < notBefore || signal.aborted) return;
    asking = true;
    void ask(due);
  };
}

interface Kinds {
  readonly apps: PublishedKind;
  readonly slices: PublishedKind;
}

/**
 * Brings what is published to what these apps are. New objects come before old ones go, and of an app that goes the
 * MarathonApp goes before its EndpointSlices, so that no reader sees it without backends. One that the server refuses
 * does not hold back the others. Resolves with the number of writes that failed.
 */
async function publish(
  apps: readonly App[],
  { apps: objects, slices }: Kinds,
  hold: RemovalHold,
  { name, log, clock, observer }: RelayOptions,
  signal: AbortSignal,
): Promise<number> {
  const wantedApps = byName(apps.map((app) => objectOf(app, name)));
  const wantedSlices = byName(apps.flatMap((app) => endpointsOf(app, name, slices)));
  const { go, held } = hold.release(objects.surplus(new Set(wantedApps.keys())), objects.size, clock.now());
  observer.compared(wantedApps.size + held.size, held.size);
  if (held.size > 0)
    log.warn('mass removal held: most apps would go at once, only because no source mentions them', {
      held: held.size,
      published: objects.size,
    });
  const phases: readonly (readonly Write[])[] = [
    changed(objects, wantedApps, signal),
    changed(slices, wantedSlices, signal),
    removals(objects, go, signal),
    removals(slices, slices.surplus(new Set(wantedSlices.keys()), held), signal),
  ];
  let failed = 0;
  let made = 0;
  for (const writes of phases) {
    made += writes.length;
    failed += await makeAll(writes, { log, observer }, signal);
  }
  if (made > 0)
    log.info('published', { apps: wantedApps.size, slices: wantedSlices.size, writes: made, failed });
  return failed;
}

/** What was made of an app that is the same object as before is not made again: most apps do not change. */
const objects = new WeakMap<App, RelayedObject>();
const endpoints = new WeakMap<App, readonly RelayedObject[]>();

function objectOf(app: App, relay: string): RelayedObject {
  const object = objects.get(app) ?? marathonAppOf(app, relay);
  objects.set(app, object);
  return object;
}

function endpointsOf(app: App, relay: string, slices: PublishedKind): readonly RelayedObject[] {
  const known = endpoints.get(app);
  if (known?.every((slice) => slices.has(slice))) return known;
  const made = slicesOf(app, relay, (slice) => slices.membersOf(slice));
  endpoints.set(app, made);
  return made;
}

interface Write {
  readonly op: WriteOp;
  readonly name: string;
  readonly make: () => Promise<void>;
}

function changed(
  kind: PublishedKind,
  wanted: ReadonlyMap<string, RelayedObject>,
  signal: AbortSignal,
): Write[] {
  return [...wanted.values()]
    .filter((object) => !kind.has(object))
    .map((object) => ({ op: 'apply', name: object.name, make: () => kind.apply(object, signal) }));
}

function removals(kind: PublishedKind, names: readonly string[], signal: AbortSignal): Write[] {
  return names.map((name) => ({ op: 'delete', name, make: () => kind.remove(name, signal) }));
}

async function makeAll(
  writes: readonly Write[],
  { log, observer }: Pick<RelayOptions, 'log' | 'observer'>,
  signal: AbortSignal,
): Promise<number> {
  const waiting = [...writes];
  let failed = 0;
  const work = async () => {
    for (let write = waiting.shift(); write !== undefined && !signal.aborted; write = waiting.shift()) {
      try {
        await write.make();
        observer.wrote(write.op, false);
      } catch (error) {
        failed += 1;
        if (!signal.aborted) observer.wrote(write.op, true);
        // The first few tell what is wrong; a server that is away would fill the log with the others.
        if (!signal.aborted && failed <= MOST_TOLD)
          log.warn('not published', { write: `${write.op} ${write.name}`, error: messageOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  return failed;
}

/** The first of two apps with one id and framework counts, as everywhere. */
function byName(objects: readonly RelayedObject[]): ReadonlyMap<string, RelayedObject> {
  return new Map(objects.toReversed().map((object) => [object.name, object]));
}
