import type { Config } from '../../../config/config.ts';
import type { AppCommandName } from '../../../config/option.ts';

/** An app command as typed. */
export interface AppCommand {
  readonly command: AppCommandName;
  readonly config: Config;
  readonly operands: readonly string[];
}

/** The implementation of the app commands, for Marathon or for a cluster, each with its own kind of session. */
export interface Verbs<Session> {
  add(kind: 'app' | 'pod', file: string | null, session: Session): Promise<number>;
  update(id: string, changes: readonly string[], session: Session): Promise<number>;
  remove(id: string, session: Session): Promise<number>;
  list(session: Session): Promise<number>;
  show(id: string, session: Session): Promise<number>;
}

/** Executes the command as typed. Resolves with the exit status. */
export async function carryOut<Session>(
  { command, operands }: Pick<AppCommand, 'command' | 'operands'>,
  { add, update, remove, list, show }: Verbs<Session>,
  session: Session,
): Promise<number> {
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
