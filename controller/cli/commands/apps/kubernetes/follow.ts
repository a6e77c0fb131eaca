import type { ForecastVip } from '../../../../desired/forecast.ts';
import { ControllerError } from '../../../../errors.ts';
import type { MarathonAppStatus } from '../../../../kubernetes/marathon-app.ts';
import { isRecord } from '../../../../rejection.ts';
import { plural } from '../../../../status/words.ts';
import { type Here, lookHere, untilHere } from '../here.ts';
import { watchForStall } from '../stall.ts';
import type { KnownObject } from './cluster.ts';
import { type Missing, missingEndpoints } from './missing-endpoints.ts';
import type { ClusterSession } from './session.ts';
import { backendsText, lacksEndpoints, type Verdict, verdictOf } from './verdict.ts';

/** How it ended. */
export interface Outcome {
  readonly done: boolean;
  /** Why it did not end well, or what is wrong nevertheless. */
  readonly why: string | null;
  /** As the elected controller wrote it. */
  readonly status: MarathonAppStatus;
  /** Backends of the app in rotation on this host; null where no controller answers here. */
  readonly inRotation: number | null;
}

const LOOK_MS = 500;
/** For how long the API server may fail to answer. */
const PATIENCE_MS = 60_000;
/** For how long a controller is waited for that looks at the object at all: it writes at most once in 10 s. */
const UNOBSERVED_MS = 60_000;
/** How often the endpoints that an app lacks are looked for. */
const MISSING_MS = 5_000;

/**
 * Looks until the controllers have programmed this generation, or reject it, or nothing has moved for as long as the
 * options allow. Rejects with the signal's reason when that aborts.
 */
export async function followObject(
  object: KnownObject,
  vips: readonly ForecastVip[],
  session: ClusterSession,
): Promise<Outcome> {
  const { config, ports, signal } = session;
  const here = await lookHere(config, object.id ?? '', ports, signal);
  try {
    const end = await untilJudged(object, vips, here, session);
    const wanted = (end.status.vips ?? []).reduce((sum, { inRotation }) => sum + inRotation, 0);
    const settled = (seen: number | null) => !end.done || seen === null || seen >= wanted;
    const words = 'programmed by the elected controller; waiting for the one on this host';
    return { ...end, inRotation: await untilHere(here, settled, words, ports, signal) };
  } finally {
    ports.progress(null);
  }
}

/**
 * Looks until the object is gone, and then for some seconds until this host has none of its backends; or until nothing
 * has moved for as long as the options allow.
 */
export async function followRemoval(object: KnownObject, session: ClusterSession): Promise<Outcome> {
  const { config, ports, signal } = session;
  const here = await lookHere(config, object.id ?? '', ports, signal);
  const stall = watchForStall(config.progressDeadlineSeconds, ports.clock);
  try {
    for (;;) {
      const now = await withRetries(session, () => session.writer.get(object));
      if (now === null || now.uid !== object.uid) break;
      const holders = finalizersOf(now).join(', ');
      const words = `marked for removal; waiting for its finalizers: ${holders}`;
      if (stall.seen(words)) {
        return {
          ...ended(noProgress(session, `waiting for the finalizers ${holders}`), now.status),
          inRotation: null,
        };
      }
      ports.progress(words);
      await pause(session);
    }
    const words = 'removed from the cluster; waiting for the controller on this host';
    const gone = (seen: number | null) => seen === null || seen === 0;
    const inRotation = await untilHere(here, gone, words, ports, signal);
    return { done: true, why: null, status: {}, inRotation };
  } finally {
    ports.progress(null);
  }
}

async function untilJudged(
  object: KnownObject,
  vips: readonly ForecastVip[],
  here: Here,
  session: ClusterSession,
): Promise<Omit<Outcome, 'inRotation'>> {
  const { config, ports, signal } = session;
  const since = ports.clock.monotonic();
  const stall = watchForStall(config.progressDeadlineSeconds, ports.clock);
  const missing = createMissing(session);
  for (;;) {
    const now = await withRetries(session, () => session.writer.get(object));
    if (now === null || now.uid !== object.uid) return ended('someone else removed it', {});
    const { status, generation } = now;
    if (generation !== object.generation) {
      return ended(`someone else changed it: generation ${generation}`, status);
    }
    const verdict = verdictOf(status, generation, vips);
    const lack = lacksEndpoints(verdict, status) ? await missing(now) : null;
    const end = endOf(verdict, lack, ports.clock.monotonic() - since);
    if (end !== null) return { ...end, status };
    const why = verdict.state === 'waiting' ? verdict.why : 'programmed';
    const words = progressText(why, lack, status, await here(signal));
    if (stall.seen(words)) return ended(noProgress(session, words), status);
    ports.progress(`generation ${generation}: ${words}`);
    await pause(session);
  }
}

/** How it ended; null while it goes on. */
function endOf(verdict: Verdict, lack: Missing | null, forMs: number): Pick<Outcome, 'done' | 'why'> | null {
  // Programmed with endpoints none of which may get a connection does not count as done.
  if (verdict.state === 'done')
    return lack === null || lack.ready > 0 ? { done: true, why: verdict.note } : null;
  if (verdict.state === 'rejected') return { done: false, why: verdict.why };
  if (verdict.isObserved || forMs <= UNOBSERVED_MS) return null;
  return {
    done: false,
    why: 'no controller has processed it for a minute: does one run with --kubernetes-status?',
  };
}

/** What an object lacks, read again from time to time. */
function createMissing(session: ClusterSession): (object: KnownObject) => Promise<Missing | null> {
  let last: Missing | null = null;
  let due = 0;
  return async (object) => {
    const now = session.ports.clock.monotonic();
    if (now < due) return last;
    due = now + MISSING_MS;
    last = await missingEndpoints(object, session);
    return last;
  };
}

function noProgress({ config }: ClusterSession, words: string): string {
  return `no progress for ${config.progressDeadlineSeconds} s: ${words}`;
}

function finalizersOf({ json }: KnownObject): readonly string[] {
  const { metadata } = json;
  const finalizers = isRecord(metadata) ? metadata['finalizers'] : undefined;
  return Array.isArray(finalizers) ? finalizers.map(String) : [];
}

function ended(why: string, status: MarathonAppStatus): Omit<Outcome, 'inRotation'> {
  return { done: false, why, status };
}

function progressText(
  why: string,
  lack: Missing | null,
  status: MarathonAppStatus,
  here: number | null,
): string {
  const backends = backendsText(status);
  const parts = [
    why,
    ...(lack === null ? [] : [lack.words]),
    ...(backends === null ? [] : [backends]),
    ...(here === null ? [] : [`${plural(here, 'backend')} in rotation on this host`]),
  ];
  return parts.join('; ');
}

/** Asks again where the API server does not answer, for a minute. */
async function withRetries<T>(session: ClusterSession, attempt: () => Promise<T>): Promise<T> {
  const { ports, signal } = session;
  const since = ports.clock.monotonic();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const passing = error instanceof ControllerError && error.code === 'source' && error.retry === 'later';
      if (!passing || ports.clock.monotonic() - since > PATIENCE_MS) throw error;
      ports.progress(`the API server does not answer (${error.message}); retrying`);
    }
    await pause(session);
  }
}

async function pause({ ports, signal }: ClusterSession): Promise<void> {
  await ports.clock.sleep(LOOK_MS, signal);
  signal.throwIfAborted();
}
