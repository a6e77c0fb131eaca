import { type BackendKey, type Declared, endpointKey, type Service, type ServiceKey } from '../model.ts';
import type { PlannedService } from '../plan/plan.ts';
import { same } from '../same.ts';
import {
  type BackendRecords,
  type BackendsFound,
  recordBackends,
  someInRotation,
} from './backend-records.ts';
import type { VipState } from './document.ts';
import type { PassStatus } from './pass-status.ts';
import { Shortfalls, shortfall } from './shortfall.ts';

/** A VIP as the last pass left it, and since when it has been so. Times are milliseconds of the monotonic clock. */
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
 * Tells what every VIP is like after each pass: desired ones, those that leave, those that another program's service keeps
 * out, and those that are declared without a backend. What is as it was after the pass before has been so since then, and
 * is the same object: after a small change little is made anew.
 */
export class VipRecorder {
  #records: VipRecords = new Map();
  /** What the records of desired services were made of. */
  readonly #made = new Map<ServiceKey, Inputs>();
  readonly #shortfalls = new Shortfalls();

  /**
   * Learns of the next pass, in parts: after a start everything is made anew. One that ended early says nothing of the
   * kernel, so the records stay.
   */
  *record(pass: PassStatus): Generator<undefined, VipRecords> {
    if (pass.error !== null) return this.#records;
    yield* this.#shortfalls.prepare(pass);
    const before = this.#records;
    const records = new Map<string, VipRecord>();
    const held = heldBackends(pass);
    yield* this.#recordDesired(pass, held, records);
    for (const planned of pass.plan.services) {
      const have = pass.observed.get(planned.key);
      if (pass.desired.services.has(planned.key) || have === undefined) continue;
      const found = { have, drains: pass.drains.get(planned.key), held: held.get(planned.key) };
      records.set(planned.key, leavingRecord(planned, found, pass, before.get(planned.key)));
    }
    const leaving = new Set([...records.values()].filter(isLeaving(pass)).map(vipText));
    for (const all of pass.desired.unserved.values()) {
      const [first] = all;
      const text = first === undefined ? '' : vipText(first);
      if (first !== undefined && !leaving.has(text))
        records.set(text, emptyRecord(text, [first, ...all.slice(1)], pass, before.get(text)));
    }
    this.#records = records;
    return records;
  }

