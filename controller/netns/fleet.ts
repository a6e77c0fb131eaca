import type { Clock, Log } from '../ports.ts';
import { Departures, type NamespaceLedgers } from './departures.ts';
import { followNamespaces } from './directory.ts';
import type { NamespaceKeeper } from './keeper.ts';
import type { Namespace, NamespaceChanges, RefusedNamespace } from './namespaces.ts';
import type { NamespaceReport, NamespacesReport } from './report.ts';

export interface FleetPorts {
  readonly directory: string;
  readonly keeper: (namespace: Namespace) => NamespaceKeeper;
  readonly ledgers: NamespaceLedgers;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the ledger of a namespace that is gone is kept, in case it returns under any name. Defaults to 60 s. */
  readonly absenceMs?: number | undefined;
}

interface Kept {
  readonly keeper: NamespaceKeeper;
  readonly inode: bigint;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Keeps VIPs in every network namespace in a directory, independently, so that a failure in one does not affect others. */
export class NamespaceFleet {
  readonly #ports: FleetPorts;
  readonly #kept = new Map<string, Kept>();
  readonly #departures: Departures;
  #refused: readonly RefusedNamespace[] = [];
  #failure: string | null = null;
  #isFirst = true;

  constructor(ports: FleetPorts) {
    this.#ports = ports;
    this.#departures = new Departures(ports);
  }

  /** Runs until `signal` aborts; removes nothing from the namespaces. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { directory, clock, log } = this.#ports;
    const listener = {
      changed: (changes: NamespaceChanges) => this.#changed(changes, signal),
      failed: ({ message }: Error) => {
        this.#failure = message;
        log.warn('cannot read the network namespaces, keeping those found before', { reason: message });
      },
    };
    await followNamespaces({ directory, clock, log }, listener, signal);
    await Promise.all([...[...this.#kept.values()].map(({ ended }) => ended), this.#departures.over()]);
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
    const { log } = this.#ports;
    this.#failure = null;
    const logged = new Set(this.#refused.map(({ id, reason }) => `${id}\n${reason}`));
    for (const { id, reason } of refused)
      if (!logged.has(`${id}\n${reason}`)) log.warn('network namespace gets no VIPs', { netns: id, reason });
    this.#refused = refused;
    if (this.#isFirst) {
      const named = new Set([...namespaces.values(), ...refused].map(({ inode }) => inode));
      void this.#departures.leftBefore((inode) => named.has(inode) || this.#keeps(inode), signal);
    }
    this.#isFirst = false;
    for (const { id } of removed) this.#remove(id, signal);
    for (const namespace of added) this.#add(namespace, signal);
    for (const [id, namespace] of namespaces) {
      const kept = this.#kept.get(id);
      if (kept !== undefined) kept.keeper.namespace = namespace;
    }
  }

  #keeps(inode: bigint): boolean {
    return [...this.#kept.values()].some((kept) => kept.inode === inode);
  }

  #add(namespace: Namespace, signal: AbortSignal): void {
    const { id, path, inode } = namespace;
    const keeper = this.#ports.keeper(namespace);
    const stop = new AbortController();
    const ended = this.#departures
      .returned(inode)
      .then(() => keeper.run(AbortSignal.any([signal, stop.signal])));
    this.#kept.set(id, { keeper, inode, stop, ended });
    this.#ports.log.info('network namespace found', { netns: id, path });
  }

  #remove(id: string, signal: AbortSignal): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    kept.stop.abort(null);
    this.#departures.left(kept.inode, kept.ended, signal);
    this.#ports.log.info('network namespace gone', { netns: id });
  }
}
