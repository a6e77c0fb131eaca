import type { Config } from '../../config/config.ts';
import type { AppCommandName } from '../../config/option.ts';
import { createLog } from '../../log.ts';
import { add, remove, type Session, update } from './deploy.ts';
import { list } from './list.ts';
import { openApps } from './parts.ts';
import { show } from './show.ts';
import type { AppPorts } from './talk.ts';
import { targetOf } from './target.ts';

/** A command for Marathon or a cluster as it was typed. */
export interface AppCommand {
  readonly command: AppCommandName;
  readonly config: Config;
  readonly operands: readonly string[];
}

/** Carries it out. Resolves with the exit status; rejects with a `ControllerError` when that does not answer. */
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
  const parts = openApps(target.where, config, ports.clock, createLog(config.logLevel));
  const session: Session = { config, parts, ports, signal };
  const [first = null, ...rest] = operands;
  switch (command) {
    case 'app add':
      return await add('app', first, session);
    case 'pod add':
      return await add('pod', first, session);
    case 'app update':
      return await update(first ?? '', rest, session);
    case 'app remove':
      return await remove(first ?? '', session);
    case 'app list':
      return await list(session);
    case 'app show':
      return await show(first ?? '', session);
  }
}
