import type { App, NamedAddresses } from '../model.ts';
import { canonicalAddress } from './address.ts';
import { differenceOf } from './grouping.ts';
import { hasAddress, type Pools } from './pool.ts';
import type { Target } from './target.ts';

/** Why an address belongs to someone already; null when it does not, as far as the asked one knows. */
export type RealAddresses = (address: string) => string | null;

/** Refusals of IP VIPs during one pass. */
export interface Refusals {
  /** null for a named VIP, and for an address that is free. */
  refusal(target: Target): string | null;
  /** Names whose remembered address was a reason to refuse. */
  readonly blockers: ReadonlySet<string>;
}

/**
 * Makes the judge of IP VIPs: an agent's address, one that a name holds, and what `realAddresses` knows of are
 * refused, since a local route for such an address would cut every host off from its owner.
 */
export function createRefusals(
  pools: Pools,
  realAddresses: RealAddresses,
): (apps: readonly App[], remembered: ReadonlyMap<string, NamedAddresses>) => Refusals {
  const agentsAmong = createAgents();

  return (apps, remembered) => {
    const blockers = new Set<string>();
    // Most clusters have few IP VIPs or none: what is needed to judge them is gathered when the first one comes.
    const agents = lazily(() => agentsAmong(apps));
    const holders = lazily(() => holdersOf(remembered));

    const refusal = ({ address }: Target): string | null => {
      if (address === null) return null;
      if (agents().has(address.text)) return 'it is the address of an agent';
      const pool = pools[address.family];
      const holder = pool !== null && hasAddress(pool, address) ? holders().get(address.text) : undefined;
      if (holder !== undefined) {
        blockers.add(holder);
        return `it is the address of the named VIP ${holder}`;
      }
      return realAddresses(address.text);
    };
    return { refusal, blockers };
  };
}

/** Makes the function that knows the agents of a list of apps; it counts anew only what changed in the list. */
function createAgents(): (apps: readonly App[]) => ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const count = (apps: readonly App[], by: number): void => {
    for (const app of apps) {
      for (const address of agentAddresses(app)) {
        const sum = (counts.get(address) ?? 0) + by;
        if (sum > 0) counts.set(address, sum);
        else counts.delete(address);
      }
    }
  };
  let last: readonly App[] = [];

  return (apps) => {
    const { gone, come } = differenceOf(last, apps);
    last = apps;
    count(gone, -1);
    count(come, 1);
    return counts;
  };
}

/** Of all tasks, whether they run or not, and of ports without VIP too: an agent is an agent. */
function agentAddresses(app: App): ReadonlySet<string> {
  const found = new Set<string>();
  for (const task of app.tasks) {
    for (const port of task.ports) {
      if (port.backendAddress !== 'agent') continue;
      for (const endpoint of port.endpoints)
        found.add(canonicalAddress(endpoint.address) ?? endpoint.address);
    }
  }
  return found;
}

function holdersOf(remembered: ReadonlyMap<string, NamedAddresses>): ReadonlyMap<string, string> {
  const holders = new Map<string, string>();
  for (const [name, { ipv4, ipv6 }] of remembered) {
    if (ipv4 !== undefined) holders.set(ipv4, name);
    if (ipv6 !== undefined) holders.set(ipv6, name);
  }
  return holders;
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
