import type { Config } from '../../../config/config.ts';
import { ControllerError } from '../../../errors.ts';
import { statusDocument } from '../../../status/document.ts';
import { inRotation } from '../../../status/figures.ts';
import { openController } from '../controller.ts';
import { query } from '../query.ts';
import type { AppPorts } from './messages.ts';

/** Counts the backends of an app that get new connections on this host; null if no controller answers here. */
export type CountHere = (signal: AbortSignal) => Promise<number | null>;

const POLL_MS = 500;
/** How long to wait for the controller on this host once everything else is done. */
const APPLY_MS = 5_000;

/**
 * Returns a function that counts the backends of an app in rotation on this host. If no controller answers the first query,
 * it returns null from then on. Prints an error if the controller denies access, or a file in the options cannot be used.
 */
export async function countHere(
  config: Config,
  id: string,
  { printError }: Pick<AppPorts, 'printError'>,
  signal: AbortSignal,
): Promise<CountHere> {
  const count = async (limited: AbortSignal) => {
    const path = `/v1/status?vip=${encodeURIComponent(id)}`;
    const { document } = await query(await openController(config), path, statusDocument, limited);
    const backends = document.vips.flatMap((vip) => vip.backends);
    return backends.filter((backend) => backend.app === id && inRotation(backend)).length;
  };
  let reported = false;
  const attempt = async (limited: AbortSignal) => {
    try {
      return await count(limited);
    } catch (error) {
      limited.throwIfAborted();
      if (!(error instanceof ControllerError)) throw error;
      // Without --server this host may simply have no controller.
      const mistake = error.retry === 'never' && (error.code === 'controller' || config.server !== undefined);
      if (mistake && !reported) printError(error.message);
      reported ||= mistake;
      return null;
    }
  };
  return (await attempt(signal)) === null ? async () => null : attempt;
}

/** Polls until `settled`, but only for some seconds, and shows `words` meanwhile. Resolves with the last count. */
export async function waitHere(
  here: CountHere,
  settled: (seen: number | null) => boolean,
  words: string,
  { clock, progress }: Pick<AppPorts, 'clock' | 'progress'>,
  signal: AbortSignal,
): Promise<number | null> {
  const until = clock.monotonic() + APPLY_MS;
  for (;;) {
    const count = await here(signal);
    if (settled(count) || clock.monotonic() >= until) return count;
    progress(words);
    await clock.sleep(POLL_MS, signal);
    signal.throwIfAborted();
  }
}
