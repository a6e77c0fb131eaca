import { formatAddress } from '../address.ts';
import type { NamedAddresses } from '../name-memory.ts';
import { type Pause, withoutPause } from '../pause.ts';
import { phash2 } from './phash2.ts';
import { formatPool, inPool, type Pool, type Pools } from './pool.ts';
import { sha1 } from './sha1.ts';

/**
 * The addresses of named VIPs, one of each family that has a pool.
 *
 * A name keeps the address that it had. A new one gets that which dcos-net gives it, by a hash of the name, or the next
 * free one; of several new names the first in order chooses first. No name gets the address of an IP VIP.
 */
export class NameAddresses {
  readonly #families: readonly FamilyAddresses[];
  /** `label.framework` -> its addresses. */
  readonly #addresses = new Map<string, NamedAddresses>();
  /** Names that are in use. */
  readonly #wanted = new Set<string>();
  readonly #due = new Set<string>();
  /** Names in use that an address of some family may have to be found for. */
  readonly #homeless = new Set<string>();
  /** Those of them whose turn is still to come, the last one first. */
  #seeking: string[] = [];
  /** Addresses of IP VIPs, with how many ask for them. */
  readonly #taken = new Map<string, number>();
  #moved = new Set<string>();

  /** `kept`: what names had. Of two names with one address the first in order keeps it; one outside the pool is lost. */
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

  /** Every name that has an address, in use or not. */
  get all(): ReadonlyMap<string, NamedAddresses> {
    return this.#addresses;
  }

  /** The name that has an address; null where none has. */
  holderOf(address: string): string | null {
    for (const { owners } of this.#families) {
      const holder = owners.get(address);
      if (holder !== undefined) return holder;
    }
    return null;
  }

  /** A name is in use: it is to have addresses after the next `place`. */
  want(name: string): void {
    this.#wanted.add(name);
    this.#due.add(name);
  }

  /** A name is in use no more. It keeps its addresses until it is forgotten. */
  unwant(name: string): void {
    this.#wanted.delete(name);
    this.#homeless.delete(name);
    for (const { wishes } of this.#families) wishes.delete(name);
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
    for (const homeless of this.#homeless) this.#due.add(homeless);
  }

  /** An IP VIP has this address: a name that has it must move. */
  take(address: string): void {
    const count = this.#taken.get(address) ?? 0;
    this.#taken.set(address, count + 1);
    const holder = count === 0 ? this.holderOf(address) : null;
    if (holder !== null) this.#due.add(holder);
  }

  /** One IP VIP less has this address. */
  release(address: string): void {
    const left = (this.#taken.get(address) ?? 0) - 1;
    if (left > 0) this.#taken.set(address, left);
    else this.#taken.delete(address);
  }

  /** Finds addresses for all names that need one; true once they have, false where `pause` said so before. */
  place(pause: Pause = withoutPause): boolean {
    for (const name of this.#due) {
      this.#due.delete(name);
      if (!this.#wanted.has(name)) continue;
      if (!this.#isAtHome(name)) this.#homeless.add(name);
      if (pause(HASH_COST) && this.#due.size > 0) return false;
    }
    if (this.#seeking.length === 0) this.#seeking = [...this.#homeless].sort().reverse();
    for (let name = this.#seeking.pop(); name !== undefined; name = this.#seeking.pop()) {
      this.#findHome(name);
      if (pause() && this.#seeking.length > 0) return false;
    }
    return true;
  }

  /** The names whose addresses are others than when this was last asked. */
  takeMoved(): ReadonlySet<string> {
    const moved = this.#moved;
    this.#moved = new Set();
    return moved;
  }

  /** About names that have no address, or another one than dcos-net gives them, as long as that is so. */
  warnings(): readonly string[] {
    const isTaken = (address: string) => this.#taken.has(address);
    const warnings = this.#families.flatMap((family) => [
      ...[...this.#homeless]
        .filter((name) => this.#addresses.get(name)?.[family.family] === undefined)
        .map((name) => `${name} has no address: the pool ${formatPool(family.pool)} is full`),
      ...[...family.wishes].flatMap(([name, wish]) =>
        displaced(name, this.#addresses.get(name)?.[family.family], wish, family.owners, isTaken),
      ),
    ]);
    return warnings.sort();
  }

  #isAtHome(name: string): boolean {
    let atHome = true;
    for (const family of this.#families) {
      const address = this.#addresses.get(name)?.[family.family];
      const keeps = address !== undefined && family.owners.get(address) === name && !this.#taken.has(address);
      const wish = family.firstChoice(name);
      if (keeps && address === wish.address) family.wishes.delete(name);
      else family.wishes.set(name, wish);
      atHome &&= keeps;
    }
    return atHome;
  }

  #findHome(name: string): void {
    let found = true;
    for (const family of this.#families) {
      const had = this.#addresses.get(name)?.[family.family];
      if (had !== undefined && family.owners.get(had) === name && !this.#taken.has(had)) continue;
      if (had !== undefined && family.owners.get(had) === name) family.owners.delete(had);
      const wish = family.wishes.get(name) ?? family.firstChoice(name);
      const address = family.nextFree(wish.value, (candidate) => this.#taken.has(candidate));
      if (address !== null) family.owners.set(address, name);
      if (address === wish.address) family.wishes.delete(name);
      found &&= address !== null;
      this.#set(name, family, address ?? undefined);
    }
    if (found) this.#homeless.delete(name);
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

/** To hash a name by SHA-1 costs as much as some tasks. */
const HASH_COST = 4;

interface Choice {
  readonly value: bigint;
  readonly address: string;
}

/** Who has which address of one pool. */
class FamilyAddresses {
  readonly pool: Pool;
  readonly family: Pool['family'];
  readonly owners = new Map<string, string>();
  /** What names in use would have that have something else, or nothing. */
  readonly wishes = new Map<string, Choice>();

  constructor(pool: Pool) {
    this.pool = pool;
    this.family = pool.family;
  }

  keep(name: string, address: string): boolean {
    if (this.owners.has(address) || !inPool(this.pool, address)) return false;
    this.owners.set(address, name);
    return true;
  }

  /** Where a name goes when nothing is in its way: dcos-net hashes `label.framework` to the pool without its maximum. */
  firstChoice(name: string): Choice {
    const { family, min, max } = this.pool;
    const range = max - min;
    if (range === 0n) return { value: min, address: formatAddress(family, min) };
    const bytes = new TextEncoder().encode(name);
    const hash = family === 'ipv4' ? BigInt(phash2(bytes, Number(range))) : sha1(bytes) % range;
    return { value: min + hash, address: formatAddress(family, min + hash) };
  }

  /** The first free address from `start` on, going round at the end; null when the pool is full. */
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

/** Told as long as it lasts: a host that learns of the names in another order gives them other addresses. */
function displaced(
  name: string,
  address: string | undefined,
  wish: Choice,
  owners: ReadonlyMap<string, string>,
  isTaken: (address: string) => boolean,
): readonly string[] {
  const holder = owners.get(wish.address) ?? (isTaken(wish.address) ? 'an IP VIP' : undefined);
  if (address === undefined || holder === undefined) return [];
  return [
    `${name} has the address ${address} because ${holder} has ${wish.address}; other hosts may have it otherwise`,
  ];
}
