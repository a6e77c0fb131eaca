import type { ForecastVip } from '../../../desired/forecast.ts';
import { ControllerError } from '../../../errors.ts';
import type { MarathonAppStatus } from '../../../kubernetes/marathon-app.ts';
import { plural } from '../../../status/words.ts';
import { type Here, lookHere, untilHere } from '../here.ts';
import type { KnownObject } from './cluster.ts';
import type { ClusterSession } from './session.ts';
import { backendsText, type Verdict, verdictOf } from './verdict.ts';

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
const UNHEARD_MS = 60_000;

/** Looks until the controllers have programmed this generation, or reject it. Rejects with the signal's reason when that aborts. */
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

/** Looks until the object is gone, and then for some seconds until this host has none of its backends. */
export async function followRemoval(object: KnownObject, session: ClusterSession): Promise<Outcome> {
  const { config, ports, signal } = session;
  const here = await lookHere(config, object.id ?? '', ports, signal);
  try {
    for (;;) {
      const now = await patiently(session, () => session.writer.get(object));
      if (now === null || now.uid !== object.uid) break;
      ports.progress('marked for removal; waiting until those who hold it by a finalizer let it go');
      await pause(session);
    }
    const words = 'gone from the cluster; waiting for the controller on this host';
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
  const { ports, signal } = session;
  const since = ports.clock.now();
  for (;;) {
    const now = await patiently(session, () => session.writer.get(object));
    if (now === null || now.uid !== object.uid) return ended('someone has removed it meanwhile', {});
    const { status, generation } = now;
    if (generation !== object.generation) {
      return ended(`someone has changed it meanwhile: generation ${generation}`, status);
    }
    const verdict = verdictOf(status, generation, vips);
    if (verdict.state === 'done') return { done: true, why: verdict.note, status };
    if (verdict.state === 'rejected') return ended(verdict.why, status);
    if (!verdict.heard && ports.clock.now() - since > UNHEARD_MS) {
      return ended(
        'no controller has looked at it for a minute: does one run with --kubernetes-status?',
        status,
      );
    }
    ports.progress(progressText(generation, verdict, status, await here(signal)));
    await pause(session);
  }
}

function ended(why: string, status: MarathonAppStatus): Omit<Outcome, 'inRotation'> {
  return { done: false, why, status };
}

function progressText(
  generation: number,
  { why }: Extract<Verdict, { state: 'waiting' }>,
  status: MarathonAppStatus,
  here: number | null,
): string {
  const backends = backendsText(status);
  const parts = [
    `generation ${generation}: ${why}`,
    ...(backends === null ? [] : [backends]),
    ...(here === null ? [] : [`${plural(here, 'backend')} in rotation on this host`]),
  ];
  return parts.join('; ');
}

/** Asks again where the API server does not answer, for a minute. */
async function patiently<T>(session: ClusterSession, ask: () => Promise<T>): Promise<T> {
  const { ports, signal } = session;
  const since = ports.clock.now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      const passing = error instanceof ControllerError && error.code === 'source' && error.retry === 'later';
      if (!passing || ports.clock.now() - since > PATIENCE_MS) throw error;
      ports.progress(`the API server does not answer (${error.message}); asking again`);
    }
    await pause(session);
  }
}

async function pause({ ports, signal }: ClusterSession): Promise<void> {
  await ports.clock.sleep(LOOK_MS, signal);
  signal.throwIfAborted();
}
