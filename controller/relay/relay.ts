import { delayAfter } from '../backoff.ts';
import { messageOf } from '../errors.ts';
import { Inventory } from '../inventory/inventory.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { elect, type Lead } from '../kubernetes/election.ts';
import { objectName } from '../kubernetes/object-name.ts';
import { APP_LABEL } from '../kubernetes/relayed.ts';
import { Throttle } from '../kubernetes/throttle.ts';
import { createConfirmation } from '../loop/confirm.ts';
import { follow } from '../loop/follow.ts';
import { type NamedEnds, Sources } from '../loop/sources.ts';
import type { App } from '../model/app.ts';
import { inSlices } from '../pace.ts';
import type { AppSource, Clock, Log } from '../ports.ts';
import { Latch } from '../time.ts';
import { EndpointHold } from './endpoint-hold.ts';
import { ForeignObject } from './foreign.ts';
import { type Holds, heldWarning, holderOf, statusText } from './holds.ts';
import type { RelayObserver } from './metrics.ts';
import { type PublishedKind, publishedKinds } from './published.ts';
import { readPublished } from './published-apps.ts';
import { type OldSlice, refusalsOf } from './refusals.ts';
import { marathonAppOf, type RelayedObject, slicesOf } from './relayed-app.ts';
import { RemovalHold } from './removal-hold.ts';
import { applies, generalFailure, makeAll, removals, type Write } from './writes.ts';

/** What a relay reads, where it publishes, and under which name. */
export interface RelayOptions {
  readonly client: KubernetesClient;
  readonly sources: readonly AppSource[];
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: RelayObserver;
  /** Namespace of the published objects. */
  readonly namespace: string;
  /** Distinguishes the objects of this relay from those of others. */
  readonly name: string;
  /** Identifies this process among the relays of the same name. */
  readonly identity: string;
  readonly settleMs: number;
  readonly random: () => number;
}

const POLL_MS = 2_000;
/** How long a mass removal is held before the sources are read again. */
const HOLD_MS = 60_000;
/** How often everything is compared again, in case a change by someone else was missed during a write. */
const RESYNC_MS = 60_000;
const RETRY = { firstMs: 1_000, limitMs: 30_000 };

/**
 * Publishes the apps of the sources as MarathonApps and EndpointSlices while this process is the elected leader. Resolves when
 * `signal` aborts; the published objects stay.
 *
 * Writes nothing before every source was read completely and the published objects were listed. Writes only differences, and
 * removes only objects with this relay's label.
 */
export async function runRelay(options: RelayOptions, signal: AbortSignal): Promise<void> {
  const election = {
    ...options,
    namespace: options.client.namespace,
    name: `marathon-ipvs-relay-${options.name}`,
    attempted: (why: string | null) => options.observer.blocked('lease', why),
  };
  const { observer } = options;
  const leadAndReport: Lead = async (leading, client) => {
    observer.elected(true);
    try {
      await lead({ ...options, client }, leading);
    } finally {
      observer.elected(false);
      for (const cause of ['read', 'write'] as const) observer.blocked(cause, null);
    }
  };
  await elect(election, leadAndReport, signal);
}

interface LeaderOptions extends RelayOptions {
  /** Delays writes while the API server asks to wait. */
  readonly throttle: Throttle;
}

async function lead(given: RelayOptions, signal: AbortSignal): Promise<void> {
  const options: LeaderOptions = { ...given, throttle: new Throttle(given) };
  const { clock, log, observer, sources: all, settleMs } = options;
  const wakeUp = new Latch<'source' | 'cluster'>();
  const inventory = new Inventory();
  const sources = new Sources(all, observer, inventory);
  const kinds = publishedKinds({
    ...options,
    relay: options.name,
    changed: () => wakeUp.set('cluster'),
    failed: (error) => {
      log.warn('cannot read from the API server', { error: messageOf(error) });
      observer.blocked('read', messageOf(error));
    },
  });
  const working = [
    ...all.map((source) => follow(source, sources, options, () => wakeUp.set('source'), signal)),
    kinds.apps.run(signal),
    kinds.slices.run(signal),
  ];

  const holds: Holds = { apps: new RemovalHold(HOLD_MS), endpoints: new EndpointHold(HOLD_MS) };
  const confirmHeld = createConfirmation(options, holderOf(holds), () => wakeUp.set('source'), signal);
  let failures = 0;
  let comparedAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    observer.moved();
    await wakeUp.wait(POLL_MS, clock, signal);
    confirmHeld();
    const due = clock.monotonic() - comparedAt >= RESYNC_MS;
    if (signal.aborted || (wakeUp.take().size === 0 && !due && failures === 0)) continue;
    await clock.sleep(settleMs, signal);
    wakeUp.take();
    const begun = clock.monotonic();
    const failed = await compare({ sources, inventory }, kinds, holds, options, signal);
    if (failed === null) continue;
    comparedAt = begun;
    failures = failed === 0 ? 0 : failures + 1;
    await clock.sleep(Math.max(delayAfter(failures, RETRY), options.throttle.remainingMs), signal);
  }
  await Promise.all(working);
}

