import { addressText } from '../../address.ts';
import type { Place } from '../../place.ts';
import type { AgentAddresses } from '../document/agents.ts';
import type { JoinedTask } from './apps.ts';
import type { TaskFacts } from './facts.ts';
import type { MesosState } from './state.ts';

/** Agents by id: the host name of each, and where it stands; and the addresses that no VIP may have besides. */
export class AgentTable {
  #hosts = new Map<string, string>();
  #places = new Map<string, Place>();
  /** Hosts of agents without an id. */
  #nameless: ReadonlySet<string> = new Set();
  /** Tasks on agents that their master cannot reach, most of which are in no app. */
  #unreachable: readonly TaskFacts[] = [];
  /** Hosts that were named since `takeNamedHosts`. */
  #named = new Set<string>();

  get hosts(): Iterable<string> {
    return [...this.#hosts.values(), ...this.#nameless];
  }

  host(id: string): string | undefined {
    return this.#hosts.get(id);
  }

  place(id: string): Place | undefined {
    return this.#places.get(id);
  }

  /** Hosts that were named since this was last called, known before or not. */
  takeNamedHosts(): ReadonlySet<string> {
    const named = this.#named;
    this.#named = new Set();
    return named;
  }

  set(id: string, host: string, place: Place | undefined): void {
    this.#hosts.set(id, host);
    this.#named.add(host);
    if (place === undefined) this.#places.delete(id);
    else this.#places.set(id, place);
  }

  delete(id: string): void {
    this.#hosts.delete(id);
    this.#places.delete(id);
  }

  /** Adds all agents of a state to those that are known. */
  add({ recovered, agents, places, nameless, unreachable }: MesosState): void {
    this.#nameless = nameless;
    this.#unreachable = unreachable;
    this.#hosts = new Map([...this.#hosts, ...recovered, ...agents]);
    this.#places = new Map([...this.#places, ...places]);
    for (const host of this.hosts) this.#named.add(host);
  }

  /** Keeps the agents of a state and those that are `needed`. */
  prune({ recovered, agents }: MesosState, needed: ReadonlySet<string>): void {
    for (const id of this.#hosts.keys())
      if (!agents.has(id) && !recovered.has(id) && !needed.has(id)) this.delete(id);
  }

  /** Addresses of all agents, as far as they are known, and of tasks that are in no app: `waiting` are others; sorted. */
  addresses(addresses: AgentAddresses, waiting: readonly JoinedTask[]): readonly string[] {
    const found = new Set([...this.hosts].flatMap((host) => addresses.get(host) ?? []));
    for (const facts of [...this.#unreachable, ...waiting.map((each) => each.facts)])
      for (const address of facts.addresses) found.add(addressText(address) ?? address);
    return [...found].sort();
  }

  /** Where agents stand, by address; null where none has a fault domain. */
  placesByAddress(addresses: AgentAddresses): Readonly<Record<string, Place>> | null {
    if (this.#places.size === 0) return null;
    const found = [...this.#places].flatMap(([id, place]) => {
      const address = addresses.get(this.#hosts.get(id) ?? '') ?? null;
      return address === null ? [] : [[address, place] as const];
    });
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
