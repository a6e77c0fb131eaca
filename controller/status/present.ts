import type { KernelReading, ServiceCounters } from '../model/counters.ts';
import type { EjectionReport } from '../model/ejection.ts';
import type { ObservedBackend, ObservedService } from '../model/kernel.ts';
import type { NamespacesReport } from '../netns/report.ts';
import type { PassStatus, RefusedBackend } from '../pass-status.ts';
import { heldText } from '../plan/held-text.ts';
import { largeRemovalText } from '../plan/large-removal.ts';
import { warningsOf } from '../plan/unclaimed.ts';
import type { BackendRecord, DatedDecision } from './backend-records.ts';
import { type HealthLimits, readyz } from './checks.ts';
import type { BackendDocument, StatusDocument, VipDocument } from './document.ts';
import { summarize } from './figures.ts';
import type { PastRemoval } from './large-removals.ts';
import { isUneven, type Spread } from './spread.ts';
import type { SourceStatus, Status } from './status.ts';
import { MAX_LISTED, truncateLines, truncateRejections } from './truncate.ts';
import type { VipRecord } from './vip-records.ts';

/** The kernel's counters, or why they could not be read. */
export type Reading =
  | { readonly at: number; readonly kernel: KernelReading }
  | { readonly at: null; readonly error: string };

/** What the status document is made from. */
export interface Presented {
  readonly status: Status;
  readonly reading: Reading;
  readonly limits: HealthLimits;
  /** Advice from outside the loop, added to that of the last pass. Defaults to none. */
  readonly complaints?: readonly string[];
  readonly version: string;
  /** On the monotonic clock, like all times of the status. */
  readonly now: number;
}

/** Builds the document of `GET /v1/status`. */
export function presentStatus({
  status,
  reading,
  limits,
  complaints = [],
  version,
  now,
}: Presented): StatusDocument {
  const { lastPass } = status;
  const times: Times = { now, instant: (at) => new Date(Math.round(at + status.epochOffset)).toISOString() };
  const checks = readyz(status, now, limits);
  const counters = reading.at === null ? NO_COUNTERS : reading.kernel.services;
  const vips = [...status.vips.values()].sort(byName).map((vip) => {
    // In a conflict the service in the kernel is another program's, and so is its traffic.
    const ours = vip.state !== 'conflict';
    const found = ours ? lastPass?.observed.get(vip.id) : undefined;
    const spread = toSpread(ours ? status.spreads?.get(vip.id) : undefined, times);
    return { ...toVip(vip, ours ? counters.get(vip.id) : undefined, found, times), spread };
  });
  return {
    apiVersion: 'marathon-ipvs/v1',
    at: times.instant(now),
    version,
    startedAt: times.instant(status.startedAt),
    dryRun: status.dryRun,
    ready: checks.every(({ ok }) => ok),
    checks: [...checks],
    lastPass: lastPass === null ? null : toPass(lastPass, times),
    convergedAt: status.convergedAt === null ? null : times.instant(status.convergedAt),
    summary: summarize(vips),
    sources: status.sources.map((source) => toSource(source, times)),
    vips,
    held: toHeld(lastPass?.held ?? null, times),
    largeRemovals: status.largeRemovals.map((removal) => toLargeRemoval(removal, times)),
    conflicts: (lastPass?.plan.conflicts ?? []).map(({ key, apps, reason }) => ({
      id: key,
      apps: [...apps],
      reason,
    })),
    rejected: [...truncateRejections(lastPass?.desired.rejected ?? [])],
    warnings: [...truncateLines(lastPass === null ? [] : warningsOf(lastPass))],
    failures: [...(lastPass?.failures ?? [])],
    refused: (lastPass?.refused ?? []).slice(0, MAX_LISTED).map((refused) => toRefused(refused, times)),
    waiting: lastPass?.waiting ?? 0,
    host: {
      problems: [...(lastPass?.problems ?? [])],
      advice: [...(lastPass?.advice ?? []), ...complaints],
    },
    ejection: toEjection(status.ejection ?? null, times),
    networkNamespaces: toNamespaces(status.namespaces ?? null, times),
    kernel: toKernel(lastPass, reading, times),
  };
}

/** The current time, and the conversion of monotonic times to RFC 3339. */
interface Times {
  readonly now: number;
  readonly instant: (at: number) => string;
}

const NO_COUNTERS: ReadonlyMap<string, ServiceCounters> = new Map();

function toVip(
  record: VipRecord,
  counters: ServiceCounters | undefined,
  found: ObservedService | undefined,
  times: Times,
): Omit<VipDocument, 'spread'> {
  const { since, apps, decision, backends: records, ...rest } = record;
  const backends = [...records].map(([key, backend]) => {
    const traffic = counters?.backends.get(key)?.traffic ?? null;
    return toBackend(backend, counters?.backends.get(key) ?? found?.backends.get(key), traffic, times);
  });
  return {
    ...rest,
    apps: [...apps],
    since: times.instant(since),
    decision: decision === null ? null : toDecision(decision, times),
    activeConnections: sum(backends, ({ activeConnections }) => activeConnections),
    inactiveConnections: sum(backends, ({ inactiveConnections }) => inactiveConnections),
    traffic: counters?.traffic ?? null,
    backends: backends.sort(byEndpoint),
  };
}

