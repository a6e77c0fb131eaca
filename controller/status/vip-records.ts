import {
  type Backend,
  type BackendKey,
  type Declared,
  type Desired,
  endpointKey,
  type ObservedBackend,
  type ObservedService,
  type Service,
} from '../model.ts';
import type { PlannedService } from '../plan/plan.ts';
import type { VipState } from './document.ts';
import { shortfall } from './shortfall.ts';
import type { PassStatus } from './status.ts';

/** A VIP as the last pass left it, and since when it has been so. Times are milliseconds since the epoch. */
export interface VipRecord {
  readonly id: string;
  readonly name: string | null;
  readonly framework: string | null;
  readonly fqdn: string | null;
  readonly protocol: string;
  readonly address: string | null;
  readonly port: number;
  readonly scheduler: string | null;
  readonly persistenceSeconds: number;
  readonly apps: readonly string[];
  readonly state: VipState;
  readonly reason: string | null;
  readonly since: number;
  readonly backends: ReadonlyMap<BackendKey, BackendRecord>;
}

export interface BackendRecord {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly forward: string;
  readonly app: string | null;
  readonly task: string | null;
  readonly reason: string;
  readonly since: number;
  /** When it goes at the latest; null unless it drains. */
  readonly drainsUntil: number | null;
  /** As the pass found it; null where the kernel lacks it. */
  readonly observed: ObservedBackend | null;
}

export type VipRecords = ReadonlyMap<string, VipRecord>;

/**
 * What every VIP is like after a pass: desired ones, those that leave, those that another program's service keeps out,
 * and those that are declared without a backend. What is as it was in `before` has been so since then.
 *
 * A pass that ended early says nothing of the kernel, so `before` stands.
 */
export function recordVips(before: VipRecords, pass: PassStatus): VipRecords {
  if (pass.error !== null) return before;
  const records = new Map<string, VipRecord>();
  const spoken = new Set<string>();
  const put = (record: VipRecord) => {
    const had = before.get(record.id);
    const same = had?.state === record.state && had.reason === record.reason;
    records.set(record.id, same ? { ...record, since: had.since } : record);
    spoken.add(vipText(record));
  };

  const states = createStates(pass);
  for (const [id, service] of pass.desired.services)
    put(desiredRecord(id, service, states(id), pass, before));
  for (const planned of pass.plan.services) {
    const have = pass.observed.get(planned.key);
    if (pass.desired.services.has(planned.key) || have === undefined) continue;
    put(leavingRecord(planned, have, pass, before));
  }
  for (const [text, declared] of byVip(pass.desired.declared)) {
    if (!spoken.has(text)) put(emptyRecord(text, declared, pass.desired, pass.finishedAt));
  }
  return records;
}

interface StateAndReason {
  readonly state: VipState;
  readonly reason: string | null;
}

/** Makes the function that tells the state of a desired service. */
function createStates(pass: PassStatus): (id: string) => StateAndReason {
  const conflicts = new Map(pass.plan.conflicts.map(({ key, reason }) => [key, reason]));
  const unsettled = new Map(shortfall(pass).map(({ key, kind }) => [key, kind]));
  return (id) => {
    const conflict = conflicts.get(id);
    if (conflict !== undefined) return { state: 'conflict', reason: conflict };
    const kind = unsettled.get(id);
    if (kind === undefined) return { state: 'forwarding', reason: null };
    const what = kind === 'missing' ? 'the kernel lacks it' : 'not as desired in the kernel';
    return { state: 'pending', reason: failureOf(id, pass) ?? what };
  };
}

/** The first write to this service that failed, with its message. */
function failureOf(id: string, { failures }: PassStatus): string | null {
  const [protocol = '', endpoint = ''] = id.split('/');
  const flag = protocol === 'udp' ? '-u' : '-t';
  const failure = failures.find(
    ({ step }) => step.split(' ', 3).slice(1).join(' ') === `${flag} ${endpoint}`,
  );
  return failure === undefined ? null : `${failure.step}: ${failure.message}`;
}

