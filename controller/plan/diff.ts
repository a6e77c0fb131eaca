import {
  type Desired,
  type ObservedService,
  type Service,
  type ServiceKey,
  type Step,
  serviceKey,
  type Table,
} from '../model.ts';
import { addressOf, byEndpoint, type Comparison, compare, compareText, leavingBackend } from './compare.ts';
import type { HostOrder } from './host-order.ts';
import { type Conflict, type Owned, type Plan, type PlannedService, summaryOf } from './plan.ts';

export interface Ownership {
  /** The ledger: what is ours in `observed`. */
  readonly owned: ReadonlyMap<ServiceKey, Owned>;
  /** Whether an address lies in a pool of named VIPs: a service there that is desired is adopted. */
  readonly inPool: (address: string) => boolean;
  /** `--adopt`: also a desired service outside the pools is adopted. */
  readonly adopt: boolean;
}

/** Compares desired and observed. */
export interface Diff {
  (desired: Desired, observed: Table, ownership: Ownership): Plan;
  /**
   * Compares what is new, in parts, for a call that follows: that then finds it done. What the call returns does not
   * depend on it.
   */
  prepare(desired: Desired, observed: Table): Generator<undefined, void>;
}

/**
 * Makes the function that compares desired and observed: `(desired, observed, ownership) => Plan`. `order` is this
 * host's, in which it adds the backends of a service; when missing, they are added as they stand in the service.
 *
 * The plan is empty when the kernel is as desired. A service that is not in `ownership.owned` is never changed or
 * removed, unless it is desired and may be adopted; otherwise it is a conflict. Additions come before removals.
 *
 * The function remembers what it found for a pair of identical `Service` and `ObservedService` objects, so that a
 * pass in which one of a thousand services changed compares one. What it returns depends on its arguments alone.
 */
export function createDiff(order: HostOrder = asTheyStand): Diff {
  const remembered = new Map<ServiceKey, Remembered>();

  function compareOnce(key: ServiceKey, want: Service, have: ObservedService | undefined): Comparison {
    const known = remembered.get(key);
    if (known?.want === want && known.have === have) return known.comparison;
    const comparison = compare(key, want, have, order);
    remembered.set(key, { want, have, comparison });
    return comparison;
  }

  function forgetOthersThan(services: Desired['services']): void {
    if (remembered.size <= services.size) return;
    for (const key of remembered.keys()) if (!services.has(key)) remembered.delete(key);
  }

  function* prepare(desired: Desired, observed: Table): Generator<undefined, void> {
    const unknown: Service[] = [];
    desired.services.forEach((want, key) => {
      const known = remembered.get(key);
      if (known?.want !== want || known.have !== observed.get(key)) unknown.push(want);
    });
    for (const want of unknown) {
      const key = serviceKey(want);
      compareOnce(key, want, observed.get(key));
      yield;
    }
  }

  const diff = (desired: Desired, observed: Table, ownership: Ownership): Plan => {
    const services: PlannedService[] = [];
    const growing: Step[] = [];
    const shrinking: Step[] = [];
    const conflicts: Conflict[] = [];
    let declared: ReadonlySet<string> | undefined;

    desired.services.forEach((want, key) => {
      const have = observed.get(key);
      const foreign = have !== undefined && !ownership.owned.has(key);
      if (foreign && !ownership.adopt && !ownership.inPool(want.address)) {
        conflicts.push({ key, apps: want.apps, reason: FOREIGN });
        return;
      }
      const comparison = compareOnce(key, want, have);
      services.push(foreign ? { ...comparison.planned, adopted: true } : comparison.planned);
      growing.push(...comparison.growing);
      shrinking.push(...comparison.shrinking);
    });

    ownership.owned.forEach((owner, key) => {
      const have = observed.get(key);
      if (have === undefined || desired.services.has(key)) return;
      declared ??= declaredVips(desired);
      services.push(leaving(key, have, owner, declared));
      shrinking.push({ op: 'remove-service', service: addressOf(have) });
    });

    forgetOthersThan(desired.services);
    const owned = ownersOf(services, ownership.owned);
    services.sort(byNameThenKey);
    return { services, growing, shrinking, conflicts, owned, summary: summaryOf(services) };
  };
  return Object.assign(diff, { prepare });
}

const asTheyStand: HostOrder = (_service, additions) => additions;

/** What a comparison found, and of which two. */
interface Remembered {
  readonly want: Service;
  readonly have: ObservedService | undefined;
  readonly comparison: Comparison;
}

const FOREIGN =
  'another program has made this service and it lies outside our pools: it is left alone (--adopt takes it over)';

/** How those are called that are ours; `before` itself where nobody comes, goes or is renamed, as in most passes. */
function ownersOf(
  services: readonly PlannedService[],
  before: ReadonlyMap<ServiceKey, Owned>,
): ReadonlyMap<ServiceKey, Owned> {
  const isAsBefore = ({ key, name, framework, fqdn }: PlannedService): boolean => {
    const was = before.get(key);
    return was !== undefined && was.name === name && was.framework === framework && was.fqdn === fqdn;
  };
  if (services.length === before.size && services.every(isAsBefore)) return before;
  return new Map(services.map(({ key, name, framework, fqdn }) => [key, { name, framework, fqdn }]));
}

/** Every declared VIP as text, to tell one that lost its backends from one that nobody declares. */
function declaredVips(desired: Desired): ReadonlySet<string> {
  return new Set(
    desired.declared.map((vip) => vipText(vip.protocol, vip.name, vip.framework, vip.address, vip.port)),
  );
}

function vipText(
  protocol: string,
  name: string | null,
  framework: string | null,
  address: string | null,
  port: number,
): string {
  return `${protocol}/${name === null ? address : `${name}.${framework}`}:${port}`;
}

function leaving(
  key: ServiceKey,
  have: ObservedService,
  owner: Owned,
  declared: ReadonlySet<string>,
): PlannedService {
  const { name, framework, fqdn } = owner;
  const stillDeclared = declared.has(vipText(have.protocol, name, framework, have.address, have.port));
  return {
    op: 'remove',
    key,
    name,
    framework,
    fqdn,
    ...addressOf(have),
    scheduler: have.scheduler,
    persistenceSeconds: have.persistenceSeconds,
    apps: [],
    adopted: false,
    held: false,
    changes: [],
    reason: stillDeclared ? 'has no backend left' : 'no app declares it any more',
    backends: [...have.backends.values()].map(leavingBackend).sort(byEndpoint),
  };
}

function byNameThenKey(a: PlannedService, b: PlannedService): number {
  return compareText(a.name ?? '~', b.name ?? '~') || compareText(a.key, b.key);
}
