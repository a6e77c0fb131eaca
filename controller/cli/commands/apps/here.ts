import type { Config } from '../../../config/config.ts';
import { ControllerError } from '../../../errors.ts';
import { statusDocument } from '../../../status/document.ts';
import { inRotation } from '../../../status/figures.ts';
import { openController } from '../controller.ts';
import { query } from '../query.ts';
import type { AppPorts } from './messages.ts';

/** How many backends of an app get new connections on this host; null where no controller answers here. */
export type Here = (signal: AbortSignal) => Promise<number | null>;

const LOOK_MS = 500;
/** For how long the controller here is waited for once all else is ready. */
const HERE_MS = 5_000;

/**
 * Counts backends of the app that get new connections here; null, and not asked again, where nobody answers. That one is
 * there and lets nobody in, or a file of ours cannot be used, is told.
 */
export async function lookHere(
  config: Config,
  id: string,
  { printError }: Pick<AppPorts, 'printError'>,
  signal: AbortSignal,
): Promise<Here> {
  const count = async (limited: AbortSignal) => {
    const path = `/v1/status?vip=${encodeURIComponent(id)}`;
    const { document } = await query(await openController(config), path, statusDocument, limited);
    const backends = document.vips.flatMap((vip) => vip.backends);
    return backends.filter((backend) => backend.app === id && inRotation(backend)).length;
  };
  let told = false;
  const attempt = async (limited: AbortSignal) => {
    try {
      return await count(limited);
    } catch (error) {
      limited.throwIfAborted();
      if (!(error instanceof ControllerError)) throw error;
      // Without --server it may well be that none is meant to be here.
      const mistake = error.retry === 'never' && (error.code === 'controller' || config.server !== undefined);
      if (mistake && !told) printError(error.message);
      told ||= mistake;
      return null;
    }
  };
  return (await attempt(signal)) === null ? async () => null : attempt;
}

/** Asks until `settled`, or for some seconds; tells `words` meanwhile. Resolves with the last answer. */
export async function untilHere(
  here: Here,
  settled: (seen: number | null) => boolean,
  words: string,
  { clock, progress }: Pick<AppPorts, 'clock' | 'progress'>,
  signal: AbortSignal,
): Promise<number | null> {
  const until = clock.monotonic() + HERE_MS;
  for (;;) {
    const count = await here(signal);
    if (settled(count) || clock.monotonic() >= until) return count;
    progress(words);
    await clock.sleep(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}
