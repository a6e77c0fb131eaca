import { createHash } from 'node:crypto';
import { formatAddress } from '../address.ts';
import type { NamedAddresses } from '../model/name-memory.ts';
import { type Pause, withoutPause } from '../time.ts';
import { phash2 } from './phash2.ts';
import { formatPool, inPool, type Pool, type Pools } from './pool.ts';

/**
 * Assigns addresses to named VIPs, one from each pool.
 *
 * A name keeps its address. A new name gets the address that dcos-net gives it (a hash of the name), or the next free
 * one; new names choose in alphabetical order. No name gets the address of an IP VIP.
 */
export class NameAddresses {
  readonly #families: readonly FamilyAddresses[];
  /** `label.framework` -> its addresses. */
  readonly #addresses = new Map<string, NamedAddresses>();
  /** Names in use. */
  readonly #used = new Set<string>();
  readonly #due = new Set<string>();
  /** Names in use that may lack an address of some family. */
  readonly #unassigned = new Set<string>();
  /** The unassigned names of the current `place`, in reverse order. */
  #queue: string[] = [];
  /** Addresses of IP VIPs, with the number of VIPs at each. */
  readonly #taken = new Map<string, number>();
  #moved = new Set<string>();

  /** `kept`: the addresses from before. Of two names with the same address the first keeps it; one outside the pool is dropped. */
  constructor(pools: Pools, kept: ReadonlyMap<string, NamedAddresses> = new Map()) {
    this.#families = [pools.ipv4, pools.ipv6]
      .filter((pool) => pool !== null)
      .map((pool) => new FamilyAddresses(pool));
    for (const name of [...kept.keys()].sort()) {
      for (const family of this.#families) {
        const address = kept.get(name)?.[family.family];
        if (address !== undefined && family.keep(name, address)) this.#set(name, family, address);
      }
    }
  }

  /** Every name with an address, in use or not. */
  get all(): ReadonlyMap<string, NamedAddresses> {
    return this.#addresses;
  }

  /** The name that an address is assigned to; null when there is none. */
  holderOf(address: string): string | null {
    for (const { owners } of this.#families) {
      const holder = owners.get(address);
      if (holder !== undefined) return holder;
    }
    return null;
  }

  /** Marks a name as in use; the next `place` assigns its addresses. */
  markUsed(name: string): void {
    this.#used.add(name);
    this.#due.add(name);
  }

