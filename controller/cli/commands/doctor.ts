import type { Config } from '../../config/config.ts';
import { examine } from '../../doctor/examine.ts';
import { doctorText } from '../../doctor/print-text.ts';
import { doctorOptions, type RunningController, readFacts } from '../../doctor/read-facts.ts';
import { EXIT_DIFFERENT, EXIT_OK } from '../../exit-status.ts';
import type { Clock } from '../../ports.ts';
import { statusDocument } from '../../status/document.ts';
import { documentText } from '../document-text.ts';
import type { Printer } from '../terminal.ts';
import { openController } from './controller.ts';
import { query } from './query.ts';

export interface DoctorPorts extends Pick<Printer, 'print' | 'layout'> {
  readonly clock: Pick<Clock, 'epoch'>;
  /** Reads the facts of the network namespace of `--netns`; null: of this one. */
  readonly elsewhere: { readonly path: string; readonly facts: typeof readFacts } | null;
}

/**
 * Prints what this host lacks, or a network namespace of it, each with the command that fixes it. Resolves with the exit status: 0, or 1 when
 * there is a problem. It works without a running controller, and checks less then.
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

/** Asks the running controller for its status; null when none answers. Rejects only where `--server` names one. */
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
