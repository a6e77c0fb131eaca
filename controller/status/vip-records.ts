import { same } from '../compare.ts';
import type { Declared } from '../model/desired.ts';
import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import type { PassStatus } from '../pass-status.ts';
import { leftOutOf } from '../plan/nearest.ts';
import type { PlannedService } from '../plan/plan.ts';
import { type ServiceSettings, serviceFields } from '../settings/settings.ts';
import type { Pause } from '../time.ts';
import {
  type BackendRecords,
  type BackendsFound,
  type DatedDecision,
  datedDecision,
  recordBackends,
  someInRotation,
} from './backend-records.ts';
import type { VipState } from './document.ts';
import {
  createStates,
  type HeldBackends,
  heldBackends,
  idleState,
  leavingState,
  type StateAndReason,
  type States,
} from './vip-states.ts';

/** A VIP as the last pass left it. Times are milliseconds of the monotonic clock. */
export interface VipRecord extends Omit<ServiceSettings, 'scheduler'> {
  readonly id: string;
  readonly name: string | null;
  readonly framework: string | null;
  readonly fqdn: string | null;
  readonly protocol: string;
  readonly address: string | null;
  readonly port: number;
  /** null without backends, since the VIP is then not in the kernel. */
  readonly scheduler: string | null;
  readonly apps: readonly string[];
  /** Absent if weights are not scaled. */
  readonly slowStartSeconds?: number;
  readonly state: VipState;
  readonly reason: string | null;
  readonly since: number;
  /** Why the service itself differs from what the sources say; null if it does not. */
  readonly decision: DatedDecision | null;
  /** Which backends it uses, if it prefers the nearest; null if it uses all. */
  readonly nearness: NonNullable<PlannedService['nearness']> | null;
  readonly backends: BackendRecords;
}

/** The records of all VIPs, by id. */
export type VipRecords = ReadonlyMap<string, VipRecord>;

/** The records that a pass replaced, by id; undefined for a VIP that had none. */
export type RecordsBefore = ReadonlyMap<string, VipRecord | undefined>;

/**
 * Keeps a record of every VIP after each pass: desired VIPs, leaving ones, those in conflict with another program's service,
 * and those declared without a backend. Updates only the services that a pass compared.
 */
export class VipRecorder {
  readonly #records = new Map<string, VipRecord>();
  /** Ids of the records of VIPs without a service. */
  #withoutService: ReadonlySet<string> = new Set();
  /** Ids without an address (see `vipText`) of services that are still in the kernel and no longer desired, by key. */
  readonly #leaving = new Map<ServiceKey, string>();

  /** The records as of the last pass; the next pass changes this map. */
  get records(): VipRecords {
    return this.#records;
  }

  /**
   * Returns a function that updates the records for a pass. Call it until it returns the records that it replaced; it returns
   * null when `pause` asks it to yield. A pass that ended early knows nothing of the kernel, so the records stay.
   */
  start(pass: PassStatus): (pause: Pause) => RecordsBefore | null {
    const before = new Map<string, VipRecord | undefined>();
    if (pass.error !== null) return () => before;
    const held = heldBackends(pass);
    const states = createStates(pass, held);
    const leaving = new Map(pass.plan.services.map((planned) => [planned.key, planned]));
    const left = pass.plan.keys.values();
    return (pause) => {
      for (let next = left.next(); !next.done; next = left.next()) {
        const key = next.value;
        this.#put(key, this.#recordOf(key, { pass, held, states, planned: leaving.get(key) }), before);
        if (pause(RECORD_COST)) return null;
      }
      this.#recordUnserved(pass, before);
      return before;
    };
  }

  #recordOf(key: ServiceKey, { pass, held, states, planned }: RecordInput): VipRecord | undefined {
    const { desired, observed, drains, finishedAt } = pass;
    const had = this.#records.get(key);
    const service = desired.services.get(key);
    const decisions = pass.decisions.get(key);
    const decided = (backend: BackendKey | null) => decisions?.get(backend);
    const found = { have: observed.get(key), drains: drains.get(key), held: held.get(key), decided };
    this.#leaving.delete(key);
    if (service !== undefined) {
      const known = states(key);
      // In a conflict the service in the kernel is another program's.
      const have = known.state === 'conflict' ? undefined : found.have;
      return desiredRecord({ ...found, service, known, have }, key, had, finishedAt);
    }
    // An IP VIP has the same id with and without a service.
    if (planned === undefined || found.have === undefined)
      return this.#withoutService.has(key) ? had : undefined;
    const record = leavingRecord(planned, found, pass, had);
    this.#leaving.set(key, vipText(record));
    return record;
  }

  #recordUnserved(pass: PassStatus, before: Map<string, VipRecord | undefined>): void {
    const leaving = new Set(this.#leaving.values());
    const now = new Set<string>();
    for (const [first, ...others] of pass.desired.withoutService.values()) {
      if (first === undefined) continue;
      const text = vipText(first);
      if (leaving.has(text)) continue;
      now.add(text);
      this.#put(text, emptyRecord(text, [first, ...others], pass, this.#records.get(text)), before);
    }
    for (const text of this.#withoutService)
      if (!now.has(text) && this.#records.get(text)?.state === 'no backend')
        this.#put(text, undefined, before);
    this.#withoutService = now;
  }

  #put(id: string, record: VipRecord | undefined, before: Map<string, VipRecord | undefined>): void {
    const had = this.#records.get(id);
    if (had === record) return;
    if (!before.has(id)) before.set(id, had);
    if (record === undefined) this.#records.delete(id);
    else this.#records.set(id, record);
  }
}

