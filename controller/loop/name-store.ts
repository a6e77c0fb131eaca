import { type Family, familyOf } from '../address.ts';
import { same } from '../compare.ts';
import { messageOf } from '../errors.ts';
import { EMPTY_NAME_MEMORY, type NamedAddresses, type NameMemory } from '../model/name-memory.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Owned } from '../plan/plan.ts';
import type { Log, StateStore } from '../ports.ts';

/**
 * The memory of names and labels, saved in the background, so that a slow, full or hanging disk stops no pass.
 *
 * A crash can therefore come after the kernel has a name's address and before the disk has it. The ledger has it by then,
 * since it precedes every write to the kernel, and `load` prefers the ledger to the disk. What can be lost are labels, and
 * addresses of names without a service in the kernel, to which no connection goes.
 */
export class NameStore {
  readonly #store: StateStore;
  readonly #log: Log;
  readonly #dryRun: boolean;
  #memory: NameMemory | null = null;
  /** The memory on disk; null when it is unknown, and the next save replaces it. */
  #saved: NameMemory | null = null;
  #saving: Promise<void> | null = null;

  /** A dry run saves nothing. */
  constructor(store: StateStore, log: Log, dryRun: boolean) {
    this.#store = store;
    this.#log = log;
    this.#dryRun = dryRun;
  }

  /** Reads the disk. Call it once. `owned`: the entries of the ledger. */
  async load(
    owned: ReadonlyMap<ServiceKey, Owned>,
    inPool: (address: string) => boolean,
  ): Promise<NameMemory> {
    this.#saved = await this.#store.loadMemory();
    const memory = this.#saved ?? EMPTY_NAME_MEMORY;
    this.#memory = owned.size === 0 ? memory : withAddressesOf(owned, memory, inPool);
    return this.#memory;
  }

  /**
   * Remembers, and saves in the background. One save at a time: changes in the meantime are saved after it. A failure is
   * logged, and retried with the next call.
   */
  keep(memory: NameMemory): void {
    this.#memory = memory;
    if (this.#dryRun || memory === this.#saved) return;
    this.#saving ??= this.#save().finally(() => {
      this.#saving = null;
    });
  }

  /** Resolves once the running save has ended, successfully or not. */
  async settled(): Promise<void> {
    await this.#saving;
  }

  async #save(): Promise<void> {
    try {
      for (let memory = this.#memory; memory !== null && memory !== this.#saved; memory = this.#memory) {
        await this.#store.saveMemory(memory);
        this.#saved = memory;
      }
    } catch (error) {
      this.#log.warn('addresses of names could not be saved', { error: messageOf(error) });
    }
  }
}

type Addresses = Record<Family, Set<string>>;

/** Addresses by name: from the ledger's entries in a pool; from the memory when the ledger has none or several. */
function withAddressesOf(
  owned: ReadonlyMap<ServiceKey, Owned>,
  memory: NameMemory,
  inPool: (address: string) => boolean,
): NameMemory {
  const found = new Map<string, Addresses>();
  for (const [key, { name, framework }] of owned) {
    const address = addressOf(key);
    if (name === null || framework === null || address === null || !inPool(address)) continue;
    const ofName = found.get(`${name}.${framework}`) ?? { ipv4: new Set(), ipv6: new Set() };
    found.set(`${name}.${framework}`, ofName);
    ofName[familyOf(address)].add(address);
  }
  const addresses = new Map(memory.addresses);
  const holders = new Map<string, string>();
  for (const [name, { ipv4, ipv6 }] of found) {
    const unique = { ...onlyOne('ipv4', ipv4), ...onlyOne('ipv6', ipv6) };
    addresses.set(name, { ...addresses.get(name), ...unique });
    for (const address of Object.values(unique)) holders.set(address, name);
  }
  let isSame = true;
  // An address that another name has in the kernel is no longer this one's.
  for (const [name, { ipv4, ipv6 }] of addresses) {
    const isTheirs = (address: string) => (holders.get(address) ?? name) === name;
    const left: NamedAddresses = {
      ...(ipv4 !== undefined && isTheirs(ipv4) && { ipv4 }),
      ...(ipv6 !== undefined && isTheirs(ipv6) && { ipv6 }),
    };
    addresses.set(name, left);
    isSame &&= same(left, memory.addresses.get(name));
  }
  return isSame ? memory : { ...memory, addresses };
}

function addressOf(key: ServiceKey): string | null {
  return /^\w+\/\[?(.+?)\]?:\d+$/.exec(key)?.[1] ?? null;
}

function onlyOne(family: Family, addresses: ReadonlySet<string>): NamedAddresses {
  const [first] = addresses;
  return first !== undefined && addresses.size === 1 ? { [family]: first } : {};
}
