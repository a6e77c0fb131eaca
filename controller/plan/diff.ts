import type {
  Backend,
  BackendKey,
  Desired,
  Endpoint,
  ObservedBackend,
  ObservedService,
  Service,
  ServiceAddress,
  ServiceKey,
  Step,
  Table,
} from '../model.ts';
import {
  type Conflict,
  type FieldChange,
  type Op,
  type Owned,
  type Plan,
  type PlannedBackend,
  type PlannedService,
  summaryOf,
} from './plan.ts';

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
 * Makes the function that compares desired and observed: `(desired, observed, ownership) => Plan`.
 *
 * The plan is empty when the kernel is as desired. A service that is not in `ownership.owned` is never changed or
 * removed, unless it is desired and may be adopted; otherwise it is a conflict. Additions come before removals.
 *
 * The function remembers what it found for a pair of identical `Service` and `ObservedService` objects, so that a
 * pass in which one of a thousand services changed compares one. What it returns depends on its arguments alone.
 */
export function createDiff(): Diff {
  const remembered = new WeakMap<
    Service,
    { observed: ObservedService | undefined; comparison: Comparison }
  >();

  function compareOnce(key: ServiceKey, want: Service, have: ObservedService | undefined): Comparison {
    const known = remembered.get(want);
    if (known !== undefined && known.observed === have) return known.comparison;
    const comparison = compare(key, want, have);
    remembered.set(want, { observed: have, comparison });
    return comparison;
  }

  function* prepare(desired: Desired, observed: Table): Generator<undefined, void> {
    for (const [key, want] of desired.services) {
      const have = observed.get(key);
      const known = remembered.get(want);
      if (known !== undefined && known.observed === have) continue;
      compareOnce(key, want, have);
      yield;
    }
  }

  const diff = (desired: Desired, observed: Table, ownership: Ownership): Plan => {
    const services: PlannedService[] = [];
    const growing: Step[] = [];
    const shrinking: Step[] = [];
    const conflicts: Conflict[] = [];
    const owned = new Map<ServiceKey, Owned>();
    let declared: ReadonlySet<string> | undefined;

    for (const [key, want] of desired.services) {
      const have = observed.get(key);
      const foreign = have !== undefined && !ownership.owned.has(key);
      if (foreign && !ownership.adopt && !ownership.inPool(want.address)) {
        conflicts.push({ key, apps: want.apps, reason: FOREIGN });
        continue;
      }
      const comparison = compareOnce(key, want, have);
      owned.set(key, comparison.owner);
      services.push(foreign ? { ...comparison.planned, adopted: true } : comparison.planned);
      growing.push(...comparison.growing);
      shrinking.push(...comparison.shrinking);
    }

    for (const [key, owner] of ownership.owned) {
      const have = observed.get(key);
      if (have === undefined || desired.services.has(key)) continue;
      owned.set(key, owner);
      declared ??= declaredVips(desired);
      services.push(leaving(key, have, owner, declared));
      shrinking.push({ op: 'remove-service', service: addressOf(have) });
    }

    services.sort(byNameThenKey);
    return { services, growing, shrinking, conflicts, owned, summary: summaryOf(services) };
  };
  return Object.assign(diff, { prepare });
}

const FOREIGN =
  'another program has made this service and it lies outside our pools: it is left alone (--adopt takes it over)';

interface Comparison {
  readonly owner: Owned;
  readonly planned: PlannedService;
  readonly growing: readonly Step[];
  readonly shrinking: readonly Step[];
}

function compare(key: ServiceKey, want: Service, have: ObservedService | undefined): Comparison {
  const service = addressOf(want);
  const changes = have === undefined ? [] : settingsThatDiffer(want, have);
  const settings = { ...service, scheduler: want.scheduler, persistenceSeconds: want.persistenceSeconds };
  const growing: Step[] = [];
  if (have === undefined) growing.push({ op: 'add-service', service: settings });
  else if (changes.length > 0) growing.push({ op: 'update-service', service: settings });

  const found = compareBackends(service, want, have?.backends ?? NO_BACKENDS);
  growing.push(...found.added, ...found.updated);
  const shrinking = [...found.emptied, ...found.removed];

  const op: Op = have === undefined ? 'add' : growing.length + shrinking.length > 0 ? 'change' : 'keep';
  const { name, framework, fqdn, apps } = want;
  const called = { op, key, name, framework, fqdn };
  const planned = {
    ...called,
    ...settings,
    apps,
    adopted: false,
    held: false,
    changes,
    reason: null,
    backends: found.planned,
  };
  return { owner: { name, framework, fqdn }, planned, growing, shrinking };
}

