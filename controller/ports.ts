/** The ports of the program on one page: everything that it reads, writes and waits for, and that a test replaces. */

import type { AppRef, DeploymentProgress, WriteOptions, WriteResult } from './model/app-writes.ts';
import type { ConnectionKey, ConnectionsRead } from './model/connection-entry.ts';
import type { CountersRead, KernelReading } from './model/counters.ts';
import type { Delta } from './model/delta.ts';
import type { Ejections, ProbeResult, Target, TargetKey } from './model/ejection.ts';
import type { BackendKey } from './model/endpoint.ts';
import type { ObservedService, Step, Table } from './model/kernel.ts';
import type { NameMemory } from './model/name-memory.ts';
import type { NamedService, ServiceAddress, ServiceKey } from './model/service.ts';
import type { Snapshot } from './model/snapshot.ts';
import type { PassStatus } from './pass-status.ts';
import type { Owned } from './plan/plan.ts';

/** Where apps come from. */
export interface AppSource {
  /** As given, without credentials, for messages and metrics: `marathon=http://10.0.0.1:8080`, `kubernetes`. */
  readonly name: string;
  /** URLs of its servers, including those found since the start (a leader): no VIP may take their addresses. */
  readonly servers?: readonly string[];
  /**
   * Follows the source until `signal` aborts, then resolves. Reconnects with backoff, and never rejects because of the
   * source.
   *
   * Calls `listener.changed` after each successful read and `listener.failed` after each failed one; a failure leaves the
   * last state as it is. The first delta is complete and holds everything.
   */
  follow(listener: SourceListener, signal: AbortSignal): Promise<void>;
  /** Reads everything once. Rejects with a `ControllerError` when that fails; never resolves with a part. */
  read(signal: AbortSignal): Promise<Snapshot>;
}

/** Receives what a source reports. Must not throw. */
export interface SourceListener {
  /** The changes since the last call; empty when a read found none. */
  changed(delta: Delta): void;
  failed(error: Error): void;
}

/**
 * Loads the saved apps of a source, by its name, from disk with each call; null when nothing was saved. Never rejects: what
 * cannot be loaded counts as not saved.
 */
export type SavedApps = (source: string) => Promise<Pick<Snapshot, 'apps' | 'unknown'> | null>;

/** Changes apps and pods. A refusal by Marathon is a result; a failure to get an answer rejects with a `ControllerError`. */
export interface AppWriter {
  /** `http://10.0.0.1:8080`, without credentials. */
  readonly name: string;
  /** Mesos framework name, a part of the names of VIPs. */
  framework(signal: AbortSignal): Promise<string>;
  /** Apps as Marathon lists them, with counts and deployments. */
  listApps(signal: AbortSignal): Promise<readonly unknown[]>;
  /** Marathon's JSON of an app (with its tasks) or pod; null when there is none. */
  show(ref: AppRef, signal: AbortSignal): Promise<unknown>;
  /** Sends `json` unchanged. */
  add(kind: AppRef['kind'], json: string, options: WriteOptions): Promise<WriteResult>;
  /** Replaces the given fields of an app, or the whole pod. Sends `json` unchanged. */
  update(ref: AppRef, json: string, options: WriteOptions): Promise<WriteResult>;
  remove(ref: AppRef, options: WriteOptions): Promise<WriteResult>;
  /** The progress of a deployment; null once it has ended, successfully or not. */
  deployment(id: string, signal: AbortSignal): Promise<DeploymentProgress | null>;
}

/** The kernel's IPVS table. */
export interface IpvsTable {
  /**
   * Reads the whole table, or those of the services `only` that exist. Rejects when the read fails; never resolves with a
   * part.
   */
  observe(only?: Iterable<ServiceAddress>): Promise<Table>;
  /**
   * Reads the whole table in the background, while steps can be applied: a service that they change is read in either
   * state. `keep` is called with each service and returns the object to put into the table, so that an equal one that is
   * known already can be reused.
   */
  observeInBackground(keep: (read: ObservedService) => ObservedService): Promise<Table>;
  /**
   * Applies the steps in this order. One that fails does not stop the next. Resolves with the failures.
   *
   * A step that was already applied succeeds, since plans are repeated after a crash. The exception is adding a service that
   * exists, which fails and leaves it as it is, since it may be another program's.
   */
  apply(steps: readonly Step[]): Promise<readonly StepFailure[]>;
  close(): void;
}

