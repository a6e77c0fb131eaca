import { addressText } from '../../address.ts';
import { isHostName } from '../../input/host-name.ts';
import type { App, Task } from '../../model/app.ts';
import type { Resolver } from '../../ports.ts';
import type { Documents } from './documents.ts';
import type { AgentAddress } from './placement.ts';

/** The host names of all agents in the documents. */
export function agentsIn({ apps, pods }: Pick<Documents, 'apps' | 'pods'>): ReadonlySet<string> {
  const hosts = new Set<string>();
  for (const { tasks } of apps) for (const { host } of tasks ?? []) if (host) hosts.add(host);
  for (const { instances } of pods)
    for (const { agentHostname } of instances ?? []) if (agentHostname) hosts.add(agentHostname);
  return hosts;
}

/** Agents' addresses by host name; null while unknown. */
export type AgentAddresses = ReadonlyMap<string, string | null>;

/**
 * Resolves all hosts concurrently. An address resolves to itself; a text that cannot be a host name has no address.
 */
export async function resolveAgents(hosts: Iterable<string>, resolver: Resolver): Promise<AgentAddresses> {
  const addresses = new Map<string, string | null>();
  const names: string[] = [];
  for (const host of hosts) {
    const address = addressText(host);
    if (address === null && isHostName(host)) names.push(host);
    else addresses.set(host, address);
  }
  await Promise.all(names.map(async (name) => addresses.set(name, await resolver.resolve(name))));
  return addresses;
}

/** A lookup for conversions. `before` has addresses for agents that cannot be resolved now. */
export function addressIn(addresses: AgentAddresses, before?: AgentAddresses): AgentAddress {
  return (host) => addresses.get(host) ?? before?.get(host) ?? null;
}

/**
 * The last known addresses of agents whose names cannot be resolved, taken from their tasks' last conversion. A task
 * never moves, and without an address for its agent it would look ended.
 */
export function agentsBefore(
  agents: AgentAddresses,
  { apps, pods }: Pick<Documents, 'apps' | 'pods'>,
  previous: (id: string) => App | undefined,
): AgentAddresses {
  const found = new Map<string, string>();
  const isLost = (host: string) => agents.get(host) === null && !found.has(host) && isHostName(host);
  const learn = (id: string, runs: readonly Runs[], idOf: (task: Task) => string) => {
    const lost = runs.filter(({ host }) => host && isLost(host));
    if (lost.length === 0) return;
    const known = new Map(previous(id)?.tasks.map((task) => [idOf(task), agentOf(task)]));
    for (const run of lost) {
      const address = known.get(run.id);
      if (run.host && address !== undefined) found.set(run.host, address);
    }
  };
  for (const { id, tasks } of apps) learn(id, tasks ?? [], (task) => task.id);
  for (const { id, instances } of pods) {
    const runs = (instances ?? []).map((instance) => ({ id: instance.id, host: instance.agentHostname }));
    // Each container of a pod is a task; its id is the instance id followed by its own name.
    learn(id, runs, (task) => task.id.slice(0, task.id.lastIndexOf('.')));
  }
  return found;
}

/** A task or instance, and its agent. */
interface Runs {
  readonly id: string;
  readonly host?: string | null | undefined;
}

/** The address of a task's agent; undefined if the task does not show it. */
export function agentOf({ agent, ports }: Task): string | undefined {
  return (
    agent?.address ?? ports.find(({ backendAddress }) => backendAddress === 'agent')?.endpoints[0]?.address
  );
}
