import type { Address } from '../address.ts';
import type { NamedAddresses, Snapshot } from '../model.ts';
import { createHosts } from './hosts.ts';
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
  /** Addresses that were refused, whoever asked, with why. */
  readonly refused: ReadonlyMap<string, string>;
}

/**
 * Makes the judge of IP VIPs: the address of an agent or a container that a source tells of, one that a name holds, and
 * what `realAddresses` knows of are refused, since a local route for such an address would cut every host off from its
 * owner.
 */
export function createRefusals(
  pools: Pools,
  realAddresses: RealAddresses,
): (
  snapshot: Pick<Snapshot, 'apps' | 'agents'>,
  remembered: ReadonlyMap<string, NamedAddresses>,
) => Refusals {
  const ownersAmong = createHosts();

  return (snapshot, remembered) => {
    const blockers = new Set<string>();
    const refused = new Map<string, string>();
    // Most clusters have few IP VIPs or none: what is needed to judge them is gathered when the first one comes.
    const ownerOf = lazily(() => ownersAmong(snapshot));
    const holders = lazily(() => holdersOf(remembered));

    const reasonFor = (address: Address): string | null => {
      const owner = ownerOf()(address.text);
      if (owner !== null) return `it is the address of ${owner}`;
      const pool = pools[address.family];
      const holder = pool !== null && hasAddress(pool, address) ? holders().get(address.text) : undefined;
      if (holder !== undefined) {
        blockers.add(holder);
        return `it is the address of the named VIP ${holder}`;
      }
      return realAddresses(address.text);
    };
    const refusal = ({ address }: Target): string | null => {
      const reason = address === null ? null : reasonFor(address);
      if (address !== null && reason !== null) refused.set(address.text, reason);
      return reason;
    };
    return { refusal, blockers, refused };
  };
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
