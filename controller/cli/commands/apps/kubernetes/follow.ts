import type { ForecastVip } from '../../../../desired/forecast.ts';
import { ControllerError } from '../../../../errors.ts';
import { isRecord } from '../../../../input/rejection.ts';
import type { MarathonAppStatus } from '../../../../kubernetes/marathon-app.ts';
import { plural } from '../../../../status/format.ts';
import { type CountHere, countHere, waitHere } from '../here.ts';
import { watchForStall } from '../stall.ts';
import type { KnownObject } from './cluster.ts';
import { type Missing, missingEndpoints } from './missing-endpoints.ts';
import type { ClusterSession } from './session.ts';
import { backendsText, lacksEndpoints, type Verdict, verdictOf } from './verdict.ts';

/** How the change of an object ended. */
export interface Outcome {
  readonly done: boolean;
  /** Why it failed, or a problem that remains although it succeeded. */
  readonly why: string | null;
  /** The status that the elected controller wrote. */
  readonly status: MarathonAppStatus;
  /** Backends of the app in rotation on this host; null if no controller answers here. */
  readonly inRotation: number | null;
}

const POLL_MS = 500;
/** How long the API server may fail to answer. */
const MAX_OUTAGE_MS = 60_000;
/** How long to wait for any controller to process the object; a controller writes at most once in 10 s. */
const UNOBSERVED_MS = 60_000;
/** How often to check which endpoints an app lacks. */
const MISSING_MS = 5_000;

/**
 * Polls until the controllers have programmed or rejected this generation, or until progress has stalled. Rejects with the
 * signal's reason when that aborts.
 */
export async function followObject(
  object: KnownObject,
  vips: readonly ForecastVip[],
  session: ClusterSession,
): Promise<Outcome> {
  const { config, ports, signal } = session;
  const here = await countHere(config, object.id ?? '', ports, signal);
  try {
    const end = await untilProcessed(object, vips, here, session);
    const wanted = (end.status.vips ?? []).reduce((sum, { inRotation }) => sum + inRotation, 0);
    const settled = (seen: number | null) => !end.done || seen === null || seen >= wanted;
    const words = 'programmed by the elected controller; waiting for the one on this host';
    return { ...end, inRotation: await waitHere(here, settled, words, ports, signal) };
  } finally {
    ports.progress(null);
  }
}

/**
 * Polls until the object is gone, and then for some seconds until this host has none of its backends; or until progress has
 * stalled.
 */
export async function followRemoval(object: KnownObject, session: ClusterSession): Promise<Outcome> {
  const { config, ports, signal } = session;
  const here = await countHere(config, object.id ?? '', ports, signal);
  const stall = watchForStall(config.progressDeadlineSeconds, ports.clock);
  try {
    for (;;) {
      const now = await withRetries(session, () => session.writer.get(object));
      if (now === null || now.uid !== object.uid) break;
      const holders = finalizersOf(now).join(', ');
      const words = `marked for removal; waiting for its finalizers: ${holders}`;
      if (stall.isStalled(words)) {
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
    const inRotation = await waitHere(here, gone, words, ports, signal);
    return { done: true, why: null, status: {}, inRotation };
  } finally {
    ports.progress(null);
  }
}

async function untilProcessed(
  object: KnownObject,
  vips: readonly ForecastVip[],
  here: CountHere,
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
    if (stall.isStalled(words)) return ended(noProgress(session, words), status);
    ports.progress(`generation ${generation}: ${words}`);
    await pause(session);
  }
}

/** How it ended; null while it is in progress. */
function endOf(verdict: Verdict, lack: Missing | null, forMs: number): Pick<Outcome, 'done' | 'why'> | null {
  // Programmed without any ready endpoint does not count as done.
  if (verdict.state === 'done')
    return lack === null || lack.ready > 0 ? { done: true, why: verdict.note } : null;
  if (verdict.state === 'rejected') return { done: false, why: verdict.why };
  if (verdict.isObserved || forMs <= UNOBSERVED_MS) return null;
  return {
    done: false,
    why: 'no controller has processed it for a minute: does one run with --kubernetes-status?',
  };
}

/** Returns a function that finds out what an object lacks, at most every few seconds. */
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

/** Retries for a minute while the API server does not answer. */
async function withRetries<T>(session: ClusterSession, attempt: () => Promise<T>): Promise<T> {
  const { ports, signal } = session;
  const since = ports.clock.monotonic();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const temporary =
        error instanceof ControllerError && error.code === 'source' && error.retry === 'later';
      if (!temporary || ports.clock.monotonic() - since > MAX_OUTAGE_MS) throw error;
      ports.progress(`the API server does not answer (${error.message}); retrying`);
    }
    await pause(session);
  }
}

async function pause({ ports, signal }: ClusterSession): Promise<void> {
  await ports.clock.sleep(POLL_MS, signal);
  signal.throwIfAborted();
}
