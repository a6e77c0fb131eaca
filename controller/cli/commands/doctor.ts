import type { Config } from '../../config/config.ts';
import { examine } from '../../doctor/examine.ts';
import { doctorText } from '../../doctor/print-text.ts';
import { doctorOptions, type RunningController, readFacts } from '../../doctor/read-facts.ts';
import type { Clock } from '../../ports.ts';
import { statusDocument } from '../../status/document.ts';
import { documentText } from '../document-text.ts';
import { EXIT_DIFFERENT, EXIT_OK } from '../exit-status.ts';
import type { Printer } from '../terminal.ts';
import { openController } from './controller.ts';
import { query } from './query.ts';

export interface DoctorPorts extends Pick<Printer, 'print' | 'layout'> {
  readonly clock: Pick<Clock, 'epoch'>;
  /** Reads the facts in the network namespace of `--netns`; null for the current one. */
  readonly elsewhere: { readonly path: string; readonly facts: typeof readFacts } | null;
}

/**
 * Prints the problems of this host, or of one of its network namespaces, each with the command that fixes it. Resolves with
 * the exit status: 0, or 1 if there is a problem. Without a running controller there are fewer checks.
 */
export async function doctor(
  config: Config,
  { print, layout, clock, elsewhere }: DoctorPorts,
  signal: AbortSignal,
): Promise<number> {
  const controller = await askController(config, signal);
  const { facts, path } = elsewhere ?? { facts: readFacts, path: null };
  const document = examine(await facts(doctorOptions(config), controller), clock.epoch(), path);
  print(documentText(config.output, document, () => doctorText(document, layout())));
  return document.summary.problem === 0 ? EXIT_OK : EXIT_DIFFERENT;
}

/** Reads the status of the running controller; null if none answers. Rejects only if `--server` names one. */
export async function askController(config: Config, signal: AbortSignal): Promise<RunningController | null> {
  if (config.server === undefined && (config.listen === null || config.listen.port === 0)) return null;
  try {
    const controller = await openController(config);
    const { document } = await query(controller, '/v1/status', statusDocument, signal);
    return { url: controller.url, status: document };
  } catch (error) {
    if (config.server !== undefined || signal.aborted) throw error;
    return null;
  }
}
