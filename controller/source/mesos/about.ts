import type { About } from '../../delta.ts';
import type { AgentAddresses } from '../document/agents.ts';
import type { AgentTable } from './agent-table.ts';
import { type JoinedTask, unnamedWarning } from './apps.ts';
import type { RefusedTable } from './refused-table.ts';

/** What is not about an app. `source`: name of the source; `waiting`: the tasks whose framework is not known yet. */
export function aboutOf(
  source: string,
  agents: AgentTable,
  refused: RefusedTable,
  waiting: readonly JoinedTask[],
  addresses: AgentAddresses,
): About {
  const places = agents.placesByAddress(addresses);
  return {
    rejected: refused.rejections(source),
    warnings: unnamedWarning(waiting),
    // Those of other tasks are part of the tasks.
    agents: agents.addresses(addresses, waiting),
    ...(places !== null && { places }),
  };
}
