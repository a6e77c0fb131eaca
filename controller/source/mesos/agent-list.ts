import type { Pace } from '../../pace.ts';
import { type Wanted, walkJson } from '../json.ts';
import { agentInfoSchema, agentSchema } from './schema.ts';

/** The agents of a master, by id. */
export interface AgentList {
  readonly registered: ReadonlySet<string>;
  /** Known from before a failover, and not back yet. */
  readonly recovering: ReadonlySet<string>;
}

const GET_AGENTS: Wanted = { get_agents: { agents: 'each', recovered_agents: 'each' } };

/**
 * Reads a `GET_AGENTS` reply, in turns of a few milliseconds. Null where it is no such reply, a `SyntaxError` for what is no
 * JSON or not complete.
 */
export async function readAgentList(bytes: Buffer, pace: Pace): Promise<AgentList | null> {
  const registered = new Set<string>();
  const recovering = new Set<string>();
  let isReply = false;
  for (const found of walkJson(bytes, GET_AGENTS, 'strict')) {
    if (found?.path === 'get_agents') isReply = true;
    else if (found?.path === 'get_agents.agents') {
      const { data } = agentSchema.safeParse(found.json);
      if (data) registered.add(data.agent_info.id.value);
    } else if (found?.path === 'get_agents.recovered_agents') {
      const { data } = agentInfoSchema.safeParse(found.json);
      if (data) recovering.add(data.id.value);
    }
    await pace.restIfDue();
  }
  return isReply ? { registered, recovering } : null;
}
