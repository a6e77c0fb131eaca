import type { App, NamedAddresses } from '../model.ts';
import { canonicalAddress } from './address.ts';
import { inPool, type Pools } from './pool.ts';
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
  const agentsOf = new WeakMap<App, ReadonlySet<string>>();
  const agents = (app: App): ReadonlySet<string> => {
    const known = agentsOf.get(app) ?? agentAddresses(app);
    agentsOf.set(app, known);
    return known;
  };

  return (apps, remembered) => {
    const blockers = new Set<string>();
    // Most clusters have few IP VIPs or none: what is needed to judge them is gathered when the first one comes.
    const isAgent = lazily(() => union(apps.map(agents)));
    const holders = lazily(() => holdersOf(remembered));

    const refusal = ({ address }: Target): string | null => {
      if (address === null) return null;
      if (isAgent().has(address.text)) return `${address.text} is the address of an agent`;
      const pool = pools[address.family];
      const holder = pool !== null && inPool(pool, address.text) ? holders().get(address.text) : undefined;
      if (holder !== undefined) {
        blockers.add(holder);
        return `${address.text} is the address of the named VIP ${holder}`;
      }
      return realAddresses(address.text);
    };
    return { refusal, blockers };
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

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const all = new Set<string>();
  for (const set of sets) for (const item of set) all.add(item);
  return all;
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
