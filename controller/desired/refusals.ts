import { type Address, parseAddress } from '../address.ts';
import { hasAddress, type Pools } from './pool.ts';

/** Why an address belongs to someone already; null when it does not, as far as the asked one knows. */
export type RealAddresses = (address: string) => string | null;

/** Who may have an address that an IP VIP asks for. */
export interface Owners {
  /** An agent or a container that a source tells of. */
  readonly ownerOf: RealAddresses;
  /** The named VIP that has it. */
  readonly holderOf: (address: string) => string | null;
  readonly realAddresses: RealAddresses;
}

/**
 * Judges IP VIPs: the address of an agent or a container that a source tells of, one that is reserved for a name, and what
 * `realAddresses` knows of are refused, since a local route for such an address would cut every host off from its owner.
 * It knows what it answered, so that who asked can be told when the answer is another one.
 */
export class Refusals {
  readonly #pools: Pools;
  readonly #owners: Owners;
  readonly #answers = new Map<string, string | null>();
  readonly #refused = new Map<string, string>();

  constructor(pools: Pools, owners: Owners) {
    this.#pools = pools;
    this.#owners = owners;
  }

  /** Addresses that were refused, with why. */
  get refused(): ReadonlyMap<string, string> {
    return this.#refused;
  }

  /** The addresses that were asked about. */
  asked(): Iterable<string> {
    return this.#answers.keys();
  }

  /** Why no VIP may have this address just now; null when one may. */
  reasonFor(address: Address): string | null {
    const reason = this.#judge(address);
    this.#answers.set(address.text, reason);
    if (reason === null) this.#refused.delete(address.text);
    else this.#refused.set(address.text, reason);
    return reason;
  }

  /** Whether somebody asked about this address and would be given another answer now. */
  isOther(text: string): boolean {
    const answer = this.#answers.get(text);
    const address = answer === undefined ? null : parseAddress(text);
    return address !== null && this.#judge(address) !== answer;
  }

  /** Nobody asks about this address any more. */
  forget(text: string): void {
    this.#answers.delete(text);
    this.#refused.delete(text);
  }

  #judge(address: Address): string | null {
    const owner = this.#owners.ownerOf(address.text);
    if (owner !== null) return `it is the address of ${owner}`;
    const pool = this.#pools[address.family];
    const holder = pool !== null && hasAddress(pool, address) ? this.#owners.holderOf(address.text) : null;
    if (holder !== null) return `it is the address of the named VIP ${holder}`;
    return this.#owners.realAddresses(address.text);
  }
}
