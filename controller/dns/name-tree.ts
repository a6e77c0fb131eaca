import { above, isRoot, type WireName } from './names.ts';
import type { RecordSet } from './records.ts';

/** An existing name. One without records is an empty non-terminal: it exists because a name below it does (RFC 8020). */
export interface Node {
  readonly zone: WireName;
  readonly sets: readonly RecordSet[];
}

/** The innermost zone that contains the name; null if it is in none. */
export function zoneOf(name: WireName, zones: { has(name: WireName): boolean }): WireName | null {
  for (let rest = name; ; rest = above(rest)) {
    if (zones.has(rest)) return rest;
    if (isRoot(rest)) return null;
  }
}

interface GrownNode {
  readonly zone: WireName;
  sets: readonly RecordSet[];
  /** Number of names directly below it. */
  children: number;
}

/** The names of some zones, including the empty non-terminals between a name and its zone. */
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

  /** Replaces the records of a name. Ignores a name outside the zones. */
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

  /** Removes the records of a name, and all names that become empty with it. */
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