function toBackend(
  { drainsUntil, since, decision, ...rest }: BackendRecord,
  counted: Pick<ObservedBackend, 'activeConnections' | 'inactiveConnections'> | undefined,
  traffic: BackendDocument['traffic'],
  times: Times,
): BackendDocument {
  const { activeConnections = 0, inactiveConnections = 0 } = counted ?? {};
  const connections = activeConnections + inactiveConnections;
  return {
    ...rest,
    since: times.instant(since),
    activeConnections,
    inactiveConnections,
    decision: decision === null ? null : toDecision(decision, times),
    drain: drainsUntil === null ? null : toDrain(drainsUntil, connections, times),
    traffic,
  };
}

function toSpread(spread: Spread | undefined, { instant }: Times): VipDocument['spread'] {
  if (spread === undefined) return null;
  return { ...spread, since: instant(spread.since), uneven: isUneven(spread) };
}

function toDecision(
  { rule, since, reason, endsWhen, endsAt }: DatedDecision,
  { instant }: Times,
): BackendDocument['decision'] {
  return {
    rule,
    since: instant(since),
    reason: reason ?? null,
    endsWhen,
    endsAt: endsAt === null ? null : instant(endsAt),
  };
}

function toDrain(until: number, connections: number, { now, instant }: Times): BackendDocument['drain'] {
  return {
    connections,
    deadline: instant(until),
    secondsLeft: Math.max(0, Math.ceil((until - now) / 1_000)),
  };
}

function toHeld(held: PassStatus['held'], { instant }: Times): StatusDocument['held'] {
  if (held === null) return null;
  const { since, until, services } = held;
  return {
    reason: heldText(held),
    since: instant(since),
    until: instant(until),
    services: [...services].sort(),
  };
}

function toLargeRemoval(removal: PastRemoval, { instant }: Times): StatusDocument['largeRemovals'][number] {
  return {
    at: instant(removal.at),
    reason: largeRemovalText(removal),
    because: removal.because.map((leave) => ({ ...leave, at: instant(leave.at) })),
    services: [...removal.services].sort(),
  };
}

function toRefused(
  { address, since, endsAt, reason }: RefusedBackend,
  { instant }: Times,
): StatusDocument['refused'][number] {
  return { address, since: instant(since), endsAt: instant(endsAt), reason };
}

function toPass(
  { kind, startedAt, finishedAt, error }: PassStatus,
  { instant }: Times,
): StatusDocument['lastPass'] {
  return { kind, finishedAt: instant(finishedAt), durationMs: Math.round(finishedAt - startedAt), error };
}

function toNamespaces(
  report: NamespacesReport | null,
  { instant }: Times,
): StatusDocument['networkNamespaces'] {
  if (report === null) return null;
  const { directory, failure, namespaces } = report;
  return {
    directory,
    failure,
    namespaces: namespaces.map(({ isInSync: inSync, since, ...rest }) => ({
      ...rest,
      inSync,
      since: instant(since),
    })),
  };
}

function toEjection(report: EjectionReport | null, { instant }: Times): StatusDocument['ejection'] {
  if (report === null) return null;
  const { mode, suspects, blind, behind, ejections } = report;
  const backends = [...ejections.values()].map(({ target, cause, reason, since, nextProbe }) => ({
    ...{ backend: target.key, agent: target.agent, cause, reason, since: instant(since) },
    nextProbe: nextProbe === null || !Number.isFinite(nextProbe) ? null : instant(nextProbe),
  }));
  const cutOff = blind === null ? null : { ...blind, since: instant(blind.since) };
  return { mode, suspects, blind: cutOff, behind, backends };
}

function toSource(
  { name, apps, readAt, fromDiskOf, failure }: SourceStatus,
  { now, instant }: Times,
): StatusDocument['sources'][number] {
  const dataOf = fromDiskOf ?? readAt;
  return {
    name,
    apps,
    readAt: readAt === null ? null : instant(readAt),
    fromDiskOf: fromDiskOf === null ? null : instant(fromDiskOf),
    ageSeconds: dataOf === null ? null : Math.max(0, Math.round((now - dataOf) / 1_000)),
    failure: failure === null ? null : { at: instant(failure.at), message: failure.message },
  };
}

function toKernel(pass: PassStatus | null, reading: Reading, { instant }: Times): StatusDocument['kernel'] {
  const known = reading.at === null ? null : reading.kernel;
  const observed = [...(pass?.observed ?? new Map<string, never>())];
  return {
    readAt: reading.at === null ? null : instant(reading.at),
    error: reading.at === null ? reading.error : null,
    ipvsVersion: known?.ipvsVersion ?? null,
    services: observed.length,
    foreignServices: observed.filter(([key]) => pass?.owned.has(key) !== true).length,
    backends: sum(observed, ([, { backends }]) => backends.size),
    connectionTableSize: known?.connectionTableSize ?? null,
    conntrack: known?.conntrack ?? null,
    timeouts: known?.timeouts ?? null,
    tables: known?.tables ?? null,
  };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function byName(a: VipRecord, b: VipRecord): number {
  return compare(a.name ?? '~', b.name ?? '~') || compare(a.id, b.id);
}

function byEndpoint(a: BackendDocument, b: BackendDocument): number {
  return compare(a.address, b.address) || a.port - b.port;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
