/** The definitions of all apps and pods, with their earlier versions. */

import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, without } from './json.ts';
import { appRunSpec, podRunSpec, type RunSpec } from './run-spec.ts';

export interface Entry {
  readonly kind: 'app' | 'pod';
  readonly id: string;
  /** Oldest first. */
  readonly versions: ReadonlyMap<string, JsonObject>;
  readonly version: string;
  readonly configVersion: string;
  readonly scalingVersion: string;
  readonly definition: JsonObject;
}

export type Change = 'created' | 'config' | 'scaled';

export class Catalogue {
  readonly #entries = new Map<string, Entry>();
  #lastVersion = 0;

  get(kind: Entry['kind'], id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    return entry?.kind === kind ? entry : undefined;
  }

  /** Of any kind: apps and pods share their ids. */
  has(id: string): boolean {
    return this.#entries.has(id);
  }

  list(kind: Entry['kind']): readonly Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.kind === kind);
  }

  /** A time that no version has had. */
  newVersion(): string {
    this.#lastVersion = Math.max(Date.now(), this.#lastVersion + 1);
    return new Date(this.#lastVersion).toISOString();
  }

  /** Makes the definition the newest; `restart` makes a new configuration of an unchanged one. */
  put(
    kind: Entry['kind'],
    id: string,
    definition: JsonObject,
    restart = false,
  ): { entry: Entry; change: Change } {
    const before = this.#entries.get(id);
    const version = this.newVersion();
    const change = !before
      ? 'created'
      : restart || !sameConfiguration(before.definition, definition)
        ? 'config'
        : 'scaled';
    const entry: Entry = {
      kind,
      id,
      definition,
      version,
      versions: new Map([...(before?.versions ?? []), [version, definition]]),
      configVersion: before && change === 'scaled' ? before.configVersion : version,
      scalingVersion: version,
    };
    this.#entries.set(id, entry);
    return { entry, change };
  }

  remove(id: string): void {
    this.#entries.delete(id);
  }

  /** Drops an old version, as Marathon's garbage collection does. */
  forgetVersion(id: string, version: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.set(id, {
      ...entry,
      versions: new Map([...entry.versions].filter(([key]) => key !== version)),
    });
  }
}

export function runSpecOf(entry: Entry): RunSpec {
  const make = entry.kind === 'app' ? appRunSpec : podRunSpec;
  return make(entry.definition, entry.version, entry.configVersion);
}

function sameConfiguration(a: JsonObject, b: JsonObject): boolean {
  return isDeepStrictEqual(without(a, 'instances', 'scaling'), without(b, 'instances', 'scaling'));
}
