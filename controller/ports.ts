/** Every edge of the program on one page: what it reads, writes and waits for, and what a test must stand in for. */

import type { AppRef, DeploymentProgress, WriteOptions, WriteResult } from './app-writes.ts';
import type { TcpConnections } from './connection-entry.ts';
import type { CountersRead, KernelReading } from './counters.ts';
import type { Delta } from './delta.ts';
import type { Ejections, ProbeResult, Target, TargetKey } from './ejection.ts';
import type {
  App,
  BackendKey,
  NamedService,
  ObservedService,
  ServiceAddress,
  ServiceKey,
  Snapshot,
  Step,
  Table,
} from './model.ts';
import type { NameMemory } from './name-memory.ts';
import type { PassStatus } from './pass-status.ts';

/** Where apps come from. */
export interface AppSource {
  /** `marathon=http://10.0.0.1:8080`, `kubernetes`: as it was given, without credentials: for messages and metrics. */
  readonly name: string;
  /** URLs of the servers behind it, those learnt since the start too (a leader): no VIP may take their addresses. */
  readonly servers?: readonly string[];
  /**
   * Follows the source until `signal` aborts; resolves then. Reconnects by itself, with backoff, and never rejects
   * because of what the source does.
   *
   * `listener.changed` is called after every good read, `listener.failed` after every failed one. What was read
   * last stays what it was when a read fails. The first delta is complete and holds everything.
   */
  follow(listener: SourceListener, signal: AbortSignal): Promise<void>;
  /** Reads everything once; rejects with a `ControllerError` when that is not possible (nothing is partial). */
  read(signal: AbortSignal): Promise<Snapshot>;
}

export interface SourceListener {
  /** What changed since this was last called; nothing did where a read found the source as it was. */
  changed(delta: Delta): void;
  failed(error: Error): void;
}

/** The apps that were saved of a source, by its name; it loads them anew each time. Never rejects: what cannot be loaded was not saved. */
export type SavedApps = (source: string) => Promise<readonly App[]>;

/** Where apps and pods are changed. What Marathon refuses is data; what keeps it from answering rejects (`ControllerError`). */
export interface AppWriter {
  /** `http://10.0.0.1:8080`, without credentials. */
  readonly name: string;
  /** Mesos framework name, which the names of VIPs have in them. */
  framework(signal: AbortSignal): Promise<string>;
  /** Apps as Marathon lists them, with counts and deployments. */
  listApps(signal: AbortSignal): Promise<readonly unknown[]>;
  /** Marathon's JSON of one, an app with its tasks; null where there is none. */
  show(ref: AppRef, signal: AbortSignal): Promise<unknown>;
  /** `json` goes to Marathon as it is. */
  add(kind: AppRef['kind'], json: string, options: WriteOptions): Promise<WriteResult>;
  /** The fields in `json` replace those of the app; those of a pod replace all of it. `json` goes to Marathon as it is. */
  update(ref: AppRef, json: string, options: WriteOptions): Promise<WriteResult>;
  remove(ref: AppRef, options: WriteOptions): Promise<WriteResult>;
  /** How far it is; null once it is over, by success or not. */
  deployment(id: string, signal: AbortSignal): Promise<DeploymentProgress | null>;
}

/** The kernel's IPVS table. */
export interface IpvsTable {
  /**
   * The whole table, or of the services `only` those that there are; a rejection, never a part of it.
   */
  observe(only?: Iterable<ServiceAddress>): Promise<Table>;
  /**
   * The whole table, read without haste, so that steps can be applied meanwhile: of the services that they change, it
   * tells either state. `keep` is given each service once it has been read, and tells what stands for it in the table: what
   * is known already costs nothing to keep.
   */
  observeInBackground(keep: (read: ObservedService) => ObservedService): Promise<Table>;
  /**
   * Makes the steps in this order, each on its own: one that fails does not stop the next. Resolves with the failures,
   * each with the step as it was given.
   * A step that has been made already succeeds (plans are repeated after a crash), but for a service that is there when it
   * is to be added: it stays as it is, since it may be another program's.
   */
  apply(steps: readonly Step[]): Promise<readonly StepFailure[]>;
  close(): void;
}

export interface StepFailure {
  readonly step: Step;
  readonly error: Error;
  /**
   * `no-scheduler`: the kernel lacks the one that the service is to have. `refused-backend`: it takes the backend's address
   * for no destination. `exists`: the service that was to be added is there. Absent: another reason.
   */
  readonly why?: 'no-scheduler' | 'refused-backend' | 'exists';
}

/** The kernel's own counters, read when someone asks for them: no pass waits for it. */
export interface KernelCounters {
  /**
   * What has gone through these services until now; those that the kernel lacks are left out. Gives way to other work
   * while it reads. Rejects when the kernel cannot be read.
   */
  read(services: Iterable<ServiceKey>): Promise<KernelReading>;
  close(): void;
}

/** What the kernel counts for the backends of VIPs that clients connect to, read again and again to find those that do not answer. */
export interface DestinationCounters {
  /**
   * Reads the destinations of those of these services that new connections came to of late. Rejects when the kernel cannot
   * be read; what was read before then counts no more.
   */
  read(isWatched: (service: ServiceKey) => boolean): Promise<CountersRead>;
  close(): void;
}

/** The connections that the kernel forwards, read again and again to find backends that do not answer new ones. */
export interface ConnectionTable {
  /** One call at a time. Rejects when the kernel cannot be read. */
  read(): Promise<ConnectionsRead>;
}

export interface ConnectionsRead {
  /** null: the table is too large to be read often. */
  readonly tcp: TcpConnections | null;
  /** How much of it was read. */
  readonly bytes: number;
  /** Milliseconds of processor time that this took. */
  readonly cost: number;
}

