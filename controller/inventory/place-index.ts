import { canonicalText } from '../address.ts';
import { compareText } from '../compare-text.ts';
import type { App, Task } from '../model.ts';
import type { Place } from '../place.ts';

/** Index of the places of hosts, by address or name, from their tasks and from the lists of agents. */
export class PlaceIndex {
  /** Number of tasks that report each place. */
  readonly #counts = new Map<string, Map<Place, number>>();
  #listed: ReadonlyMap<string, Place> = new Map();
  #version = 0;

  /** A number that changes whenever a place may have changed. */
  get version(): number {
    return this.#version;
  }

  /** Updates the index after an app was added, changed or removed. */
  replace(before: App | undefined, now: App | undefined): void {
    for (const task of before?.tasks ?? []) this.#count(task, -1);
    for (const task of now?.tasks ?? []) this.#count(task, 1);
  }

  /** Replaces the places from lists of agents, by address. */
  list(places: Iterable<readonly [string, Place]>): void {
    this.#listed = new Map(
      Array.from(places, ([address, place]) => [canonicalText(address), place] as const),
    );
    this.#version += 1;
  }

  /** The place of the host with this address or node name: from the list of agents, else the one of most tasks; null when unknown. */
  placeOf(host: string): Place | null {
    const listed = this.#listed.get(host);
    if (listed !== undefined) return listed;
    let most: readonly [Place, number] | null = null;
    for (const [place, count] of this.#counts.get(host) ?? [])
      if (most === null || count > most[1] || (count === most[1] && isBefore(place, most[0])))
        most = [place, count];
    return most?.[0] ?? null;
  }

  /** All zones or regions that sources report. */
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

/** The keys of a task's host: the agent's address and the node's name. */
function* hostsOf({ agent, place, ports }: Task): Generator<string> {
  if (place?.node !== undefined) yield place.node;
  if (agent !== undefined) {
    yield canonicalText(agent.address);
    return;
  }
  const port = ports.find(
    ({ backendAddress, endpoints }) => backendAddress === 'agent' && endpoints.length > 0,
  );
  const [endpoint] = port?.endpoints ?? [];
  if (endpoint !== undefined) yield canonicalText(endpoint.address);
}

/** Decides between places with equal numbers of tasks. Independent of the order of reads, so that a rebuild finds the same. */
function isBefore(a: Place, b: Place): boolean {
  const textOf = ({ region = '', zone = '', node = '' }: Place) => `${region}\n${zone}\n${node}`;
  return compareText(textOf(a), textOf(b)) < 0;
}
