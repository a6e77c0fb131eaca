import type { Resolver } from '../../ports.ts';
import { type AgentAddresses, resolveAgents } from '../document/agents.ts';

/** Remembers the addresses of agents, so that an event never waits for a name server. */
export class AddressBook {
  readonly #resolver: Resolver;
  readonly #addresses = new Map<string, string | null>();

  constructor(resolver: Resolver) {
    this.#resolver = resolver;
  }

  get addresses(): AgentAddresses {
    return this.#addresses;
  }

  /** Those of these hosts that were never asked for. */
  unknown(hosts: ReadonlySet<string>): ReadonlySet<string> {
    return new Set([...hosts].filter((host) => !this.#addresses.has(host)));
  }

  /** Resolves these, and gives those whose address is another one now. Never rejects. */
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
