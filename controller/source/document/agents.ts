import { addressText } from '../../address.ts';
import type { Resolver } from '../../ports.ts';
import type { Documents } from './documents.ts';
import type { AgentAddress } from './placement.ts';

/** Every agent that these documents name, each once. */
export function agentsIn({ apps, pods }: Pick<Documents, 'apps' | 'pods'>): ReadonlySet<string> {
  const hosts = new Set<string>();
  for (const app of apps) for (const { host } of app.tasks ?? []) if (host) hosts.add(host);
  for (const pod of pods)
    for (const { agentHostname } of pod.instances ?? []) if (agentHostname) hosts.add(agentHostname);
  return hosts;
}

/** Agents' host names with their addresses, null while not known. */
export type AgentAddresses = ReadonlyMap<string, string | null>;

/** Resolves these at once. An address among them stands for itself. */
export async function resolveAgents(hosts: Iterable<string>, resolver: Resolver): Promise<AgentAddresses> {
  const addresses = new Map<string, string | null>();
  const names: string[] = [];
  for (const host of hosts) {
    const address = addressText(host);
    if (address === null) names.push(host);
    else addresses.set(host, address);
  }
  await Promise.all(names.map(async (name) => addresses.set(name, await resolver.resolve(name))));
  return addresses;
}

/** The look-up that conversions take. */
export function addressIn(addresses: AgentAddresses): AgentAddress {
  return (host) => addresses.get(host) ?? null;
}
