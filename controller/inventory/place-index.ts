import { canonicalText } from '../address.ts';
import type { App, Task } from '../model/app.ts';
import type { Place } from '../model/place.ts';

interface Counted {
  readonly place: Place;
  readonly tasks: number;
}

/** Index of the places of hosts, by address or name, from their tasks and from the lists of agents. */
export class PlaceIndex {
  /** The places that tasks report of each host, by their text: apps from disk have equal places as several objects. */
  readonly #counts = new Map<string, Map<string, Counted>>();
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
    let most: Counted | null = null;
    let first = '';
    // The text decides between places with equal numbers of tasks, so that a rebuild finds the same.
    for (const [text, counted] of this.#counts.get(host) ?? []) {
      const isMore = most === null || counted.tasks > most.tasks;
      if (isMore || (counted.tasks === most?.tasks && text < first)) [most, first] = [counted, text];
    }
    return most?.place ?? null;
  }

  /** All zones or regions that sources report. */
  names(on: 'zone' | 'region'): ReadonlySet<string> {
    const ofTasks = [...this.#counts.values()].flatMap((places) =>
      [...places.values()].map(({ place }) => place),
    );
    return new Set([...this.#listed.values(), ...ofTasks].flatMap((place) => place[on] ?? []));
  }

  #count({ place, ...task }: Task, by: 1 | -1): void {
    if (place === undefined) return;
    const { region = '', zone = '', node = '' } = place;
    const text = `${region}\n${zone}\n${node}`;
    for (const host of hostsOf({ place, ...task })) {
      const counts = this.#counts.get(host) ?? new Map<string, Counted>();
      const tasks = (counts.get(text)?.tasks ?? 0) + by;
      if (tasks > 0) counts.set(text, { place, tasks });
      else counts.delete(text);
      if (counts.size > 0) this.#counts.set(host, counts);
      else this.#counts.delete(host);
      if (tasks === 0 || (tasks === 1 && by === 1)) this.#version += 1;
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
