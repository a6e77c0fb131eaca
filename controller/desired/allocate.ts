import { formatAddress } from '../address.ts';
import type { Family, NamedAddresses } from '../model.ts';
import { phash2 } from './phash2.ts';
import { formatPool, inPool, type Pool, type Pools } from './pool.ts';
import { sha1 } from './sha1.ts';

export interface Allocation {
  /** `label.framework` -> its addresses. The same object as the last time, or as `kept`, when nothing changed. */
  readonly addresses: ReadonlyMap<string, NamedAddresses>;
  readonly warnings: readonly string[];
}

/**
 * Gives each name its addresses, one of each family that has a pool.
 *
 * `kept` is what names had before; `taken` are the addresses of IP VIPs. The result follows from the arguments
 * alone and not from the order of `names`: kept addresses first, then new names in sorted order. The sets must not
 * be changed afterwards: that they are the same objects again is how an allocator knows that nothing is to be done.
 *
 * It works in parts, since to hash thousands of names takes its time.
 */
export type Allocator = (
  names: ReadonlySet<string>,
  kept: ReadonlyMap<string, NamedAddresses>,
  taken: ReadonlySet<string>,
) => Generator<undefined, Allocation>;

/** Makes an allocator that remembers its last work, since names seldom change between two passes. */
export function createAllocator(pools: Pools): Allocator {
  const families = [pools.ipv4, pools.ipv6].filter((pool) => pool !== null).map(createPlacer);
  let last: Allocation & { readonly names?: ReadonlySet<string>; readonly taken: ReadonlySet<string> } = {
    addresses: new Map(),
    warnings: [],
    taken: new Set(),
  };

  return function* (names, kept, taken) {
    if (kept === last.addresses && names === last.names && taken === last.taken) return last;

    const placed: Placement[] = [];
    for (const place of families) placed.push(yield* place(names, kept, taken));
    last = {
      addresses: combine(names, kept, placed),
      warnings: placed.flatMap(({ warnings }) => warnings).sort(),
      names,
      taken,
    };
    return last;
  };
}

interface Placement {
  readonly family: Family;
  readonly owners: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

function createPlacer(pool: Pool): (...args: Parameters<Allocator>) => Generator<undefined, Placement> {
  const firstChoice = createFirstChoice(pool);
  // Of the last round: an address that is in here need not be parsed to know that it lies in the pool.
  let owners: ReadonlyMap<string, string> = new Map();

  return function* (names, kept, taken) {
    const choiceOf = (name: string): Choice => firstChoice(name, names.size);
    for (const name of names) {
      choiceOf(name);
      yield;
    }
    const usable = (address: string, name: string): boolean => {
      if (taken.has(address)) return false;
      return owners.has(address) || address === choiceOf(name).address || inPool(pool, address);
    };
    const { held, homeless } = keep(pool.family, names, kept, usable);

    const warnings: string[] = [];
    for (const name of homeless) {
      const address = nextFree(
        pool,
        choiceOf(name).value,
        (candidate) => held.has(candidate) || taken.has(candidate),
      );
      if (address === null) warnings.push(`${name} has no address: the pool ${formatPool(pool)} is full`);
      else held.set(address, name);
    }
    for (const [address, name] of held) {
      const wanted = choiceOf(name).address;
      if (address !== wanted) warnings.push(...displaced(name, address, wanted, held, taken));
    }
    owners = held;
    return { family: pool.family, owners, warnings };
  };
}

/** Leaves names the addresses that they had. Of two names that remember one address the first in order keeps it. */
function keep(
  family: Family,
  names: ReadonlySet<string>,
  kept: ReadonlyMap<string, NamedAddresses>,
  usable: (address: string, name: string) => boolean,
): { readonly held: Map<string, string>; readonly homeless: readonly string[] } {
  const held = new Map<string, string>();
  const homeless: string[] = [];
  for (const name of names) {
    const address = kept.get(name)?.[family];
    if (address === undefined || !usable(address, name)) {
      homeless.push(name);
      continue;
    }
    const rival = held.get(address);
    if (rival !== undefined && rival < name) homeless.push(name);
    else {
      held.set(address, name);
      if (rival !== undefined) homeless.push(rival);
    }
  }
  return { held, homeless: homeless.sort() };
}

interface Choice {
  readonly value: bigint;
  readonly address: string;
}

/**
 * Where a name goes when nothing is in its way: dcos-net hashes `label.framework` to the pool without its maximum.
 * Hashes are remembered for as long as the allocator lives, up to a few times the names in use.
 */
function createFirstChoice(pool: Pool): (name: string, namesInUse: number) => Choice {
  const range = pool.max - pool.min;
  const encoder = new TextEncoder();
  const known = new Map<string, Choice>();

  const choose = (name: string): Choice => {
    const bytes = encoder.encode(name);
    const hash = pool.family === 'ipv4' ? BigInt(phash2(bytes, Number(range))) : sha1(bytes) % range;
    return { value: pool.min + hash, address: formatAddress(pool.family, pool.min + hash) };
  };
  return (name, namesInUse) => {
    if (range === 0n) return { value: pool.min, address: formatAddress(pool.family, pool.min) };
    let choice = known.get(name);
    if (choice === undefined) {
      if (known.size > 4 * namesInUse) known.clear();
      choice = choose(name);
      known.set(name, choice);
    }
    return choice;
  };
}

/** The first free address from `start` on, going round at the end; null when the pool is full. */
function nextFree(pool: Pool, start: bigint, used: (address: string) => boolean): string | null {
  let value = start;
  do {
    const address = formatAddress(pool.family, value);
    if (!used(address)) return address;
    value = value === pool.max ? pool.min : value + 1n;
  } while (value !== start);
  return null;
}

/** Told as long as it lasts: a host that learns of the names in another order gives them other addresses. */
function displaced(
  name: string,
  address: string,
  wanted: string,
  held: ReadonlyMap<string, string>,
  taken: ReadonlySet<string>,
): readonly string[] {
  const holder = held.get(wanted) ?? (taken.has(wanted) ? 'an IP VIP' : undefined);
  if (holder === undefined) return [];
  return [
    `${name} has the address ${address} because ${holder} has ${wanted}; other hosts may have it otherwise`,
  ];
}

/** One map of the families' placements; `kept` itself when it says the same. */
function combine(
  names: ReadonlySet<string>,
  kept: ReadonlyMap<string, NamedAddresses>,
  placed: readonly Placement[],
): ReadonlyMap<string, NamedAddresses> {
  const addresses = new Map<string, { ipv4?: string; ipv6?: string }>();
  for (const { family, owners } of placed) {
    for (const [address, name] of owners) {
      const entry = addresses.get(name);
      if (entry === undefined) addresses.set(name, { [family]: address });
      else entry[family] = address;
    }
  }
  let changed = addresses.size !== kept.size;
  for (const name of names) {
    const before = kept.get(name);
    const now = addresses.get(name);
    if (before !== undefined && before.ipv4 === now?.ipv4 && before.ipv6 === now?.ipv6)
      addresses.set(name, before);
    else changed = true;
  }
  return changed ? addresses : kept;
}
