import { canonicalAddress } from '../address.ts';
import { compareText } from '../compare-text.ts';
import type { App, Task } from '../model.ts';
import type { Place } from '../place.ts';

/** Where hosts stand, by their addresses or names, from the tasks on them and the lists of agents. */
export class PlaceIndex {
  /** How many tasks name each place. */
  readonly #counts = new Map<string, Map<Place, number>>();
  #listed: ReadonlyMap<string, Place> = new Map();
  #version = 0;

  /** Another number whenever something may be other than it was. */
  get version(): number {
    return this.#version;
  }

  /** An app came, changed or went. */
  replace(before: App | undefined, now: App | undefined): void {
    for (const task of before?.tasks ?? []) this.#count(task, -1);
    for (const task of now?.tasks ?? []) this.#count(task, 1);
  }

  /** Replaces the places in lists of agents, by address. */
  list(places: Iterable<readonly [string, Place]>): void {
    this.#listed = new Map(Array.from(places, ([address, place]) => [canonical(address), place] as const));
    this.#version += 1;
  }

  /** Where the host with this address or node name stands: as its source lists it, else as most of its tasks have it; null: not known. */
  placeOf(host: string): Place | null {
    const listed = this.#listed.get(host);
    if (listed !== undefined) return listed;
    let most: readonly [Place, number] | null = null;
    for (const [place, count] of this.#counts.get(host) ?? [])
      if (most === null || count > most[1] || (count === most[1] && isBefore(place, most[0])))
        most = [place, count];
    return most?.[0] ?? null;
  }

  /** The zones, or regions, that sources tell of any host. */
  names(on: 'zone' | 'region'): ReadonlySet<string> {
    const counted = [...this.#counts.values()].flatMap((places) => [...places.keys()]);
    return new Set([...this.#listed.values(), ...counted].flatMap((place) => place[on] ?? []));
  }

  #count({ place, ...task }: Task, by: 1 | -1): void {
    if (place === undefined) return;
    for (const host of hostsOf({ place, ...task })) {
      const counts = this.#counts.get(host) ?? new Map<Place, number>();
      const count = (counts.get(place) ?? 0) + by;
      if (count > 0) counts.set(place, count);
      else counts.delete(place);
      if (counts.size > 0) this.#counts.set(host, counts);
      else this.#counts.delete(host);
      if (count === 0 || (count === 1 && by === 1)) this.#version += 1;
    }
  }
}

/** By what the host of a task is known: the agent's address, the node's name. */
function* hostsOf({ agent, place, ports }: Task): Generator<string> {
  if (place?.node !== undefined) yield place.node;
  if (agent !== undefined) {
    yield canonical(agent.address);
    return;
  }
  const port = ports.find(
    ({ backendAddress, endpoints }) => backendAddress === 'agent' && endpoints.length > 0,
  );
  const [endpoint] = port?.endpoints ?? [];
  if (endpoint !== undefined) yield canonical(endpoint.address);
}

/** Which of two places counts that as many tasks name. Not the one that was told first: a read from nothing must find the same. */
function isBefore(a: Place, b: Place): boolean {
  const textOf = ({ region = '', zone = '', node = '' }: Place) => `${region}\n${zone}\n${node}`;
  return compareText(textOf(a), textOf(b)) < 0;
}

function canonical(address: string): string {
  return canonicalAddress(address) ?? address;
}
