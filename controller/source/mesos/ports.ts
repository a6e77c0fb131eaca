import type { Placement, Port, TaskPort } from '../../model/app.ts';
import { addressesOn, onNetworks } from '../document/networks.ts';
import { notPlaced, onAgent, onContainer, taskPort } from '../document/placement.ts';
import { protocolList } from '../document/ports.ts';
import { taskLabelVips } from '../document/task-labels.ts';
import type { DiscoveryPort } from './discovery.ts';
import type { PortMapping, TaskFacts } from './facts.ts';

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
  // An ended task has no ports, even if a later one gets its addresses.
  if (facts.state === 'gone') return [];
  const discovered = facts.ports.map((port) => placed(port, facts, agent));
  return discovered.concat(labelledPorts(facts, agent));
}

const TCP: readonly string[] = ['tcp'];

function placed(discovery: DiscoveryPort, facts: TaskFacts, agent: TaskAgent): TaskPort {
  const { hostPort, ownPort, network } = numbersOf(discovery, facts.mappings);
  const common = {
    at: `${pathPrefix(facts)}discovery.ports.ports[${discovery.index}]`,
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
    return taskPort(port, onAgentPort(agent, hostPort, facts, { ownPort, network }), facts.state);
  }
  if (facts.lacksMappings)
    return taskPort(
      { ...common, mode: 'container', backendAddress: 'container' },
      notPlaced(LACKS_MAPPINGS),
      facts.state,
    );
  // It waits for its agent even where it has an address of its own.
  if (agent.host === null)
    return taskPort(
      { ...common, mode: 'container', backendAddress: 'container' },
      notPlaced(NO_AGENT),
      facts.state,
    );
  // Marathon names the network of a container's port; a port without one is an agent's, until the address is known.
  const onHost = facts.addresses.length === 0 && discovery.labels[SCOPE] === undefined;
  const port: Port = onHost
    ? { ...common, mode: 'host', backendAddress: 'agent' }
    : { ...common, mode: 'container', backendAddress: 'container' };
  const choice = addressesOn(networkOf(discovery), facts.networks);
  return taskPort(
    port,
    onNetworks(choice, (addresses) => onContainer(addresses, ownPort)),
    facts.state,
  );
}

const NO_AGENT = 'Mesos has not reported its agent yet';
const LACKS_MAPPINGS =
  'it is not known whether a host port is mapped to it: a port mapping of its task cannot be read';

const SCOPE = 'network-scope';
const NETWORK = 'network-name';

/** Marathon has a discovery port for each network of a container's port. */
function networkOf({ labels }: DiscoveryPort): readonly string[] {
  const name = labels[NETWORK];
  return name ? [name] : [];
}

/** The host port and the port within the task, as far as there are such: label, then what the mappings add. */
function numbersOf(
  { number, protocol, labels }: DiscoveryPort,
  mappings: readonly PortMapping[],
): { readonly hostPort: number | null } & Mapped {
  const isHostPort = labels[SCOPE] === 'host';
  const [first = 'tcp'] = protocolList(protocol, TCP);
  const mapping = mappings.find(
    ({ host_port, container_port, protocol: mapped }) =>
      (mapped || 'tcp').toLowerCase() === first.toLowerCase() &&
      (isHostPort ? host_port : container_port) === number,
  );
  const network = mapping?.network ?? null;
  return isHostPort
    ? { hostPort: number, ownPort: mapping?.container_port ?? null, network }
    : { hostPort: mapping?.host_port || null, ownPort: number, network };
}

/** Where a host port leads: the container's own port, and the network on which it is; null where it is not known. */
interface Mapped {
  readonly ownPort: number | null;
  readonly network: string | null;
}

function labelledPorts(facts: TaskFacts, agent: TaskAgent): readonly TaskPort[] {
  return taskLabelVips(facts.labels).map(({ at, index, protocols, labels }) => {
    const port: Port = {
      at: `${pathPrefix(facts)}${at}`,
      protocols,
      labels,
      mode: isOnHost(facts, agent) ? 'host' : 'container/bridge',
      backendAddress: 'agent',
      ...(facts.container !== undefined && { container: facts.container }),
    };
    const number = nthPort(facts.hostPorts, index);
    const placement =
      number === null
        ? notPlaced(`Mesos has allocated no host port number ${index} for it`)
        : onAgentPort(agent, number, facts, mappedPort(number, protocols, facts));
    return taskPort(port, placement, facts.state);
  });
}

/** What paths in a task's data begin with: containers of one pod have ports of their own at the same place. */
export function pathPrefix({ container }: TaskFacts): string {
  return container === undefined ? '' : `containers[${container}].`;
}

function isOnHost({ addresses }: TaskFacts, agent: TaskAgent): boolean {
  return addresses.length === 1 && addresses[0] === agent.address;
}

/** `mapped`: what is behind the host port, where the container has a network of its own. */
function onAgentPort(
  { host, address }: TaskAgent,
  hostPort: number,
  { addresses, networks }: TaskFacts,
  { ownPort, network }: Mapped,
): Placement {
  if (host === null) return notPlaced(NO_AGENT);
  if (!isPort(hostPort)) return notPlaced(`its host port ${hostPort} is not a port number`);
  const own = network === null ? addresses : addressesOn([network], networks).addresses;
  const behind =
    ownPort === null || !isPort(ownPort) || addresses.includes(address ?? '')
      ? undefined
      : { addresses: own, port: ownPort };
  return onAgent(host, hostPort, () => address, behind);
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= 65_535;
}

function mappedPort(hostPort: number, [protocol]: readonly string[], { mappings }: TaskFacts): Mapped {
  const mapping = mappings.find(
    ({ host_port, protocol: mapped }) =>
      host_port === hostPort && (mapped || 'tcp').toLowerCase() === protocol,
  );
  return { ownPort: mapping?.container_port ?? null, network: mapping?.network ?? null };
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