  *#recordDesired(
    pass: PassStatus,
    held: HeldBackends,
    records: Map<string, VipRecord>,
  ): Generator<undefined, void> {
    const { services } = pass.desired;
    const before = this.#records;
    const states = createStates(pass, held);
    const others: (readonly [ServiceKey, Service])[] = [];
    // Nothing is made for those that go on as they were, nearly all of them in nearly every pass.
    services.forEach((service, id) => {
      const had = before.get(id);
      if (had !== undefined && this.#goesOn(id, service, pass, states)) records.set(id, had);
      else others.push([id, service]);
    });
    for (const [i, [id, service]] of others.entries()) {
      const known = states(id);
      // Of a service that another program made, nothing is ours.
      const have = known.state === 'conflict' ? undefined : pass.observed.get(id);
      const inputs = { service, known, have, drains: pass.drains.get(id), held: held.get(id) };
      records.set(id, desiredRecord(inputs, this.#made.get(id), id, before.get(id), pass.finishedAt));
      this.#made.set(id, inputs);
      if (i % PART === PART - 1) yield;
    }
    if (this.#made.size === services.size) return;
    for (const id of this.#made.keys()) if (!services.has(id)) this.#made.delete(id);
  }

  /** Whether a service that forwarded does so still, and is in the kernel as it was. */
  #goesOn(id: ServiceKey, service: Service, { observed, drains }: PassStatus, states: States): boolean {
    const made = this.#made.get(id);
    if (made?.service !== service || made.have !== observed.get(id)) return false;
    return made.known === FORWARDING && states(id) === FORWARDING && made.drains === drains.get(id);
  }
}

/** So many new records are one part. */
const PART = 16;

interface StateAndReason {
  readonly state: VipState;
  readonly reason: string | null;
}

const FORWARDING: StateAndReason = { state: 'forwarding', reason: null };

type States = (id: ServiceKey) => StateAndReason;

/** Makes the function that tells the state of a desired service. */
function createStates(pass: PassStatus, held: HeldBackends): States {
  const conflicts = new Map(pass.plan.conflicts.map(({ key, reason }) => [key, reason]));
  const unsettled = new Map(shortfall(pass).map(({ key, kind }) => [key, kind]));
  return (id) => {
    const conflict = conflicts.get(id);
    if (conflict !== undefined) return { state: 'conflict', reason: conflict };
    if (held.has(id)) return HELD;
    const kind = unsettled.get(id);
    if (kind === undefined) return FORWARDING;
    const what = kind === 'missing' ? 'the kernel lacks it' : 'not as desired in the kernel';
    return { state: 'pending', reason: failureOf(id, pass) ?? what };
  };
}

const HELD: StateAndReason = { state: 'held', reason: 'some of its backends would leave and are held' };

type HeldBackends = ReadonlyMap<ServiceKey, ReadonlyMap<BackendKey, string>>;

/** Of each service that the mass-removal brake holds: the backends that stay for that reason, with it. */
function heldBackends({ plan }: PassStatus): HeldBackends {
  const found = new Map<ServiceKey, ReadonlyMap<BackendKey, string>>();
  for (const { key, held, backends } of plan.services) {
    if (!held) continue;
    const kept = backends.filter(({ reason }) => reason.startsWith('held: '));
    found.set(key, new Map(kept.map((backend) => [endpointKey(backend), backend.reason])));
  }
  return found;
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

/** `before`: what `had` was made of. */
function desiredRecord(
  made: Inputs,
  before: Inputs | undefined,
  id: string,
  had: VipRecord | undefined,
  now: number,
): VipRecord {
  const alike = before !== undefined && isAlike(before, made);
  if (had !== undefined && alike && before.have === made.have) return had;

  const { service, known } = made;
  const backends = recordBackends(service, made, had?.backends ?? NO_BACKENDS, now);
  if (had !== undefined && alike && backends === had.backends) return had;
  const idle = known.state === 'forwarding' && !someInRotation(backends);
  const { state, reason } = idle ? IDLE : known;
  const { name, framework, fqdn, protocol, address, port, scheduler, persistenceSeconds, apps } = service;
  const what = { id, name, framework, fqdn, protocol, address, port, scheduler, persistenceSeconds, apps };
  return dated({ ...what, state, reason, backends }, had, now);
}

const IDLE: StateAndReason = { state: 'out of rotation', reason: 'every backend has weight 0' };
const NO_BACKENDS: VipRecord['backends'] = new Map();

/** What a record was made of: the same again makes the same record. */
interface Inputs extends BackendsFound {
  readonly service: Service;
  readonly known: StateAndReason;
}

/** Whether they differ in the kernel's counters at most. */
function isAlike(a: Inputs, b: Inputs): boolean {
  const sameState = a.known.state === b.known.state && a.known.reason === b.known.reason;
  return sameState && a.service === b.service && a.drains === b.drains && a.held === b.held;
}

function leavingRecord(
  planned: PlannedService,
  found: BackendsFound,
  pass: PassStatus,
  had: VipRecord | undefined,
): VipRecord {
  const { key: id, protocol, address, port, scheduler, persistenceSeconds } = planned;
  const { name, framework, fqdn } = planned.name === null && had !== undefined ? had : planned;
  const now = {
    ...{ id, name, framework, protocol, address, port, scheduler, persistenceSeconds },
    fqdn: fqdn ?? had?.fqdn ?? null,
    apps: planned.apps.length > 0 ? planned.apps : (had?.apps ?? []),
    ...leavingState(planned, found, pass),
    backends: recordBackends(null, found, had?.backends ?? NO_BACKENDS, pass.finishedAt),
  };
  return dated(now, had, pass.finishedAt);
}

function leavingState(
  { key, held, reason }: PlannedService,
  { drains }: BackendsFound,
  pass: PassStatus,
): StateAndReason {
  if (held) return { state: 'held', reason };
  if (drains !== undefined) return { state: 'draining', reason };
  return { state: 'pending', reason: failureOf(key, pass) ?? `to be removed: ${reason}` };
}

/** Whether the record is of a service that nobody desires any more. */
function isLeaving({ desired }: PassStatus): (record: VipRecord) => boolean {
  return ({ id }) => !desired.services.has(id);
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

function emptyRecord(
  id: string,
  all: readonly [Declared, ...Declared[]],
  { desired, finishedAt }: PassStatus,
  had: VipRecord | undefined,
): VipRecord {
  const [first] = all;
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
  const record = dated(now, had, finishedAt);
  return had !== undefined && same(had, record) ? had : record;
}

function dated(now: Omit<VipRecord, 'since'>, had: VipRecord | undefined, at: number): VipRecord {
  return { ...now, since: had?.state === now.state && had.reason === now.reason ? had.since : at };
}
