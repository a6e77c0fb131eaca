/** The difference between the desired services and those of the kernel, one by one. */

import { compareText } from '../compare.ts';
import type { Desired } from '../model/desired.ts';
import type { BackendKey, Endpoint } from '../model/endpoint.ts';
import type { ObservedBackend, ObservedService, Step, Table } from '../model/kernel.ts';
import type { Backend, Service, ServiceAddress, ServiceKey } from '../model/service.ts';
import { backendFields, serviceFields } from '../settings/settings.ts';
import type { BackendAddition, HostOrder } from './host-order.ts';
import { leftOutOf, whyLeftOut } from './nearest.ts';
import {
  type Conflict,
  type Op,
  type Owned,
  type Plan,
  type PlannedBackend,
  type PlannedService,
  summaryOf,
} from './plan.ts';

export interface Ownership {
  /** The ledger: the owned services in `observed`. */
  readonly owned: ReadonlyMap<ServiceKey, Owned>;
  /** Whether an address lies in a pool of named VIPs: another program's service there is adopted if it is desired. */
  readonly inPool: (address: string) => boolean;
  /** `--adopt`: desired services outside the pools are adopted, too. */
  readonly adopt: boolean;
}

export interface DiffInput extends Ownership {
  readonly desired: Desired;
  readonly observed: Table;
  /** What restricts a desired service to the nearest backends. When missing, what the ledger says. */
  readonly asksNear?: ((service: Service) => string | undefined) | undefined;
  /** The order in which this host adds the backends of a service. When missing, the order of the desired service. */
  readonly order?: HostOrder | undefined;
}

/**
 * Compares desired and observed services one by one. The plan has no steps when the kernel is as desired. A service that
 * is not `owned` is never changed or removed, unless it is desired and may be adopted; a desired one that may not is a
 * conflict. Additions come before removals.
 */
export class Diff {
  readonly #input: DiffInput;
  readonly #keys: ServiceKey[] = [];
  readonly #services: PlannedService[] = [];
  readonly #growing: Step[] = [];
  readonly #shrinking: Step[] = [];
  readonly #conflicts: Conflict[] = [];
  readonly #owned = new Map<ServiceKey, Owned>();

  constructor(input: DiffInput) {
    this.#input = input;
  }

  /** Compares one service. Returns its cost. */
  add(key: ServiceKey): number {
    const { desired, observed, owned } = this.#input;
    this.#keys.push(key);
    const [want, have, owner] = [desired.services.get(key), observed.get(key), owned.get(key)];
    if (want !== undefined) return this.#compare(key, want, have, owner);
    if (have === undefined || owner === undefined) return 1;
    this.#services.push(leaving(key, have, owner, desired));
    this.#shrinking.push({ op: 'remove-service', service: addressOf(have) });
    this.#owned.set(key, owner);
    return have.backends.size;
  }

  /** The plan for the services compared so far. */
  plan(): Plan {
    const services = this.#services.toSorted(byNameThenKey);
    return {
      keys: new Set(this.#keys),
      services,
      growing: this.#growing,
      shrinking: this.#shrinking,
      conflicts: this.#conflicts,
      owned: this.#owned,
      summary: summaryOf(services),
    };
  }

  #compare(
    key: ServiceKey,
    want: Service,
    have: ObservedService | undefined,
    owner: Owned | undefined,
  ): number {
    const { inPool, adopt, asksNear, order = asTheyStand } = this.#input;
    const foreign = have !== undefined && owner === undefined;
    if (foreign && !adopt && !inPool(want.address)) {
      this.#conflicts.push({ key, apps: want.apps, reason: FOREIGN });
      return 1;
    }
    const { planned, growing, shrinking } = compare(key, want, have, order);
    this.#services.push(foreign ? { ...planned, adopted: true } : planned);
    this.#growing.push(...growing);
    this.#shrinking.push(...shrinking);
    const { name, framework, fqdn } = want;
    const near = asksNear === undefined ? owner?.near : asksNear(want);
    this.#owned.set(key, { name, framework, fqdn, ...(near !== undefined && { near }) });
    return want.backends.size;
  }
}

/** The keys of all services that a plan can be about: desired or owned. */
export function* everyKey({ desired, owned }: Pick<DiffInput, 'desired' | 'owned'>): Generator<ServiceKey> {
  yield* desired.services.keys();
  for (const key of owned.keys()) if (!desired.services.has(key)) yield key;
}

const asTheyStand: HostOrder = (_service, additions) => additions;

const FOREIGN =
  'another program created this service, and its address is outside the pools: it is left alone (--adopt takes it over)';

function leaving(
  key: ServiceKey,
  have: ObservedService,
  owner: Owned,
  { declares }: Pick<Desired, 'declares'>,
): PlannedService {
  const { name, framework, fqdn } = owner;
  const service = addressOf(have);
  const stillDeclared = declares({ ...service, name, framework });
  return {
    ...{ op: 'remove', key, name, framework, fqdn },
    ...service,
    ...serviceFields.pick(have),
    apps: [],
    adopted: false,
    held: false,
    changes: [],
    reason: stillDeclared ? 'has no backend left' : 'no app declares it any more',
    backends: [...have.backends.values()].map((backend) => leavingBackend(backend, null)).sort(byEndpoint),
  };
}

function byNameThenKey(a: PlannedService, b: PlannedService): number {
  return compareText(a.name ?? '~', b.name ?? '~') || compareText(a.key, b.key);
}

