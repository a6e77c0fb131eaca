import { addressText } from '../../address.ts';
import type { Endpoint, Port, TaskPort, TaskState } from '../../model.ts';

/** The IP address of an agent, by the host name or address that Marathon gives; null while not known. */
export type AgentAddress = (host: string) => string | null;

/** Where a port is reached, or why it is not known. */
export type Placement = Pick<TaskPort, 'endpoints' | 'local' | 'unresolved'>;

/** A container behind a host port, as its agent reaches it. */
export interface Behind {
  readonly addresses: readonly (string | null | undefined)[];
  /** 0: the same as the host port. */
  readonly port: number;
}

/** At an allocated port of the agent; `behind`: of which container, where that has a network of its own. */
export function onAgent(
  host: string | null | undefined,
  hostPort: number | null | undefined,
  agentAddress: AgentAddress,
  behind?: Behind,
): Placement {
  if (!hostPort) return notPlaced('Marathon gives no host port for it');
  if (!host) return notPlaced('Marathon names no agent host for it');
  const address = agentAddress(host);
  if (address === null) return notPlaced(`the agent's host name ${host} has no known IPv4 address`);
  const endpoints = [{ address, port: hostPort }];
  const local = behind === undefined ? [] : localEndpoints(behind, hostPort);
  return local.length === 0 ? { endpoints } : { endpoints, local };
}

/** Of two addresses of one family it is not known to which of the container's networks the host port leads. */
function localEndpoints({ addresses, port }: Behind, hostPort: number): readonly Endpoint[] {
  const all = endpointsAt(addresses, port === 0 ? hostPort : port);
  const isIpv6 = ({ address }: Endpoint) => address.includes(':');
  const families = [all.filter(isIpv6), all.filter((endpoint) => !isIpv6(endpoint))];
  return families.filter(({ length }) => length === 1).flat();
}

/** At the addresses of the container itself, both families. */
export function onContainer(
  addresses: readonly (string | null | undefined)[],
  containerPort: number | null | undefined,
): Placement {
  if (!containerPort) return notPlaced('containerPort is 0 and there is no hostPort: nothing to connect to');
  const endpoints = endpointsAt(addresses, containerPort);
  const others = addresses.filter((text) => text && addressText(text) === null);
  if (others.length > 0)
    return { endpoints, unresolved: `expected IP addresses without zone, and found ${others.join(', ')}` };
  return endpoints.length > 0 ? { endpoints } : notPlaced('it has no IP address yet');
}

/** One endpoint per usable address, each address once. */
function endpointsAt(addresses: readonly (string | null | undefined)[], port: number): readonly Endpoint[] {
  const known = new Set(addresses.map(addressText).filter((address) => address !== null));
  return [...known].map((address) => ({ address, port }));
}

/** Not known where. */
export function notPlaced(unresolved: string): Placement {
  return { endpoints: [], unresolved };
}

/** A task's port. Why it is not reached is reported only for a task that should be. */
export function taskPort(port: Port, { unresolved, ...placed }: Placement, state: TaskState): TaskPort {
  const serves = state === 'running' || state === 'killing';
  return unresolved !== undefined && serves ? { ...port, ...placed, unresolved } : { ...port, ...placed };
}
