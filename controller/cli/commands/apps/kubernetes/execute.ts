import { createTranslator } from '../../../../desired/translate.ts';
import { ApiFailure } from '../../../../kubernetes/api-failure.ts';
import { openKubernetes } from '../../../../source/kubernetes/source.ts';
import { poolsOf } from '../../../../wire/options.ts';
import { EXIT_ERROR } from '../../../exit-status.ts';
import type { AppPorts } from '../messages.ts';
import { type AppCommand, carryOut } from '../verbs.ts';
import { add, remove, update } from './deploy.ts';
import { list } from './list.ts';
import { failureLines } from './messages.ts';
import type { ClusterSession } from './session.ts';
import { show } from './show.ts';
import { createObjectWriter } from './write.ts';

/**
 * Executes an app command in a cluster. Resolves with the exit status; rejects with a `ControllerError` if the API server does
 * not answer.
 */
export async function executeInCluster(
  { command, config, operands }: AppCommand,
  context: string,
  ports: AppPorts,
  signal: AbortSignal,
): Promise<number> {
  const { sourceTimeoutSeconds: seconds } = config;
  const limits = { silenceMs: seconds * 1_000, answerMs: seconds * 12_000 };
  const client = await openKubernetes({ context, clock: ports.clock, ...limits });
  const writer = createObjectWriter(client, ports.clock, signal);
  const translate = createTranslator({ zone: config.zone, pools: poolsOf(config) });
  try {
    const session: ClusterSession = { config, client, writer, translate, ports, signal };
    return await carryOut({ command, operands }, { add, update, remove, list, show }, session);
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    for (const line of failureLines([command, ...operands.slice(0, 1)].join(' '), error))
      ports.printError(line);
    return EXIT_ERROR;
  }
}
