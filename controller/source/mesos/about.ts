import type { About } from '../../model/delta.ts';
import type { AgentAddresses } from '../document/agents.ts';
import type { AgentTable } from './agent-table.ts';
import { type JoinedTask, unnamedWarning } from './apps.ts';
import type { UnreadableTable } from './unreadable-table.ts';

/** The tables that a cluster reports about besides its apps. */
export interface ReportedTables {
  readonly agents: AgentTable;
  readonly unreadable: UnreadableTable;
  /** The tasks whose framework is not known yet. */
  readonly waiting: readonly JoinedTask[];
}

/** Everything that is not about a single app. `source` is the name of the source. */
export function aboutOf(
  source: string,
  { agents, unreadable, waiting }: ReportedTables,
  addresses: AgentAddresses,
): About {
  const places = agents.placesByAddress(addresses);
  const unknown = unreadable.unknown();
  return {
    rejected: unreadable.rejections(source),
    warnings: unnamedWarning(waiting),
    // Those of other tasks are part of the tasks.
    agents: agents.addresses(addresses, waiting),
    ...(places !== null && { places }),
    ...(unknown.length > 0 && { unknown }),
  };
}
