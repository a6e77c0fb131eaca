import { type BackendKey, type Declared, endpointKey, type ObservedService, type Service } from '../model.ts';
import type { PlannedService } from '../plan/plan.ts';
import {
  type BackendRecord,
  type BackendRecords,
  leavingBackend,
  recordBackends,
  someInRotation,
} from './backend-records.ts';
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
  readonly backends: BackendRecords;
}

export type VipRecords = ReadonlyMap<string, VipRecord>;

/**
 * What every VIP is like after a pass: desired ones, those that leave, those that another program's service keeps out,
 * and those that are declared without a backend. What is as it was in `before` has been so since then, and is the same
 * object: after a small change little is made anew.
 *
 * A pass that ended early says nothing of the kernel, so `before` stands.
 */
export function recordVips(before: VipRecords, pass: PassStatus): VipRecords {
  if (pass.error !== null) return before;
  const records = new Map<string, VipRecord>();
  const spoken = new Set<string>();
  const put = (record: VipRecord) => {
    records.set(record.id, record);
    spoken.add(textOf(record));
  };

  const states = createStates(pass);
  for (const [id, service] of pass.desired.services) {
    put(desiredRecord(id, service, states(id), pass, before.get(id)));
  }
  for (const planned of pass.plan.services) {
    const have = pass.observed.get(planned.key);
    if (pass.desired.services.has(planned.key) || have === undefined) continue;
    put(leavingRecord(planned, have, pass, before.get(planned.key)));
  }
  const lacking = pass.desired.declared.filter((vip) => !spoken.has(textOf(vip)));
  for (const [text, all] of Map.groupBy(lacking, textOf)) {
    put(emptyRecord(text, all, pass, before.get(text)));
  }
  return records;
}

interface StateAndReason {
  readonly state: VipState;
  readonly reason: string | null;
}

const FORWARDING: StateAndReason = { state: 'forwarding', reason: null };

/** Makes the function that tells the state of a desired service. */
function createStates(pass: PassStatus): (id: string) => StateAndReason {
  const conflicts = new Map(pass.plan.conflicts.map(({ key, reason }) => [key, reason]));
  const unsettled = new Map(shortfall(pass).map(({ key, kind }) => [key, kind]));
  return (id) => {
    const conflict = conflicts.get(id);
    if (conflict !== undefined) return { state: 'conflict', reason: conflict };
    const kind = unsettled.get(id);
    if (kind === undefined) return FORWARDING;
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
  known: StateAndReason,
  pass: PassStatus,
  had: VipRecord | undefined,
): VipRecord {
  // Of a service that another program made, nothing is ours.
  const have = known.state === 'conflict' ? undefined : pass.observed.get(id);
  const drains = pass.drains.get(id);
  const made = had === undefined ? undefined : madeOf.get(had);
  const alike = made !== undefined && isAlike(made, service, known, drains);
  if (had !== undefined && alike && made.have === have) return had;

  const inputs = { service, have, drains, known };
  const backends = recordBackends(service, have, drains, had?.backends ?? NO_BACKENDS, pass.finishedAt);
  if (had !== undefined && alike && backends === had.backends) {
    madeOf.set(had, inputs);
    return had;
  }
  const idle = known.state === 'forwarding' && !someInRotation(backends);
  const { state, reason } = idle ? IDLE : known;
  const { name, framework, fqdn, protocol, address, port, scheduler, persistenceSeconds, apps } = service;
  const what = { id, name, framework, fqdn, protocol, address, port, scheduler, persistenceSeconds, apps };
  const record = dated({ ...what, state, reason, backends }, had, pass.finishedAt);
  madeOf.set(record, inputs);
  return record;
}

const IDLE: StateAndReason = { state: 'out of rotation', reason: 'every backend has weight 0' };
const NO_BACKENDS: VipRecord['backends'] = new Map();

/** What a record was made of: the same again makes the same record. */
interface Inputs {
  readonly service: Service;
  readonly have: ObservedService | undefined;
  readonly drains: ReadonlyMap<BackendKey, number> | undefined;
  readonly known: StateAndReason;
}

const madeOf = new WeakMap<VipRecord, Inputs>();

function isAlike(made: Inputs, service: Service, known: StateAndReason, drains: Inputs['drains']): boolean {
  const { state, reason } = made.known;
  return (
    made.service === service && made.drains === drains && state === known.state && reason === known.reason
  );
}

function leavingRecord(
  planned: PlannedService,
  have: ObservedService,
  pass: PassStatus,
  had: VipRecord | undefined,
): VipRecord {
  const { key: id, protocol, address, port, scheduler, persistenceSeconds, reason } = planned;
  const { name, framework } = planned.name === null && had !== undefined ? had : planned;
  const drains = pass.drains.get(id);
  const backends = new Map<BackendKey, BackendRecord>();
  for (const [key, observed] of have.backends) {
    backends.set(key, leavingBackend(observed, drains?.get(key), had?.backends.get(key), pass.finishedAt));
  }
  const now = {
    ...{ id, name, framework, protocol, address, port, scheduler, persistenceSeconds, backends },
    fqdn: planned.fqdn ?? had?.fqdn ?? null,
    apps: planned.apps.length > 0 ? planned.apps : (had?.apps ?? []),
    state: drains === undefined ? ('pending' as const) : ('draining' as const),
    reason: drains === undefined ? (failureOf(id, pass) ?? `to be removed: ${reason}`) : reason,
  };
  return dated(now, had, pass.finishedAt);
}

function emptyRecord(
  id: string,
  all: readonly Declared[],
  { desired, finishedAt }: PassStatus,
  had: VipRecord | undefined,
): VipRecord {
  const [first] = all;
  if (first === undefined) throw new Error('a VIP is declared by someone');
  const { name, framework, fqdn, protocol, port } = first;
  const known = name === null ? undefined : desired.memory.addresses.get(`${name}.${framework}`);
  const now = {
    ...{ id, name, framework, fqdn, protocol, port },
    address: first.address ?? known?.ipv4 ?? known?.ipv6 ?? null,
    scheduler: null,
    persistenceSeconds: 0,
    apps: [...new Set(all.map(({ app }) => app))].sort(),
    state: 'no backend' as const,
    reason: 'no task of it can be reached',
    backends: NO_BACKENDS,
  };
  return dated(now, had, finishedAt);
}

function dated(now: Omit<VipRecord, 'since'>, had: VipRecord | undefined, at: number): VipRecord {
  return { ...now, since: had?.state === now.state && had.reason === now.reason ? had.since : at };
}

type Called = Pick<VipRecord, 'protocol' | 'name' | 'framework' | 'address' | 'port'>;

const texts = new WeakMap<Called, string>();

/** `vipText` of an object that stays; remembered. */
function textOf(vip: VipRecord | Declared): string {
  let text = texts.get(vip);
  if (text === undefined) {
    text = vipText(vip);
    texts.set(vip, text);
  }
  return text;
}

/** `tcp/web.marathon:80`, `tcp/[fd00::1]:80`: one text for a VIP of both families. */
function vipText({ protocol, name, framework, address, port }: Called): string {
  const where =
    name === null ? endpointKey({ address: address ?? '', port }) : `${name}.${framework}:${port}`;
  return `${protocol}/${where}`;
}