/** The plan completed by the services that were not compared, since the kernel has them as desired. */
export function withUntouched(plan: Plan, { services }: Pick<Desired, 'services'>, observed: Table): Plan {
  const all = [...plan.services];
  for (const [key, want] of services)
    if (!plan.keys.has(key)) all.push(compare(key, want, observed.get(key), asTheyStand).planned);
  if (all.length === plan.services.length) return plan;
  all.sort(byNameThenKey);
  return { ...plan, services: all, summary: summaryOf(all) };
}

/** The difference between a desired service and the kernel's. */
interface Comparison {
  readonly planned: PlannedService;
  readonly growing: readonly Step[];
  readonly shrinking: readonly Step[];
}

/** Compares one service. `have`: undefined when the kernel lacks it. `order`: the order in which new backends are added. */
function compare(
  key: ServiceKey,
  want: Service,
  have: ObservedService | undefined,
  order: HostOrder,
): Comparison {
  const service = addressOf(want);
  const changes = have === undefined ? [] : serviceFields.differences(have, want);
  const settings = { ...service, ...serviceFields.pick(want) };
  const growing: Step[] = [];
  if (have === undefined) growing.push({ op: 'add-service', service: settings });
  else if (changes.length > 0) growing.push({ op: 'update-service', service: settings });

  const found = compareBackends(service, want, have?.backends ?? NO_BACKENDS);
  growing.push(...order(key, found.added), ...found.updated);
  const shrinking = [...found.emptied, ...found.removed];

  const op: Op = have === undefined ? 'add' : growing.length + shrinking.length > 0 ? 'change' : 'keep';
  const { name, framework, fqdn, apps, slowStartSeconds, nearness } = want;
  const planned = {
    ...{ op, key, name, framework, fqdn },
    ...settings,
    apps,
    ...(slowStartSeconds !== undefined && { slowStartSeconds }),
    adopted: false,
    held: false,
    changes,
    reason: null,
    ...(nearness !== undefined && { nearness: { tier: nearness.tier, leftOut: leftOutOf(want) } }),
    backends: found.planned,
  };
  return { planned, growing, shrinking };
}

interface ComparedBackends {
  readonly planned: PlannedBackend[];
  readonly added: BackendAddition[];
  readonly updated: Step[];
  /** Weights set to 0: for clients as much a loss as a removal. */
  readonly emptied: Step[];
  readonly removed: Step[];
}

function compareBackends(
  service: ServiceAddress,
  want: Service,
  have: ReadonlyMap<BackendKey, ObservedBackend>,
): ComparedBackends {
  const result: ComparedBackends = { planned: [], added: [], updated: [], emptied: [], removed: [] };
  for (const [key, backend] of want.backends) {
    const { address, port, weight } = backend;
    const written = () => ({ address, port, ...backendFields.pick(backend) });
    const there = have.get(key);
    const planned = outsideTheKernel(want, backend)
      ? ({ ...compareBackend(backend, undefined), op: there === undefined ? 'keep' : 'remove' } as const)
      : compareBackend(backend, there);
    result.planned.push(planned);
    if (planned.op === 'add') result.added.push({ op: 'add-backend', service, backend: written() });
    if (planned.op === 'change') {
      const steps = weight === 0 ? result.emptied : result.updated;
      steps.push({ op: 'update-backend', service, backend: written() });
    }
    if (planned.op === 'remove')
      result.removed.push({ op: 'remove-backend', service, backend: { address, port } });
  }
  for (const [key, backend] of have) {
    if (want.backends.has(key)) continue;
    const { address, port } = backend;
    result.planned.push(leavingBackend(backend, whyLeftOut(want, key)));
    result.removed.push({ op: 'remove-backend', service, backend: { address, port } });
  }
  result.planned.sort(byEndpoint);
  return result;
}

/**
 * Whether a backend is left out of the kernel: a UDP backend of weight 0. A client that goes on sending would keep its
 * entry, and so the backend, forever (kubernetes #71514); without the backend its next packet goes to another one.
 */
export function outsideTheKernel(
  { protocol }: Pick<Service, 'protocol'>,
  { weight }: Pick<Backend, 'weight'>,
): boolean {
  return protocol === 'udp' && weight === 0;
}

const NO_BACKENDS: ReadonlyMap<BackendKey, ObservedBackend> = new Map();

function compareBackend(want: Backend, have: ObservedBackend | undefined): PlannedBackend {
  const changes = have === undefined ? [] : backendFields.differences(have, want);
  const op: Op = have === undefined ? 'add' : changes.length > 0 ? 'change' : 'keep';
  const { address, port, hostPort, app, task, reason } = want;
  const planned = { op, address, port, ...backendFields.pick(want), app, task, reason, changes };
  return hostPort === undefined ? planned : { ...planned, hostPort };
}

/** The removal of a backend. `why`: null when no app wants it any more. */
function leavingBackend(backend: ObservedBackend, why: string | null): PlannedBackend {
  const { address, port } = backend;
  const nobody = { app: null, task: null, reason: why ?? 'no longer a backend of this VIP', changes: [] };
  return { op: 'remove', address, port, ...backendFields.pick(backend), ...nobody };
}

function addressOf({ protocol, address, port }: ServiceAddress): ServiceAddress {
  return { protocol, address, port };
}

function byEndpoint(a: Endpoint, b: Endpoint): number {
  return compareText(a.address, b.address) || a.port - b.port;
}
