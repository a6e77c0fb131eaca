/** Backends that do not answer a host: what watching them would have found, without the watching. */

import { type Ejection, type TargetKey, targetKey } from '../../controller/model/ejection.ts';
import type { EjectionFacts } from '../../controller/ports.ts';

const PROTOCOLS = ['tcp', 'udp'] as const;

export class Unanswering implements EjectionFacts {
  readonly ejections = new Map<TargetKey, Ejection>();
  /** Endpoints that do not answer, since when. */
  readonly since = new Map<string, number>();
  readonly #wake: () => void;
  #changed = new Set<TargetKey>();

  constructor(wake: () => void = () => undefined) {
    this.#wake = wake;
  }

  takeChanged(): ReadonlySet<TargetKey> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** All answer again. */
  clear(): void {
    for (const endpoint of [...this.since.keys()]) this.set(endpoint, null);
  }

  /** null: it answers. */
  set(endpoint: string, since: number | null): void {
    if (since === null) this.since.delete(endpoint);
    else if (!this.since.has(endpoint)) this.since.set(endpoint, since);
    for (const protocol of PROTOCOLS) {
      const key = targetKey(protocol, endpoint);
      this.#changed.add(key);
      const ejection = this.ejections.get(key);
      if (since === null) this.ejections.delete(key);
      else if (ejection === undefined) this.ejections.set(key, ejectionOf(key, protocol, endpoint, since));
    }
    this.#wake();
  }
}

function ejectionOf(
  key: TargetKey,
  protocol: (typeof PROTOCOLS)[number],
  endpoint: string,
  since: number,
): Ejection {
  const address = endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  const port = Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));
  const target = { key, protocol, address, port, agent: address, task: '' };
  return { target, since, cause: 'timed out', reason: 'no reply', nextProbe: null };
}
