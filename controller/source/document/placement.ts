import type { Port, TaskPort, TaskState } from '../../model.ts';
import { endpointsAt } from './addresses.ts';

/** The IP address of an agent, by the host name or address that Marathon gives; null while not known. */
export type AgentAddress = (host: string) => string | null;

/** Where a port is reached, or why it is not known. */
export type Placement = Pick<TaskPort, 'endpoints' | 'unresolved'>;

/** At an allocated port of the agent. */
export function onAgent(
  host: string | null | undefined,
  hostPort: number | null | undefined,
  agentAddress: AgentAddress,
): Placement {
  if (!hostPort) return nowhere('Marathon gives no host port for it');
  if (!host) return nowhere('Marathon names no agent host for it');
  const address = agentAddress(host);
  if (address === null) return nowhere(`the agent's host name ${host} has no known IPv4 address`);
  return { endpoints: [{ address, port: hostPort }] };
}

/** At the addresses of the container itself, both families. */
export function onContainer(
  addresses: readonly (string | null | undefined)[],
  containerPort: number | null | undefined,
): Placement {
  if (!containerPort) return nowhere('containerPort is 0 and there is no hostPort: nothing to connect to');
  const endpoints = endpointsAt(addresses, containerPort);
  return endpoints.length > 0 ? { endpoints } : nowhere('it has no IP address yet');
}

/** Not known where. */
export function nowhere(unresolved: string): Placement {
  return { endpoints: [], unresolved };
}

/** A task's port. Why it is not reached is told only of a task that should be. */
export function taskPort(port: Port, { endpoints, unresolved }: Placement, state: TaskState): TaskPort {
  const serves = state === 'running' || state === 'killing';
  return unresolved !== undefined && serves ? { ...port, endpoints, unresolved } : { ...port, endpoints };
}