interface ComparedBackends {
  readonly planned: PlannedBackend[];
  readonly added: Step[];
  readonly updated: Step[];
  /** Those that get no new connections any more: as much a loss for clients as a removal. */
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
    const there = have.get(key);
    const planned = outsideTheKernel(want, backend)
      ? ({ ...compareBackend(backend, undefined), op: there === undefined ? 'keep' : 'remove' } as const)
      : compareBackend(backend, there);
    result.planned.push(planned);
    if (planned.op === 'add')
      result.added.push({ op: 'add-backend', service, backend: { address, port, weight } });
    if (planned.op === 'change') {
      const steps = weight === 0 ? result.emptied : result.updated;
      steps.push({ op: 'update-backend', service, backend: { address, port, weight } });
    }
    if (planned.op === 'remove')
      result.removed.push({ op: 'remove-backend', service, backend: { address, port } });
  }
  for (const [key, backend] of have) {
    if (want.backends.has(key)) continue;
    const { address, port } = backend;
    result.planned.push(leavingBackend(backend));
    result.removed.push({ op: 'remove-backend', service, backend: { address, port } });
  }
  result.planned.sort(byEndpoint);
  return result;
}

/**
 * A UDP backend of weight 0 is not in the kernel at all: a client that goes on sending would keep its entry, and so
 * the backend, alive for ever (kubernetes #71514); without the backend its next packet finds another.
 */
export function outsideTheKernel(
  { protocol }: Pick<Service, 'protocol'>,
  { weight }: Pick<Backend, 'weight'>,
): boolean {
  return protocol === 'udp' && weight === 0;
}

const NO_BACKENDS: ReadonlyMap<BackendKey, ObservedBackend> = new Map();

function compareBackend(want: Backend, have: ObservedBackend | undefined): PlannedBackend {
  const changes = have === undefined ? [] : backendFieldsThatDiffer(want, have);
  const op: Op = have === undefined ? 'add' : changes.length > 0 ? 'change' : 'keep';
  const { address, port, hostPort, weight, forward, app, task, reason } = want;
  const planned = { op, address, port, weight, forward, app, task, reason, changes };
  return hostPort === undefined ? planned : { ...planned, hostPort };
}

/** Only what we can write counts: the kernel adds flags and counters of its own (kubernetes #53801). */
function settingsThatDiffer(want: Service, have: ObservedService): FieldChange[] {
  return differences([
    ['scheduler', have.scheduler, want.scheduler],
    ['persistenceSeconds', have.persistenceSeconds, want.persistenceSeconds],
    ['flags', have.flags, 0],
    ['persistencePrefix', have.persistencePrefix, want.family === 'ipv4' ? 32 : 128],
  ]);
}

function backendFieldsThatDiffer(want: Backend, have: ObservedBackend): FieldChange[] {
  return differences([
    ['weight', have.weight, want.weight],
    ['forward', have.forward, want.forward],
    ['upperThreshold', have.upperThreshold, 0],
    ['lowerThreshold', have.lowerThreshold, 0],
  ]);
}

function differences(
  fields: readonly (readonly [string, string | number, string | number])[],
): FieldChange[] {
  const found: FieldChange[] = [];
  for (const [field, was, becomes] of fields) if (was !== becomes) found.push({ field, was, becomes });
  return found;
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

function leavingBackend({ address, port, weight, forward }: ObservedBackend): PlannedBackend {
  const reason = 'no longer a backend of this VIP';
  return { op: 'remove', address, port, weight, forward, app: null, task: null, reason, changes: [] };
}

function addressOf<Protocol extends string>({
  protocol,
  address,
  port,
}: {
  protocol: Protocol;
  address: string;
  port: number;
}) {
  return { protocol, address, port };
}

function byEndpoint(a: Endpoint, b: Endpoint): number {
  return compareText(a.address, b.address) || a.port - b.port;
}

function byNameThenKey(a: PlannedService, b: PlannedService): number {
  return compareText(a.name ?? '~', b.name ?? '~') || compareText(a.key, b.key);
}

// By code unit: localeCompare is a hundred times slower and depends on the host's locale.
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