/** Connects to a backend as a client would. */
export interface Prober {
  /** The result of each attempt, made one shortly after the other. Never rejects. */
  probe(target: Target, attempts: number): Promise<readonly ProbeResult[]>;
}

/** Which backends do not answer this host, for passes. */
export interface EjectionFacts {
  readonly ejections: Ejections;
  /** The backends of which that is otherwise than when this was last asked. */
  takeChanged(): ReadonlySet<TargetKey>;
}

/** What makes VIP addresses reachable on this host: kernel settings, packet filter, interface and routes. */
export interface Reachability {
  /**
   * Brings them to the state in which `addresses` (IP VIPs outside the pools) and the pools
   * themselves are delivered to this host; idempotent. Resolves with what it had to change (empty: all was in place).
   */
  ensure(addresses: readonly string[]): Promise<ReachabilityReport>;
  /**
   * Puts back what someone took away since the last `ensure`; cheap enough for every second. Resolves with what it
   * had to change.
   */
  repair(): Promise<readonly string[]>;
  /** What of it is there, as `remove` would say it. */
  exists(): Promise<readonly string[]>;
  /**
   * Removes interface, routes and packet filter. Resolves with what was there, each in words for the operator:
   * `interface vip0 with its routes`.
   */
  remove(): Promise<readonly string[]>;
  close(): void;
}

export interface ReachabilityReport {
  /** One line each, for the log: `route local 11.0.0.0/8 dev vip0 added`. */
  readonly changed: readonly string[];
  /** What could not be done and keeps VIPs from being reached, with what mends it. */
  readonly problems: readonly string[];
  /** What is not as it should be on this host although VIPs are reached, with the command that mends it. */
  readonly advice: readonly string[];
}

/** Lets clients find VIPs by their names. */
export interface Names {
  /**
   * These services have names from now on, or none any more: called once new ones forward, and before old ones go, also
   * where nothing changed. Returns what keeps names from being asked for, with what mends it. Must not throw.
   */
  publish(changes: NameChanges): readonly string[];
}

/** Services whose name is new, or another one; null: it has none any more. */
export type NameChanges = ReadonlyMap<ServiceKey, NamedService | null>;

/** Which services are ours: what we made, or adopted, on this host since it booted. */
export interface Ledger {
  load(): Promise<LedgerState>;
  /**
   * Saves the entries, of which these keys may differ from what was saved last; null: that is not known. Atomic, and must
   * have happened before a service that it adds is written to the kernel. Rejects after some seconds where the file system
   * hangs; until that write has come to an end, so does every other.
   */
  save(entries: ReadonlyMap<ServiceKey, LedgerEntry>, changed: Iterable<ServiceKey> | null): Promise<void>;
}

export interface LedgerEntry {
  readonly name: string | null;
  readonly framework: string | null;
  readonly fqdn: string | null;
  /** As in `Owned`. */
  readonly near?: string;
  /** Backends that drain: when each goes at the latest, in milliseconds since the epoch. */
  readonly drains?: Readonly<Record<BackendKey, number>>;
}

export interface LedgerState {
  readonly entries: ReadonlyMap<ServiceKey, LedgerEntry>;
  /** Set when the file was damaged and has been put aside. */
  readonly warning?: string;
}

/** What survives a restart or a reboot: the last good word of each source, and the memory of names and labels. */
export interface StateStore {
  loadSource(source: string): Promise<StoredSnapshot | null>;
  /**
   * Saves what changed of a source since it was last saved; null: that is not known. `all` gives everything that it says now,
   * for where what there is cannot be added to. One call at a time for each source. Rejects with a `ControllerError`; what
   * was saved before is then still there.
   */
  saveSource(source: string, change: StoredChange | null, all: () => Snapshot): Promise<void>;
  loadMemory(): Promise<NameMemory>;
  /** As `saveSource`: one call at a time. */
  saveMemory(memory: NameMemory): Promise<void>;
  /** Resolves once loads that were given up have come to an end: until then the process cannot end by itself. Absent: none is given up. */
  settled?(): Promise<void>;
}

/** What changed of what a source says. */
export interface StoredChange extends Pick<Delta, 'upserts' | 'about'> {
  readonly removed: readonly Pick<Delta['removed'][number], 'key' | 'fromTasks'>[];
}

export interface StoredSnapshot {
  readonly snapshot: Snapshot;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
}

/** Turns an agent's host name into an IPv4 address; keeps the last one while the name server fails. */
export interface Resolver {
  /** null: not known (never resolved, or no address). Never rejects. */
  resolve(hostName: string): Promise<string | null>;
}

export type { Clock } from './time.ts';

/** Constant message, variable parts as fields. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Tells others, elsewhere, of each pass. */
export interface Reporter {
  /** Must not throw; what follows of it is done later. */
  passed(pass: PassStatus): void;
  /** Runs until `signal` aborts; resolves then, and never rejects because of what others do. */
  run(signal: AbortSignal): Promise<void>;
}

/** Learns what the loop does; implemented by the status board and by the metrics. Must not throw. */
export interface Observer {
  /** The loop moves; called every few seconds. */
  moved(): void;
  sourceRead(
    source: string,
    read: {
      readonly apps: number;
      readonly complete: boolean;
      /** When it was saved, in milliseconds since the epoch; null where the source itself was read. */
      readonly fromDiskOf: number | null;
    },
  ): void;
  sourceFailed(source: string, error: Error): void;
  /** Does what of `passed` may take long, in turns of a few milliseconds; called right before it, and never rejects. */
  prepare?(pass: PassStatus): Promise<void>;
  passed(pass: PassStatus): void;
  /** Kernel settings, packet filter, interface or routes were put right between two passes. */
  repaired(changes: readonly string[]): void;
}