  /** Marks a name as no longer in use. It keeps its addresses until `forget`. */
  markUnused(name: string): void {
    this.#used.delete(name);
    this.#unassigned.delete(name);
    for (const { firstChoices } of this.#families) firstChoices.delete(name);
  }

  /** Frees the addresses of a name that is not in use. */
  forget(name: string): void {
    const had = this.#addresses.get(name);
    if (had === undefined) return;
    for (const family of this.#families) {
      const address = had[family.family];
      if (address !== undefined && family.owners.get(address) === name) family.owners.delete(address);
    }
    this.#addresses.delete(name);
    for (const name of this.#unassigned) this.#due.add(name);
  }

  /** Takes an address for an IP VIP: a name with this address must move. */
  take(address: string): void {
    const count = this.#taken.get(address) ?? 0;
    this.#taken.set(address, count + 1);
    const holder = count === 0 ? this.holderOf(address) : null;
    if (holder !== null) this.#due.add(holder);
  }

  /** Ends one `take` of an address. */
  release(address: string): void {
    const left = (this.#taken.get(address) ?? 0) - 1;
    if (left > 0) this.#taken.set(address, left);
    else this.#taken.delete(address);
  }

  /** Assigns addresses to all names that need one. True when done; false when `pause` interrupted it: call it again. */
  assign(pause: Pause = withoutPause): boolean {
    for (const name of this.#due) {
      this.#due.delete(name);
      if (!this.#used.has(name)) continue;
      if (!this.#isAssigned(name)) this.#unassigned.add(name);
      if (pause(HASH_COST) && this.#due.size > 0) return false;
    }
    if (this.#queue.length === 0) this.#queue = [...this.#unassigned].sort().reverse();
    for (let name = this.#queue.pop(); name !== undefined; name = this.#queue.pop()) {
      this.#assign(name);
      if (pause() && this.#queue.length > 0) return false;
    }
    return true;
  }

  /** The names whose addresses changed since the last call. */
  takeMoved(): ReadonlySet<string> {
    const moved = this.#moved;
    this.#moved = new Set();
    return moved;
  }

  /** Warnings about names without an address, or with another address than dcos-net gives them. */
  warnings(): readonly string[] {
    const isTaken = (address: string) => this.#taken.has(address);
    const warnings = this.#families.flatMap((family) => [
      ...[...this.#unassigned]
        .filter((name) => this.#addresses.get(name)?.[family.family] === undefined)
        .map((name) => `${name} has no address: the pool ${formatPool(family.pool)} is full`),
      ...[...family.firstChoices].flatMap(([name, choice]) =>
        warnIfDisplaced(name, this.#addresses.get(name)?.[family.family], choice, family.owners, isTaken),
      ),
    ]);
    return warnings.sort();
  }

  #isAssigned(name: string): boolean {
    let assigned = true;
    for (const family of this.#families) {
      const address = this.#addresses.get(name)?.[family.family];
      const keeps = address !== undefined && family.owners.get(address) === name && !this.#taken.has(address);
      const choice = family.firstChoice(name);
      if (keeps && address === choice.address) family.firstChoices.delete(name);
      else family.firstChoices.set(name, choice);
      assigned &&= keeps;
    }
    return assigned;
  }

  #assign(name: string): void {
    let found = true;
    for (const family of this.#families) {
      const had = this.#addresses.get(name)?.[family.family];
      if (had !== undefined && family.owners.get(had) === name && !this.#taken.has(had)) continue;
      if (had !== undefined && family.owners.get(had) === name) family.owners.delete(had);
      const choice = family.firstChoices.get(name) ?? family.firstChoice(name);
      const address = family.nextFree(choice.value, (candidate) => this.#taken.has(candidate));
      if (address !== null) family.owners.set(address, name);
      if (address === choice.address) family.firstChoices.delete(name);
      found &&= address !== null;
      this.#set(name, family, address ?? undefined);
    }
    if (found) this.#unassigned.delete(name);
  }

  #set(name: string, { family }: FamilyAddresses, address: string | undefined): void {
    const { [family]: had, ...others } = this.#addresses.get(name) ?? {};
    if (had === address) return;
    const addresses: NamedAddresses = address === undefined ? others : { ...others, [family]: address };
    if (Object.keys(addresses).length === 0) this.#addresses.delete(name);
    else this.#addresses.set(name, addresses);
    this.#moved.add(name);
  }
}

/** Hashing a name by SHA-1 costs about as much as so many tasks. */
const HASH_COST = 4;

interface Choice {
  readonly value: bigint;
  readonly address: string;
}

/** The assignments of one pool. */
class FamilyAddresses {
  readonly pool: Pool;
  readonly family: Pool['family'];
  readonly owners = new Map<string, string>();
  /** First choices of names in use that do not have theirs. */
  readonly firstChoices = new Map<string, Choice>();

  constructor(pool: Pool) {
    this.pool = pool;
    this.family = pool.family;
  }

  keep(name: string, address: string): boolean {
    if (this.owners.has(address) || !inPool(this.pool, address)) return false;
    this.owners.set(address, name);
    return true;
  }

  /** The address of a name when it is free: dcos-net hashes `label.framework` onto the pool without its maximum. */
  firstChoice(name: string): Choice {
    const { family, min, max } = this.pool;
    const range = max - min;
    if (range === 0n) return { value: min, address: formatAddress(family, min) };
    const bytes = new TextEncoder().encode(name);
    const hash = family === 'ipv4' ? BigInt(phash2(bytes, Number(range))) : sha1(bytes) % range;
    return { value: min + hash, address: formatAddress(family, min + hash) };
  }

  /** The first free address from `start` on, wrapping around at the end; null when the pool is full. */
  nextFree(start: bigint, isTaken: (address: string) => boolean): string | null {
    const { family, min, max } = this.pool;
    let value = start;
    do {
      const address = formatAddress(family, value);
      if (!this.owners.has(address) && !isTaken(address)) return address;
      value = value === max ? min : value + 1n;
    } while (value !== start);
    return null;
  }
}

/** From which DC/OS derives IPv6 addresses. It is not used for security. */
function sha1(bytes: Uint8Array): bigint {
  return BigInt(`0x${createHash('sha1').update(bytes).digest('hex')}`);
}

/** Warns of a name without its first choice, since a host that learns of names in another order assigns other addresses. */
function warnIfDisplaced(
  name: string,
  address: string | undefined,
  choice: Choice,
  owners: ReadonlyMap<string, string>,
  isTaken: (address: string) => boolean,
): readonly string[] {
  const holder = owners.get(choice.address) ?? (isTaken(choice.address) ? 'an IP VIP' : undefined);
  if (address === undefined || holder === undefined) return [];
  return [
    `${name} has the address ${address} because ${holder} has ${choice.address}; other hosts may have it otherwise`,
  ];
}
