import { usage } from '../../../config/option-text.ts';
import { createLog } from '../../../log.ts';
import { appIdProblem } from '../../../source/marathon/paths.ts';
import { openAppClient } from './app-client.ts';
import { add, remove, type Session, update } from './deploy.ts';
import { list } from './list.ts';
import type { AppPorts } from './messages.ts';
import { show } from './show.ts';
import { targetOf } from './target.ts';
import { type AppCommand, carryOut } from './verbs.ts';

/** Commands whose first operand becomes part of a path at Marathon. */
const NAMES_AN_APP: ReadonlySet<AppCommand['command']> = new Set(['app update', 'app remove', 'app show']);

/**
 * Executes an app command at Marathon or in a cluster. Resolves with the exit status; rejects with a `ControllerError` if the
 * server does not answer.
 */
export async function executeAppCommand(
  { command, config, operands }: AppCommand,
  ports: AppPorts,
  signal: AbortSignal,
): Promise<number> {
  const target = targetOf(config);
  if (target.kind === 'kubernetes') {
    const { executeInCluster } = await import('./kubernetes/execute.ts');
    return await executeInCluster({ command, config, operands }, target.context, ports, signal);
  }
  const [id] = operands;
  if (id !== undefined && NAMES_AN_APP.has(command)) {
    const why = appIdProblem(id.startsWith('/') ? id : `/${id}`);
    if (why !== null) throw usage(`${command} "${id}": ${why}`);
  }
  const client = openAppClient(target.where, config, ports.clock, createLog(config.logLevel));
  const session: Session = { config, client, ports, signal };
  return await carryOut({ command, operands }, { add, update, remove, list, show }, session);
}
