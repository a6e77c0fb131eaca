import { messageOf } from '../errors.ts';
import type { NamespaceReport, NamespacesReport } from '../namespace-report.ts';
import type { Clock, Log } from '../ports.ts';
import { followNamespaces } from './directory.ts';
import type { NamespaceKeeper } from './keeper.ts';
import type { Namespace, NamespaceChanges, RefusedNamespace } from './namespaces.ts';

export interface FleetPorts {
  readonly directory: string;
  readonly keeper: (namespace: Namespace) => NamespaceKeeper;
  readonly ledgers: NamespaceLedgers;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where it is written which services of each namespace are ours. */
export interface NamespaceLedgers {
  /** Forgets what was ours in a namespace that is gone. Rejects where that cannot be written. */
  forget(id: string): Promise<void>;
  /** Forgets all namespaces but these. Rejects likewise. */
  forgetOthers(ids: ReadonlySet<string>): Promise<void>;
}

interface Kept {
  readonly keeper: NamespaceKeeper;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Keeps VIPs in every network namespace that a directory names; each by itself, so that one that fails costs no other. */
export class NamespaceFleet {
  readonly #ports: FleetPorts;
  readonly #kept = new Map<string, Kept>();
  /** Resolve once what was kept under an id has come to its end. */
  readonly #ending = new Map<string, Promise<void>>();
  #refused: readonly RefusedNamespace[] = [];
  #failure: string | null = null;
  #isFirst = true;

  constructor(ports: FleetPorts) {
    this.#ports = ports;
  }

  /** Runs until `signal` aborts. Removes nothing from any namespace then. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { directory, clock, log } = this.#ports;
    const listener = {
      changed: (changes: NamespaceChanges) => this.#changed(changes, signal),
      failed: ({ message }: Error) => {
        this.#failure = message;
        log.warn('network namespaces are kept as they were found before', { reason: message });
      },
    };
    await followNamespaces({ directory, clock, log }, listener, signal);
    await Promise.all([...[...this.#kept.values()].map(({ ended }) => ended), ...this.#ending.values()]);
  }

  get report(): NamespacesReport {
    const since = this.#ports.clock.monotonic();
    const kept = [...this.#kept.values()].map(({ keeper }) => keeper.report);
    const refused = this.#refused
      .filter(({ id }) => !this.#kept.has(id))
      .map(
        ({ id, reason }): NamespaceReport => ({ id, path: null, isInSync: false, reason, vips: 0, since }),
      );
    return {
      directory: this.#ports.directory,
      failure: this.#failure,
      namespaces: [...kept, ...refused].sort((a, b) => (a.id < b.id ? -1 : 1)),
    };
  }

  #changed({ namespaces, added, removed, refused }: NamespaceChanges, signal: AbortSignal): void {
    const { log, ledgers } = this.#ports;
    this.#failure = null;
    const told = new Set(this.#refused.map(({ id, reason }) => `${id}\n${reason}`));
    for (const { id, reason } of refused)
      if (!told.has(`${id}\n${reason}`)) log.warn('no VIPs are kept here', { netns: id, reason });
    this.#refused = refused;
    if (this.#isFirst) {
      const known = new Set([...namespaces.keys(), ...refused.map(({ id }) => id)]);
      this.#ending.set(
        '',
        ledgers.forgetOthers(known).catch((error) => this.#unforgotten(error)),
      );
    }
    this.#isFirst = false;
    for (const { id } of removed) this.#remove(id);
    for (const namespace of added) this.#add(namespace, signal);
    for (const [id, namespace] of namespaces) {
      const kept = this.#kept.get(id);
      if (kept !== undefined) kept.keeper.namespace = namespace;
    }
  }

  #add(namespace: Namespace, signal: AbortSignal): void {
    const { id, path } = namespace;
    const keeper = this.#ports.keeper(namespace);
    const stop = new AbortController();
    const before = Promise.all([this.#ending.get(''), this.#ending.get(id)]);
    const ended = before.then(() => keeper.run(AbortSignal.any([signal, stop.signal])));
    this.#kept.set(id, { keeper, stop, ended });
    this.#ports.log.info('network namespace found', { netns: id, path });
  }

  #remove(id: string): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    kept.stop.abort(null);
    const { log, ledgers } = this.#ports;
    const ending = kept.ended
      .then(() => ledgers.forget(id))
      .catch((error) => this.#unforgotten(error))
      .finally(() => {
        if (this.#ending.get(id) === ending) this.#ending.delete(id);
      });
    this.#ending.set(id, ending);
    log.info('network namespace gone', { netns: id });
  }

  #unforgotten(error: unknown): void {
    this.#ports.log.warn('the ledger of a network namespace that is gone could not be removed', {
      error: messageOf(error),
    });
  }
}