function desiredRecord(
  id: string,
  service: Service,
  { state, reason }: StateAndReason,
  pass: PassStatus,
  before: VipRecords,
): VipRecord {
  const { name, framework, fqdn, protocol, address, port, scheduler, persistenceSeconds, apps } = service;
  const had = before.get(id)?.backends;
  // Of a service that another program made, nothing is ours.
  const have = state === 'conflict' ? undefined : pass.observed.get(id);
  const backends = new Map<BackendKey, BackendRecord>();
  for (const [key, backend] of service.backends) {
    backends.set(key, wantedBackend(backend, have?.backends.get(key), had?.get(key), pass.finishedAt));
  }
  const drains = pass.drains.get(id);
  for (const [key, observed] of have?.backends ?? []) {
    if (!backends.has(key)) {
      const leaving = leavingBackend(observed, drains?.get(key), had?.get(key), pass.finishedAt);
      backends.set(key, leaving);
    }
  }
  const idle = state === 'forwarding' && ![...backends.values()].some(({ weight }) => weight > 0);
  return {
    ...{ id, name, framework, fqdn, protocol, address, port, scheduler, persistenceSeconds, apps },
    state: idle ? 'out of rotation' : state,
    reason: idle ? 'every backend has weight 0' : reason,
    since: pass.finishedAt,
    backends,
  };
}

function wantedBackend(
  want: Backend,
  observed: ObservedBackend | undefined,
  had: BackendRecord | undefined,
  now: number,
): BackendRecord {
  const { address, port, forward, app, task, reason } = want;
  const weight = observed?.weight ?? want.weight;
  const since = had?.weight === weight && had.reason === reason ? had.since : now;
  return {
    address,
    port,
    weight,
    forward,
    app,
    task,
    reason,
    since,
    drainsUntil: null,
    observed: observed ?? null,
  };
}

const DRAINING = 'draining: no longer a backend of this VIP';
const LEAVING = 'no longer a backend of this VIP';

function leavingBackend(
  observed: ObservedBackend,
  deadline: number | undefined,
  had: BackendRecord | undefined,
  now: number,
): BackendRecord {
  const { address, port, weight, forward } = observed;
  const reason = deadline === undefined ? LEAVING : DRAINING;
  const since = had?.weight === weight && had.reason === reason ? had.since : now;
  // Who it belonged to is worth knowing as long as it is there.
  const { app, task } = had ?? { app: null, task: null };
  return {
    address,
    port,
    weight,
    forward,
    app,
    task,
    reason,
    since,
    drainsUntil: deadline ?? null,
    observed,
  };
}

function leavingRecord(
  planned: PlannedService,
  have: ObservedService,
  pass: PassStatus,
  before: VipRecords,
): VipRecord {
  const { key: id, protocol, address, port, scheduler, persistenceSeconds, reason } = planned;
  const had = before.get(id);
  const { name, framework } = planned.name === null && had !== undefined ? had : planned;
  const drains = pass.drains.get(id);
  const backends = new Map<BackendKey, BackendRecord>();
  for (const [key, observed] of have.backends) {
    const leaving = leavingBackend(observed, drains?.get(key), had?.backends.get(key), pass.finishedAt);
    backends.set(key, leaving);
  }
  return {
    ...{ id, name, framework, protocol, address, port, scheduler, persistenceSeconds },
    fqdn: planned.fqdn ?? had?.fqdn ?? null,
    apps: planned.apps.length > 0 ? planned.apps : (had?.apps ?? []),
    state: drains === undefined ? 'pending' : 'draining',
    reason: drains === undefined ? (failureOf(id, pass) ?? `to be removed: ${reason}`) : reason,
    since: pass.finishedAt,
    backends,
  };
}

function emptyRecord(text: string, all: readonly Declared[], { memory }: Desired, now: number): VipRecord {
  const [first] = all;
  if (first === undefined) throw new Error('a VIP is declared by someone');
  const { name, framework, fqdn, protocol, port } = first;
  const known = name === null ? undefined : memory.addresses.get(`${name}.${framework}`);
  return {
    ...{ id: text, name, framework, fqdn, protocol, port },
    address: first.address ?? known?.ipv4 ?? known?.ipv6 ?? null,
    scheduler: null,
    persistenceSeconds: 0,
    apps: [...new Set(all.map(({ app }) => app))].sort(),
    state: 'no backend',
    reason: 'no task of it can be reached',
    since: now,
    backends: new Map(),
  };
}

function byVip(declared: readonly Declared[]): ReadonlyMap<string, readonly Declared[]> {
  return Map.groupBy(declared, vipText);
}

/** `tcp/web.marathon:80`, `tcp/[fd00::1]:80`: one text for a VIP of both families. */
function vipText({
  protocol,
  name,
  framework,
  address,
  port,
}: Pick<VipRecord, 'protocol' | 'name' | 'framework' | 'address' | 'port'>): string {
  const where =
    name === null ? endpointKey({ address: address ?? '', port }) : `${name}.${framework}:${port}`;
  return `${protocol}/${where}`;
}
