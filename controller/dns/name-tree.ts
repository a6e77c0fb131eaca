import { above, isRoot, type WireName } from './names.ts';
import type { RecordSet } from './records.ts';

/** A name that exists. Without records it stands between two names: there is no data for it, and yet it exists. */
export interface Node {
  readonly zone: WireName;
  readonly sets: readonly RecordSet[];
}

/** The zone that the name lies in, the innermost one; null for a name of someone else. */
export function zoneOf(name: WireName, zones: { has(name: WireName): boolean }): WireName | null {
  for (let rest = name; ; rest = above(rest)) {
    if (zones.has(rest)) return rest;
    if (isRoot(rest)) return null;
  }
}

interface GrownNode {
  readonly zone: WireName;
  sets: readonly RecordSet[];
  /** How many names there are right below it. */
  children: number;
}

/** The names of some zones, with those between each name and its zone: they exist as long as a name below them does. */
export class NameTree {
  readonly #zones: ReadonlySet<WireName>;
  readonly #nodes = new Map<WireName, GrownNode>();

  constructor(zones: Iterable<WireName>) {
    this.#zones = new Set(zones);
    for (const zone of this.#zones) this.#nodes.set(zone, { zone, sets: [], children: 0 });
  }

  get nodes(): ReadonlyMap<WireName, Node> {
    return this.#nodes;
  }

  /** Gives the name these records and no others. One that lies in no zone is left out. */
  put(name: WireName, sets: readonly RecordSet[]): void {
    const known = this.#nodes.get(name);
    if (known !== undefined) {
      known.sets = sets;
      return;
    }
    const zone = zoneOf(name, this.#zones);
    if (zone === null) return;
    this.#nodes.set(name, { zone, sets, children: 0 });
    for (let rest = above(name); ; rest = above(rest)) {
      const parent = this.#nodes.get(rest);
      if (parent !== undefined) {
        parent.children += 1;
        return;
      }
      this.#nodes.set(rest, { zone, sets: [], children: 1 });
    }
  }

  /** Takes the name's records away, and all names that then lead nowhere. */
  remove(name: WireName): void {
    let node = this.#nodes.get(name);
    if (node !== undefined) node.sets = [];
    for (let rest = name; node !== undefined; node = this.#nodes.get(rest)) {
      if (node.sets.length > 0 || node.children > 0 || this.#zones.has(rest)) return;
      this.#nodes.delete(rest);
      rest = above(rest);
      const parent = this.#nodes.get(rest);
      if (parent !== undefined) parent.children -= 1;
    }
  }
}