/** A step that the kernel did not carry out, and why. */
export interface StepFailure {
  readonly step: Step;
  readonly error: Error;
  /**
   * `no-scheduler`: the kernel lacks the service's scheduler. `refused-backend`: it does not accept the backend's address as
   * a destination. `exists`: the service to add exists. Absent: another reason.
   */
  readonly why?: 'no-scheduler' | 'refused-backend' | 'exists';
}

/** The kernel's counters, read on demand and never by a pass. */
export interface KernelCounters {
  /**
   * Reads the counters of these services, without those that the kernel lacks. Yields to other work while reading. Rejects
   * when the kernel cannot be read.
   */
  read(services: Iterable<ServiceKey>): Promise<KernelReading>;
  close(): void;
}

/** Counters of the backends of busy VIPs, polled to find backends that do not answer. */
export interface DestinationCounters {
  /**
   * Reads the destinations of the watched services that got new connections since the last call. Rejects when the kernel
   * cannot be read; earlier reads are dropped then.
   */
  read(isWatched: (service: ServiceKey) => boolean): Promise<CountersRead>;
  close(): void;
}

/** The kernel's table of connections, polled to find backends that do not answer new ones. */
export interface ConnectionTable {
  /** One call at a time. Rejects when the kernel cannot be read. */
  read(): Promise<ConnectionsRead>;
  close(): void;
}

/** All TCP connections of this network namespace that no packet has come back for, whatever program they belong to. */
export interface WaitingConnections {
  /** Resolves with null when the kernel does not report them, or not all of so many `connections`. Never rejects. */
  read(connections: number): Promise<readonly ConnectionKey[] | null>;
  close(): void;
}

/** Connects to a backend as a client would. */
export interface Prober {
  /** Makes some attempts, one shortly after the other, and resolves with the result of each. Never rejects. */
  probe(target: Target, attempts: number): Promise<readonly ProbeResult[]>;
}

/** The ejected backends, for passes. */
export interface EjectionFacts {
  readonly ejections: Ejections;
  /**
   * Ends the ejections of backends that no VIP has any more, and of those whose address has another task. Returns the backends
   * that were ejected or restored since the last call.
   */
  takeChanged(): ReadonlySet<TargetKey>;
}

/** Makes VIP addresses reachable on this host: kernel settings, packet filter, interface and routes. */
export interface Reachability {
  /**
   * Ensures that packets to the pools and to `addresses` (IP VIPs outside the pools) are delivered to this host.
   * Idempotent. Resolves with what it changed; empty when everything was in place.
   */
  ensure(addresses: readonly string[]): Promise<ReachabilityReport>;
  /**
   * Restores what someone removed since the last `ensure`; cheap enough to call every second. Resolves with what it
   * changed.
   */
  repair(): Promise<readonly string[]>;
  /** What `remove` would remove, in its words. */
  exists(): Promise<readonly string[]>;
  /**
   * Removes interface, routes and packet filter. Resolves with what it removed, as text for the operator: `interface vip0
   * with its routes`.
   */
  remove(): Promise<readonly string[]>;
  close(): void;
}

/** What a check of interface, routes, packet filter and kernel settings found and changed. */
export interface ReachabilityReport {
  /** One line each, for the log: `route local 11.0.0.0/8 dev vip0 added`. */
  readonly changed: readonly string[];
  /** Problems that keep VIPs from being reached, each with its fix. */
  readonly problems: readonly string[];
  /** Settings of this host that should be different although VIPs are reached, each with the command that fixes it. */
  readonly advice: readonly string[];
}

/** Publishes the names of VIPs. */
export interface Names {
  /**
   * Adds, changes and removes names. Called in each pass, after new services forward and before old ones are removed.
   * Returns problems that keep clients from resolving names, each with its fix. Must not throw.
   */
  publish(changes: NameChanges): readonly string[];
}

