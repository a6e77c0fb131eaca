import { compareText } from '../compare-text.ts';
import type { Desired, ObservedService, Service, ServiceKey, Step, Table } from '../model.ts';
import { serviceFields } from '../settings/settings.ts';
import { addressOf, byEndpoint, compare, leavingBackend } from './compare.ts';
import type { HostOrder } from './host-order.ts';
import { type Conflict, type Owned, type Plan, type PlannedService, summaryOf } from './plan.ts';

export interface Ownership {
  /** The ledger: the services in `observed` that are ours. */
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
  'another program has made this service and it lies outside our pools: it is left alone (--adopt takes it over)';

function leaving(
  key: ServiceKey,
  have: ObservedService,
  owner: Owned,
  { declares }: Pick<Desired, 'declares'>,
): PlannedService {
  const { name, framework, fqdn } = owner;
  const { protocol, address, port } = have;
  const stillDeclared = declares({ protocol, name, framework, address, port });
  return {
    op: 'remove',
    key,
    name,
    framework,
    fqdn,
    ...addressOf(have),
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