/** What the record of one service depends on. */
interface RecordInput {
  readonly pass: PassStatus;
  readonly held: HeldBackends;
  readonly states: States;
  readonly planned: PlannedService | undefined;
}

/** Recording a service costs as much as reading several tasks. */
const RECORD_COST = 10;

function desiredRecord(
  { service, known, ...found }: BackendsFound & { readonly service: Service; readonly known: StateAndReason },
  id: string,
  had: VipRecord | undefined,
  now: number,
): VipRecord {
  const backends = recordBackends(service, found, had?.backends ?? NO_BACKENDS, now);
  const idle = known.state === 'forwarding' && !someInRotation(backends);
  const { state, reason } = idle ? idleState(backends) : known;
  const { name, framework, fqdn, protocol, address, port, apps, slowStartSeconds } = service;
  const called = { id, name, framework, fqdn, protocol, address, port };
  const slowStart = slowStartSeconds === undefined ? {} : { slowStartSeconds };
  const what = { ...called, ...serviceFields.pick(service), apps, ...slowStart };
  const decision = datedDecision(found.decided(null), had?.decision, now);
  const nearness =
    service.nearness === undefined ? null : { tier: service.nearness.tier, leftOut: leftOutOf(service) };
  return dated({ ...what, state, reason, decision, nearness, backends }, had, now);
}

const NO_BACKENDS: VipRecord['backends'] = new Map();

function leavingRecord(
  planned: PlannedService,
  found: BackendsFound,
  pass: PassStatus,
  had: VipRecord | undefined,
): VipRecord {
  const { key: id, protocol, address, port } = planned;
  const { name, framework, fqdn } = planned.name === null && had !== undefined ? had : planned;
  const now = {
    ...{ id, name, framework, protocol, address, port, ...serviceFields.pick(planned) },
    fqdn: fqdn ?? had?.fqdn ?? null,
    apps: planned.apps.length > 0 ? planned.apps : (had?.apps ?? []),
    ...(had?.slowStartSeconds !== undefined && { slowStartSeconds: had.slowStartSeconds }),
    ...leavingState(planned, found, pass),
    decision: datedDecision(found.decided(null), had?.decision, pass.finishedAt),
    nearness: null,
    backends: recordBackends(null, found, had?.backends ?? NO_BACKENDS, pass.finishedAt),
  };
  return dated(now, had, pass.finishedAt);
}

/** `tcp/web.marathon:80`, `tcp/[fd00::1]:80`: the same text for both address families of a named VIP. */
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
    ...serviceFields.unset,
    scheduler: null,
    apps: [...new Set(all.map(({ app }) => app))].sort(),
    state: 'no backend' as const,
    reason: reasonsText(all),
    decision: null,
    nearness: null,
    backends: NO_BACKENDS,
  };
  return dated(now, had, finishedAt);
}

/** Why a VIP has no backends; with the app's id in front when several apps declare it for different reasons. */
function reasonsText(all: readonly Declared[]): string {
  const reasons = new Map(all.map(({ app, withoutBackends = 'none known' }) => [app, withoutBackends]));
  const [only, ...others] = new Set(reasons.values());
  if (only !== undefined && others.length === 0) return only;
  return [...reasons].map(([app, reason]) => `${app}: ${reason}`).join('; ');
}

/** Adds the time of the last change of state; returns `had` itself if nothing has changed. */
function dated(now: Omit<VipRecord, 'since'>, had: VipRecord | undefined, at: number): VipRecord {
  if (had === undefined) return { ...now, since: at };
  const record = { ...now, since: had.state === now.state && had.reason === now.reason ? had.since : at };
  // `recordBackends` returns the same map if nothing has changed.
  return had.backends === record.backends && same({ ...had, backends: null }, { ...record, backends: null })
    ? had
    : record;
}