/** Services with a new or changed name; null removes the name. */
export type NameChanges = ReadonlyMap<ServiceKey, NamedService | null>;

/** The owned services: those that the controller added or adopted on this host since it booted. */
export interface Ledger {
  load(): Promise<LedgerState>;
  /**
   * Saves the entries atomically. `changed`: the keys that may differ from the last save; null when unknown. A service must
   * be saved before it is added to the kernel. Rejects after some seconds when the file system hangs, as does every further
   * call until the hanging write has ended.
   */
  save(entries: ReadonlyMap<ServiceKey, LedgerEntry>, changed: Iterable<ServiceKey> | null): Promise<void>;
}

/** What the ledger records of a service. */
export interface LedgerEntry extends Owned {
  /** Deadlines of draining backends, in milliseconds since the epoch. */
  readonly drains?: Readonly<Record<BackendKey, number>>;
}

/** The contents of the ledger at the start. */
export interface LedgerState {
  readonly entries: ReadonlyMap<ServiceKey, LedgerEntry>;
  /** Set when the file was damaged and has been moved aside. */
  readonly warning?: string;
}

/** What survives a restart or a reboot: the last good state of each source, and the memory of names and labels. */
export interface StateStore {
  loadSource(source: string): Promise<StoredSnapshot | null>;
  /**
   * Saves the changes of a source since its last save (null when unknown). `all` returns its whole state, for a file that
   * cannot be appended to. One call at a time for each source. Rejects with a `ControllerError`; the last save stays as it was.
   */
  saveSource(source: string, change: StoredChange | null, all: () => Snapshot): Promise<void>;
  /** Empty when nothing was saved; null when that is unknown, since the load took too long. */
  loadMemory(): Promise<NameMemory | null>;
  /** One call at a time. Rejects as `saveSource` does. */
  saveMemory(memory: NameMemory): Promise<void>;
  /** The first DNS serial that no run may have used; null when nothing was saved, or the load took too long. */
  loadSerial(): Promise<number | null>;
  /** One call at a time. Rejects as `saveSource` does. */
  saveSerial(serial: number): Promise<void>;
  /**
   * Resolves once loads that were given up, and saves of a serial, have ended: until then the process cannot end. Absent: there
   * are none.
   */
  settled?(): Promise<void>;
}

/** The changes of a source. */
export interface StoredChange extends Pick<Delta, 'upserts' | 'about'> {
  readonly removed: readonly Pick<Delta['removed'][number], 'key' | 'fromTasks'>[];
}

/** The saved state of a source. */
export interface StoredSnapshot {
  readonly snapshot: Snapshot;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
}

/** Resolves the host names of agents to IPv4 addresses; keeps the last address while the name server fails. */
export interface Resolver {
  /** null when unknown (never resolved, or without an address). Never rejects. */
  resolve(hostName: string): Promise<string | null>;
}

export type { Clock } from './time.ts';

/** Structured log: messages are constant, and variable parts are fields. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Reports passes to another system, such as the Kubernetes API. */
export interface Reporter {
  /** Must not throw. Reports later, in `run`. */
  passed(pass: PassStatus): void;
  /** Runs until `signal` aborts, then resolves. Never rejects because of the other system. */
  run(signal: AbortSignal): Promise<void>;
}

/** Observes the loop; implemented by the status board and the metrics. Must not throw. */
export interface Observer {
  /** A heartbeat of the loop, every few seconds. */
  moved(): void;
  sourceRead(
    source: string,
    read: {
      readonly apps: number;
      readonly complete: boolean;
      /** When it was saved, in milliseconds since the epoch, for saved state; null when the source itself was read. */
      readonly fromDiskOf: number | null;
    },
  ): void;
  sourceFailed(source: string, error: Error): void;
  /** Does the long work of `passed` in turns of a few milliseconds. Called right before it; never rejects. */
  prepare?(pass: PassStatus): Promise<void>;
  passed(pass: PassStatus): void;
  /** Kernel settings, packet filter, interface or routes were restored between two passes. */
  repaired(changes: readonly string[]): void;
}
