import { addressText } from '../../address.ts';
import type { Resolver } from '../../ports.ts';
import { type AgentAddresses, resolveAgents } from '../document/agents.ts';

/** Remembers the addresses of agents, so that an event never waits for a name server. */
export class AddressCache {
  readonly #resolver: Resolver;
  readonly #addresses = new Map<string, string | null>();

  constructor(resolver: Resolver) {
    this.#resolver = resolver;
  }

  get addresses(): AgentAddresses {
    return this.#addresses;
  }

  /** Those of these hosts that must be resolved; an address among them is its own answer. */
  unknown(hosts: ReadonlySet<string>): ReadonlySet<string> {
    const unknown = new Set<string>();
    for (const host of hosts) {
      if (this.#addresses.has(host)) continue;
      const address = addressText(host);
      if (address === null) unknown.add(host);
      else this.#addresses.set(host, address);
    }
    return unknown;
  }

  /** Resolves these hosts. Resolves with those whose address has changed. Never rejects. */
  async refresh(hosts: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const now = await resolveAgents(hosts, this.#resolver);
    const moved = new Set<string>();
    for (const [host, address] of now) {
      if (this.#addresses.get(host) === address) continue;
      this.#addresses.set(host, address);
      moved.add(host);
    }
    return moved;
  }

  /** Forgets all but these. */
  prune(hosts: ReadonlySet<string>): void {
    for (const host of this.#addresses.keys()) if (!hosts.has(host)) this.#addresses.delete(host);
  }
}
