import { addressText, unusableAsBackend } from '../../address.ts';
import { isHostName } from '../../input/host-name.ts';
import {
  type Agent,
  type Placement,
  type Port,
  placedPort,
  type Task,
  type TaskPort,
  type TaskState,
} from '../../model/app.ts';
import type { Endpoint } from '../../model/endpoint.ts';

/** The IP address of an agent, by the host name or address that Marathon reports; null while unknown. */
export type AgentAddress = (host: string) => string | null;

/** A container behind a host port, as reached from its own agent. */
export interface Behind {
  readonly addresses: readonly (string | null | undefined)[];
  /** 0 for the same number as the host port. */
  readonly port: number;
}

/** Places a port at an allocated host port of the agent. `behind` is the container, if it has a network of its own. */
export function onAgent(
  host: string | null | undefined,
  hostPort: number | null | undefined,
  agentAddress: AgentAddress,
  behind?: Behind,
): Placement {
  if (!hostPort) return notPlaced('Marathon gives no host port for it');
  if (!host) return notPlaced('Marathon names no agent host for it');
  const address = agentAddress(host);
  if (address === null) return notPlaced(unknownAgent(host));
  const endpoints = [{ address, port: hostPort }];
  const local = behind === undefined ? [] : localEndpoints(behind, hostPort);
  return local.length === 0 ? { endpoints } : { endpoints, local };
}

function unknownAgent(host: string): string {
  return isHostName(host)
    ? `the agent's host name ${host} has no known IPv4 address`
    : `the agent's host "${host}" is neither an IPv4 address (four decimal numbers without leading zeros) nor a host name`;
}

/** With two addresses of one family, it is unknown which of them the host port forwards to: neither is used. */
function localEndpoints({ addresses, port }: Behind, hostPort: number): readonly Endpoint[] {
  const all = endpointsAt(addresses, port === 0 ? hostPort : port);
  const isIpv6 = ({ address }: Endpoint) => address.includes(':');
  const families = [all.filter(isIpv6), all.filter((endpoint) => !isIpv6(endpoint))];
  return families.filter(({ length }) => length === 1).flat();
}

/** Places a port at the addresses of the container itself, in both families. */
export function onContainer(
  addresses: readonly (string | null | undefined)[],
  containerPort: number | null | undefined,
): Placement {
  if (!containerPort) return notPlaced('containerPort is 0 and there is no hostPort: nothing to connect to');
  const endpoints = endpointsAt(addresses, containerPort);
  const others = addresses.filter((text) => text && addressText(text) === null);
  if (others.length > 0)
    return { endpoints, unresolved: `expected IP addresses without a zone, got ${others.join(', ')}` };
  return endpoints.length > 0 ? { endpoints } : notPlaced('it has no IP address yet');
}

/** One endpoint per distinct usable address. */
function endpointsAt(addresses: readonly (string | null | undefined)[], port: number): readonly Endpoint[] {
  const known = new Set(addresses.map(addressText).filter((address) => address !== null));
  return [...known].map((address) => ({ address, port }));
}

/** A port without endpoints, and the reason. */
export function notPlaced(unresolved: string): Placement {
  return { endpoints: [], unresolved };
}

/** A port of a task. The reason for missing endpoints is reported only when the task should serve. */
export function taskPort(port: Port, { unresolved, ...placed }: Placement, state: TaskState): TaskPort {
  const serves = state === 'running' || state === 'killing';
  return placedPort(port, unresolved !== undefined && serves ? { ...placed, unresolved } : placed);
}

/** Where a task runs, as far as its ports do not show it. */
export type TaskLocation = Pick<Task, 'agent' | 'addresses'>;

/**
 * The agent of a task and the addresses of its container, as far as `ports` does not show them: no VIP may use one of
 * these addresses, whether the task has ports or not. Invalid IP addresses are left out. `host` is the source's name
 * for the agent.
 */
export function locationOf(
  host: string | null | undefined,
  addresses: readonly (string | null | undefined)[],
  ports: readonly TaskPort[],
  agentAddress: AgentAddress,
): TaskLocation {
  const at = host ? agentAddress(host) : null;
  const agent: Agent | null = host && at !== null ? { host, address: at } : null;
  const own = new Set(addresses.map(addressText).filter((address) => address !== null && address !== at));
  for (const { backendAddress, endpoints, local = [] } of ports) {
    if (backendAddress === 'container') for (const { address } of endpoints) own.delete(address);
    for (const { address } of local) own.delete(address);
  }
  const others = [...own].filter((address) => address !== null);
  return {
    ...(agent !== null && !isShownBy(agent, ports) && { agent }),
    ...(others.length > 0 && { addresses: others }),
  };
}

/** If the agent's address cannot be a backend, its host name is needed too. */
function isShownBy({ host, address }: Agent, ports: readonly TaskPort[]): boolean {
  const inPorts = ports.some(
    ({ backendAddress, endpoints }) =>
      backendAddress === 'agent' && endpoints.some((endpoint) => endpoint.address === address),
  );
  return inPorts && (host === address || unusableAsBackend(address) === null);
}