/**
 * Compares the apps of all sources with the published objects, and publishes the differences. Resolves with the number of
 * failed writes, or null if nothing could be compared yet: a source has not been read, or the published objects are not in sync.
 */
async function compare(
  { sources, inventory }: { readonly sources: Sources; readonly inventory: Inventory },
  kinds: Kinds,
  holds: Holds,
  options: LeaderOptions,
  signal: AbortSignal,
): Promise<number | null> {
  if (!kinds.apps.inStep || !kinds.slices.inStep) return null;
  const begun = await begin(holds.endpoints, options, signal);
  if (begun) options.observer.blocked('read', null);
  if (signal.aborted || !sources.complete) return null;
  await inSlices((pause) => inventory.settle(pause));
  if (signal.aborted) return null;
  if (!begun) return 1;
  // Named ends belong to exactly this state of the apps: take both together.
  const said = { apps: [...inventory.apps.values()], unknown: inventory.unknown, gone: sources.takeEnded() };
  return await publish(said, kinds, holds, options, signal);
}

/** Reads what an earlier relay published, so that removals can be held. Resolves with whether that is known. */
async function begin(hold: EndpointHold, options: RelayOptions, signal: AbortSignal): Promise<boolean> {
  if (hold.begun) return true;
  try {
    hold.begin(await readPublished(options, signal));
  } catch (error) {
    if (signal.aborted) return false;
    options.log.warn('cannot read the published objects', { error: messageOf(error) });
    options.observer.blocked('read', messageOf(error));
  }
  return hold.begun;
}

/** What the sources report: their apps, the parts that are unknown, and what they named as gone. */
interface Said {
  readonly apps: readonly App[];
  readonly unknown: Inventory['unknown'];
  readonly gone: NamedEnds;
}

interface Kinds {
  readonly apps: PublishedKind;
  readonly slices: PublishedKind;
}

/**
 * Writes the objects of these apps and removes those of others. New objects come before old ones go, and a MarathonApp is removed
 * before its EndpointSlices, so that no reader sees it without backends. An object that the server refuses does not stop the
 * others, and what it would replace stays. Resolves with the number of failed writes.
 */
async function publish(
  { apps, unknown, gone }: Said,
  { apps: objects, slices }: Kinds,
  holds: Holds,
  { name, log, clock, observer, throttle }: LeaderOptions,
  signal: AbortSignal,
): Promise<number> {
  holds.apps.accept(gone.apps.map(objectName));
  holds.endpoints.accept(gone.endpoints.map(({ endpoint }) => endpoint));
  const current = new Set(apps.map((app) => objectOf(app, name).name));
  const isWhole = unknown.length === 0;
  const kept = holds.endpoints.keep(apps, clock.monotonic(), isWhole);
  const wantedApps = byName(kept.apps.map((app) => objectOf(app, name)));
  const wantedSlices = byName(kept.apps.flatMap((app) => endpointsOf(app, name, slices)));
  const release = holds.apps.release(objects.surplus(current), objects.size, clock.monotonic(), isWhole);
  const heldApps = new Set([...release.held, ...wantedApps.keys()].filter((object) => !current.has(object)));
  const held = { apps: heldApps.size, endpoints: kept.held };
  observer.compared(current.size + held.apps, {
    ...held,
    text: statusText(held, unknown, [...objects.unread, ...slices.unread]),
  });
  if (held.apps + held.endpoints > 0) log.warn(...heldWarning(held, objects.size, unknown));
  let made = 0;
  const failed = new Map<string, unknown>();
  const make = async (writes: readonly Write[]): Promise<ReadonlyMap<string, unknown>> => {
    made += writes.length;
    const refused = await makeAll(writes, { log, observer, throttle }, signal);
    for (const [object, error] of refused) failed.set(object, error);
    return refused;
  };
  const refusedApps = await make(applies(objects, wantedApps, signal));
  // The slices of an app whose MarathonApp is someone else's would serve that one.
  const isForeign = ({ labels }: RelayedObject) =>
    refusedApps.get(labels[APP_LABEL] ?? '') instanceof ForeignObject;
  const ownSlices = new Map([...wantedSlices].filter(([, slice]) => !isForeign(slice)));
  const refusedSlices = await make(applies(slices, ownSlices, signal));
  const leaving = release.go.filter((object) => !wantedApps.has(object));
  await make(removals(objects, leaving, signal));
  const refused = refusalsOf(refusedApps, refusedSlices, wantedSlices);
  const keeps = (slice: OldSlice) =>
    (slice.app !== undefined && release.held.has(slice.app)) || refused.needs(slice);
  await make(removals(slices, slices.surplus(new Set(wantedSlices.keys()), keeps), signal));
  if (made > 0) {
    const writes = { writes: made, failed: failed.size };
    log.info('published', { apps: wantedApps.size, slices: wantedSlices.size, ...writes });
  }
  observer.blocked('write', generalFailure(failed, made));
  return failed.size;
}

/** Caches by app: most apps do not change, and are then the same objects. */
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

/** Of two apps with the same id and framework the first counts. */
function byName(objects: readonly RelayedObject[]): ReadonlyMap<string, RelayedObject> {
  return new Map(objects.toReversed().map((object) => [object.name, object]));
}
