import {
  EJECTION_CAUSES,
  type Ejection,
  type Ejections,
  PROBE_RESULTS,
  type ProbeResult,
  type TargetKey,
} from '../ejection.ts';

/** The ejections of now, which of them are news, and how many there have been. */
export class EjectionRegister {
  readonly #ejections = new Map<TargetKey, Ejection>();
  #changed = new Set<TargetKey>();
  readonly ejected = zeros(EJECTION_CAUSES);
  readonly probes = zeros(PROBE_RESULTS);
  returned = 0;

  get ejections(): Ejections {
    return this.#ejections;
  }

  /** Whether `takeChanged` has something to tell. */
  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** The backends whose ejection began, ended or is otherwise told of since this was last asked. */
  takeChanged(): ReadonlySet<TargetKey> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  begin(ejection: Ejection): void {
    this.ejected[ejection.cause] += 1;
    this.update(ejection);
  }

  update(ejection: Ejection): void {
    this.#ejections.set(ejection.target.key, ejection);
    this.#changed.add(ejection.target.key);
  }

  /** The backend answers again. */
  return(key: TargetKey): void {
    this.forget(key);
    this.returned += 1;
  }

  /** It is no backend any more. */
  forget(key: TargetKey): void {
    if (this.#ejections.delete(key)) this.#changed.add(key);
  }

  count(results: readonly ProbeResult[]): void {
    for (const result of results) this.probes[result] += 1;
  }
}

function zeros<Key extends string>(keys: readonly Key[]): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>;
}
