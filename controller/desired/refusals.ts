import { type Address, parseAddress } from '../address.ts';
import { hasAddress, type Pools } from './pool.ts';

/** Whose address this is, as a reason to refuse it; null when no owner is known. */
export type RealAddresses = (address: string) => string | null;

/** Possible owners of an address that an IP VIP asks for. */
export interface Owners {
  /** An agent or a container that a source reports. */
  readonly ownerOf: RealAddresses;
  /** The named VIP with this address. */
  readonly holderOf: (address: string) => string | null;
  readonly realAddresses: RealAddresses;
}

/**
 * Refuses IP VIPs at addresses that belong to someone: an agent or a container that a source reports, a named VIP, or an
 * owner that `realAddresses` knows. The local route of such a VIP would cut this host off from the owner. Answers are
 * remembered, so that whoever asked can be notified when one changes.
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

  /** Refused addresses, with the reason. */
  get refused(): ReadonlyMap<string, string> {
    return this.#refused;
  }

  /** The addresses that were asked about. */
  asked(): Iterable<string> {
    return this.#answers.keys();
  }

  /** Why no VIP may have this address at the moment; null when one may. */
  reasonFor(address: Address): string | null {
    const reason = this.#judge(address);
    this.#answers.set(address.text, reason);
    if (reason === null) this.#refused.delete(address.text);
    else this.#refused.set(address.text, reason);
    return reason;
  }

  /** Whether the answer about this address has changed since it was given. */
  hasChanged(text: string): boolean {
    const answer = this.#answers.get(text);
    const address = answer === undefined ? null : parseAddress(text);
    return address !== null && this.#judge(address) !== answer;
  }

  /** Forgets the answer about an address that nobody depends on any more. */
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
