import type { Port, TaskPort } from '../../model.ts';
import { nowhere, onAgent, onContainer, type Placement, taskPort } from '../document/placement.ts';
import { protocolList } from '../document/ports.ts';
import { taskLabelVips } from '../document/task-labels.ts';
import type { DiscoveryPort, TaskFacts } from './facts.ts';
import type { MesosPortMapping } from './schema.ts';

/** The agent that a task runs on. */
export interface TaskAgent {
  /** As Mesos names it; null while it has not. */
  readonly host: string | null;
  /** null while not known. */
  readonly address: string | null;
}

/**
 * A task's ports with where each is reached, by dcos-net's rules (dcos_net_mesos_listener): a port that has a host port
 * is reached at the agent's address, any other one at the task's own addresses. The old task labels `vip_PORT0` are
 * ports of their own, as they are in Marathon's apps.
 */
export function portsOf(facts: TaskFacts, agent: TaskAgent): readonly TaskPort[] {
  // What runs no more is nowhere, whatever takes its addresses next.
  if (facts.state === 'gone') return [];
  const discovered = facts.ports.map((port) => placed(port, facts, agent));
  return [...discovered, ...labelledPorts(facts, agent)];
}

const TCP: readonly string[] = ['tcp'];

function placed(discovery: DiscoveryPort, facts: TaskFacts, agent: TaskAgent): TaskPort {
  const { hostPort, ownPort } = numbersOf(discovery, facts.mappings);
  const common = {
    at: `${place(facts)}discovery.ports.ports[${discovery.index}]`,
    protocols: protocolList(discovery.protocol, TCP),
    labels: discovery.labels,
    ...(facts.container !== undefined && { container: facts.container }),
  };
  if (isOnHost(facts, agent)) {
    const port: Port = { ...common, mode: 'host', backendAddress: 'agent' };
    return taskPort(port, onContainer(facts.addresses, hostPort ?? ownPort), facts.state);
  }
  if (hostPort !== null) {
    const port: Port = { ...common, mode: 'container/bridge', backendAddress: 'agent' };
    return taskPort(port, onAgentPort(agent, hostPort, facts, ownPort), facts.state);
  }
  // Marathon names the network of a container's port; a port without one is an agent's, until the address is known.
  const onHost = facts.addresses.length === 0 && discovery.labels[SCOPE] === undefined;
  const port: Port = onHost
    ? { ...common, mode: 'host', backendAddress: 'agent' }
    : { ...common, mode: 'container', backendAddress: 'container' };
  return taskPort(port, onContainer(facts.addresses, ownPort), facts.state);
}

const SCOPE = 'network-scope';

/** The host port and the port within the task, as far as there are such: label, then what the mappings add. */
function numbersOf(
  { number, protocol, labels }: DiscoveryPort,
  mappings: readonly MesosPortMapping[],
): { readonly hostPort: number | null; readonly ownPort: number | null } {
  const isHostPort = labels[SCOPE] === 'host';
  const [first = 'tcp'] = protocolList(protocol, TCP);
  const mapping = mappings.find(
    ({ host_port, container_port, protocol: mapped }) =>
      (mapped || 'tcp').toLowerCase() === first.toLowerCase() &&
      (isHostPort ? host_port : container_port) === number,
  );
  return isHostPort
    ? { hostPort: number, ownPort: mapping?.container_port ?? null }
    : { hostPort: mapping?.host_port || null, ownPort: number };
}

function labelledPorts(facts: TaskFacts, agent: TaskAgent): readonly TaskPort[] {
  return taskLabelVips(facts.labels).map(({ at, index, protocols, labels }) => {
    const port: Port = {
      at: `${place(facts)}${at}`,
      protocols,
      labels,
      mode: isOnHost(facts, agent) ? 'host' : 'container/bridge',
      backendAddress: 'agent',
      ...(facts.container !== undefined && { container: facts.container }),
    };
    const number = nthPort(facts.hostPorts, index);
    const placement =
      number === null
        ? nowhere(`Mesos has allocated no host port number ${index} for it`)
        : onAgentPort(agent, number, facts, mappedPort(number, protocols, facts));
    return taskPort(port, placement, facts.state);
  });
}

/** Containers of one pod have ports of their own at the same place. */
function place({ container }: TaskFacts): string {
  return container === undefined ? '' : `containers[${container}].`;
}

function isOnHost({ addresses }: TaskFacts, agent: TaskAgent): boolean {
  return addresses.length === 1 && addresses[0] === agent.address;
}

/** `ownPort`: behind the host port, where the container has a network of its own; null where it is not known. */
function onAgentPort(
  { host, address }: TaskAgent,
  hostPort: number,
  { addresses }: TaskFacts,
  ownPort: number | null,
): Placement {
  if (host === null) return nowhere('Mesos has not told of its agent yet');
  const behind =
    ownPort === null || addresses.includes(address ?? '') ? undefined : { addresses, port: ownPort };
  return onAgent(host, hostPort, () => address, behind);
}

function mappedPort(hostPort: number, [protocol]: readonly string[], { mappings }: TaskFacts): number | null {
  const mapping = mappings.find(
    ({ host_port, protocol: mapped }) =>
      host_port === hostPort && (mapped || 'tcp').toLowerCase() === protocol,
  );
  return mapping?.container_port ?? null;
}

/** The ranges may span the whole of an agent: they are not written out. */
function nthPort(ranges: TaskFacts['hostPorts'], index: number): number | null {
  let left = index;
  for (const [first, last] of ranges) {
    if (left <= last - first) return first + left;
    left -= Math.max(0, last - first + 1);
  }
  return null;
}
