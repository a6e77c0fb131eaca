import {
  EJECTION_CAUSES,
  type Ejection,
  type Ejections,
  PROBE_RESULTS,
  type ProbeResult,
  type TargetKey,
} from '../model/ejection.ts';

/** The current ejections, which of them changed, and how many there have been. */
export class EjectionRegister {
  readonly #ejections = new Map<TargetKey, Ejection>();
  #changed = new Set<TargetKey>();
  readonly ejected = zeros(EJECTION_CAUSES);
  readonly probes = zeros(PROBE_RESULTS);
  returned = 0;

  get ejections(): Ejections {
    return this.#ejections;
  }

  /** Whether `takeChanged` would return any backend. */
  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** Returns the backends whose ejection began, ended or changed since the last call. */
  takeChanged(): ReadonlySet<TargetKey> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** Adds and counts a new ejection. */
  begin(ejection: Ejection): void {
    this.ejected[ejection.cause] += 1;
    this.update(ejection);
  }

  /** Replaces the ejection of a backend, for a new time of its next probe. */
  update(ejection: Ejection): void {
    this.#ejections.set(ejection.target.key, ejection);
    this.#changed.add(ejection.target.key);
  }

  /** Ends and counts the ejection of a backend that answers again. */
  return(key: TargetKey): void {
    this.forget(key);
    this.returned += 1;
  }

  /** Drops the ejection of a backend that no longer exists; does nothing if there is none. */
  forget(key: TargetKey): void {
    if (this.#ejections.delete(key)) this.#changed.add(key);
  }

  countProbe(results: readonly ProbeResult[]): void {
    for (const result of results) this.probes[result] += 1;
  }
}

function zeros<Key extends string>(keys: readonly Key[]): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>;
}
