import type { Config } from '../../config/config.ts';
import { messageOf } from '../../errors.ts';
import { EXIT_DIFFERENT, EXIT_OK } from '../exit-status.ts';
import { openController } from './controller.ts';
import { get } from './query.ts';

/** Below the time limit for a probe, both the default of container runtimes and that of our deployment files. */
const ANSWER_MS = 4_000;

/** The body with which a check that passed answers. */
const PASSED = 'ok';

export interface HealthPorts {
  /** Standard output. */
  readonly print: (text: string) => void;
}

/**
 * Queries the controller of this host, or at `--server`, for whether it is alive (`/livez`) or, with `--ready`, ready, and
 * prints the answers. Resolves with the exit status for a probe: 0, or 1 for anything else, including no answer and a file
 * that cannot be used. With `--listen off` there is nothing to check: 0.
 */
export async function health(config: Config, { print }: HealthPorts, signal: AbortSignal): Promise<number> {
  if (config.server === undefined && config.listen === null) {
    print('not checked: --listen is off\n');
    return EXIT_OK;
  }
  const paths = [...(config.live || !config.ready ? ['/livez'] : []), ...(config.ready ? ['/readyz'] : [])];
  try {
    const controller = await openController(config);
    const answers = await Promise.all(paths.map((path) => get(controller, path, ANSWER_MS, signal)));
    if (answers.some(({ status, text }) => status === 200 && text.trim() !== PASSED)) {
      print(
        `${controller.url} answers, but not as a controller does: does another program have this port?\n`,
      );
      return EXIT_DIFFERENT;
    }
    for (const { text } of answers) print(text.endsWith('\n') ? text : `${text}\n`);
    return answers.every(({ status }) => status === 200) ? EXIT_OK : EXIT_DIFFERENT;
  } catch (error) {
    print(`${messageOf(error)}\n`);
    return EXIT_DIFFERENT;
  }
}
