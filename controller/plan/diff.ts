/** The difference between the desired services and those of the kernel, one by one. */

import { compareText } from '../compare.ts';
import type { Desired } from '../model/desired.ts';
import type { BackendKey, Endpoint } from '../model/endpoint.ts';
import type { ObservedBackend, ObservedService, Table } from '../model/kernel.ts';
import type { Backend, Service, ServiceKey } from '../model/service.ts';
import { backendFields, serviceFields } from '../settings/settings.ts';
import { leftOutOf, whyLeftOut } from './nearest.ts';
import {
  addressOf,
  type Conflict,
  type Op,
  type Owned,
  type Plan,
  type PlanDraft,
  type PlannedBackend,
  type PlannedService,
  summaryOf,
  withBackends,
} from './plan.ts';

/** Which services of the kernel are this program's, and which it may adopt. */
export interface Ownership {
  /** The ledger: the owned services in `observed`. */
  readonly owned: ReadonlyMap<ServiceKey, Owned>;
  /** Whether an address lies in a pool of named VIPs: another program's service there is adopted if it is desired. */
  readonly inPool: (address: string) => boolean;
  /** `--adopt`: desired services outside the pools are adopted, too. */
  readonly adopt: boolean;
}

/** The two states to compare. */
export interface DiffInput extends Ownership {
  readonly desired: Desired;
  readonly observed: Table;
  /** What restricts a desired service to the nearest backends. When missing, what the ledger says. */
  readonly asksNear?: ((service: Service) => string | undefined) | undefined;
}

/**
 * Compares desired and observed services one by one. A service that is not `owned` is never changed or removed, unless it is
 * desired and may be adopted; a desired one that may not is a conflict.
 */
export class Diff {
  readonly #input: DiffInput;
  readonly #keys: ServiceKey[] = [];
  readonly #services: PlannedService[] = [];
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
    this.#owned.set(key, owner);
    return have.backends.size;
  }

  /** The plan for the services compared so far, with all differences. */
  draft(): PlanDraft {
    return {
      keys: new Set(this.#keys),
      services: this.#services.toSorted(byNameThenKey),
      conflicts: this.#conflicts,
      owned: this.#owned,
    };
  }

  #compare(
    key: ServiceKey,
    want: Service,
    have: ObservedService | undefined,
    owner: Owned | undefined,
  ): number {
    const { inPool, adopt, asksNear } = this.#input;
    const foreign = have !== undefined && owner === undefined;
    if (foreign && !adopt && !inPool(want.address)) {
      this.#conflicts.push({ key, apps: want.apps, reason: FOREIGN });
      return 1;
    }
    const planned = compare(key, want, have);
    this.#services.push(foreign ? { ...planned, adopted: true } : planned);
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
    if (!plan.keys.has(key)) all.push(compare(key, want, observed.get(key)));
  if (all.length === plan.services.length) return plan;
  all.sort(byNameThenKey);
  return { ...plan, services: all, summary: summaryOf(all) };
}

/** Compares one service. `have`: undefined when the kernel lacks it. */
function compare(key: ServiceKey, want: Service, have: ObservedService | undefined): PlannedService {
  const { name, framework, fqdn, apps, slowStartSeconds, nearness } = want;
  const planned: PlannedService = {
    ...{ op: 'add', key, name, framework, fqdn },
    ...addressOf(want),
    ...serviceFields.pick(want),
    apps,
    ...(slowStartSeconds !== undefined && { slowStartSeconds }),
    adopted: false,
    held: false,
    changes: have === undefined ? [] : serviceFields.differences(have, want),
    reason: null,
    ...(nearness !== undefined && { nearness: { tier: nearness.tier, leftOut: leftOutOf(want) } }),
    backends: compareBackends(want, have?.backends ?? NO_BACKENDS),
  };
  return have === undefined ? planned : withBackends(planned, planned.backends);
}

function compareBackends(
  want: Service,
  have: ReadonlyMap<BackendKey, ObservedBackend>,
): readonly PlannedBackend[] {
  const planned: PlannedBackend[] = [];
  for (const [key, backend] of want.backends) {
    const there = have.get(key);
    planned.push(
      outsideTheKernel(want, backend)
        ? { ...compareBackend(backend, undefined), op: there === undefined ? 'keep' : 'remove' }
        : compareBackend(backend, there),
    );
  }
  for (const [key, backend] of have)
    if (!want.backends.has(key)) planned.push(leavingBackend(backend, whyLeftOut(want, key)));
  return planned.sort(byEndpoint);
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

function byEndpoint(a: Endpoint, b: Endpoint): number {
  return compareText(a.address, b.address) || a.port - b.port;
}
