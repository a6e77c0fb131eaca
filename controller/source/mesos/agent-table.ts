import { addressText } from '../../address.ts';
import type { Place } from '../../model/place.ts';
import type { AgentAddresses } from '../document/agents.ts';
import type { JoinedTask } from './apps.ts';
import type { TaskFacts } from './facts.ts';
import type { MesosAgent } from './schema.ts';
import type { MesosState } from './state.ts';

/** Agents by id, and the addresses that no VIP may have besides. */
export class AgentTable {
  #agents = new Map<string, MesosAgent>();
  /** Hosts of agents without an id, until the next state. */
  #nameless: ReadonlySet<string> = new Set();
  /** Tasks on agents that their master cannot reach, most of which are in no app. */
  #unreachable: readonly TaskFacts[] = [];
  /** Hosts that were named since `takeNamedHosts`. */
  #named = new Set<string>();

  get hosts(): Iterable<string> {
    return [...[...this.#agents.values()].map(({ host }) => host), ...this.#nameless];
  }

  get(id: string): MesosAgent | undefined {
    return this.#agents.get(id);
  }

  /** Hosts that were named since this was last called, known before or not. */
  takeNamedHosts(): ReadonlySet<string> {
    const named = this.#named;
    this.#named = new Set();
    return named;
  }

  set(agent: MesosAgent): void {
    this.#agents.set(agent.id, agent);
    this.#named.add(agent.host);
  }

  /** Adds the host of an agent without an id. */
  addNameless(host: string): void {
    this.#nameless = new Set([...this.#nameless, host]);
    this.#named.add(host);
  }

  delete(id: string): void {
    this.#agents.delete(id);
  }

  /** Adds all agents of a state to those that are known. */
  add({ recovered, agents, nameless, unreachable }: MesosState): void {
    this.#nameless = nameless;
    this.#unreachable = unreachable;
    const named = [...recovered].filter((each): each is [string, MesosAgent] => each[1] !== null);
    this.#agents = new Map([...this.#agents, ...named, ...agents]);
    for (const host of this.hosts) this.#named.add(host);
  }

  /** Keeps the agents of a state and those that are `needed`. */
  prune({ recovered, agents }: MesosState, needed: ReadonlySet<string>): void {
    for (const id of this.#agents.keys())
      if (!agents.has(id) && !recovered.has(id) && !needed.has(id)) this.delete(id);
  }

  /** Addresses of all agents, as far as they are known, and of tasks that are in no app: `waiting` are others; sorted. */
  addresses(addresses: AgentAddresses, waiting: readonly JoinedTask[]): readonly string[] {
    const found = new Set([...this.hosts].flatMap((host) => addresses.get(host) ?? []));
    for (const facts of [...this.#unreachable, ...waiting.map((each) => each.facts)])
      for (const address of facts.addresses) found.add(addressText(address) ?? address);
    return [...found].sort();
  }

  /** The places (zone and region) of agents, by address; null if none has a fault domain. */
  placesByAddress(addresses: AgentAddresses): Readonly<Record<string, Place>> | null {
    const placed = [...this.#agents.values()].filter(({ place }) => place !== undefined);
    if (placed.length === 0) return null;
    const found = placed.flatMap(({ host, place }) => {
      const address = addresses.get(host);
      return address && place ? [[address, place] as const] : [];
    });
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
