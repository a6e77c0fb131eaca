import type {
  Backend,
  BackendKey,
  Endpoint,
  ObservedBackend,
  ObservedService,
  Service,
  ServiceAddress,
  ServiceKey,
  Step,
} from '../model.ts';
import type { HostOrder } from './host-order.ts';
import type { FieldChange, Op, PlannedBackend, PlannedService } from './plan.ts';

/** One desired service beside what the kernel has of it. */
export interface Comparison {
  readonly planned: PlannedService;
  readonly growing: readonly Step[];
  readonly shrinking: readonly Step[];
}

/** Compares one service; `have` is undefined where the kernel lacks it. `order`: in which new backends are added. */
export function compare(
  key: ServiceKey,
  want: Service,
  have: ObservedService | undefined,
  order: HostOrder,
): Comparison {
  const service = addressOf(want);
  const changes = have === undefined ? [] : settingsThatDiffer(want, have);
  const settings = { ...service, scheduler: want.scheduler, persistenceSeconds: want.persistenceSeconds };
  const growing: Step[] = [];
  if (have === undefined) growing.push({ op: 'add-service', service: settings });
  else if (changes.length > 0) growing.push({ op: 'update-service', service: settings });

  const found = compareBackends(service, want, have?.backends ?? NO_BACKENDS);
  growing.push(...order(key, found.added), ...found.updated);
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
  return { planned, growing, shrinking };
}

type Addition = Parameters<HostOrder>[1][number];

interface ComparedBackends {
  readonly planned: PlannedBackend[];
  readonly added: Addition[];
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

/** A backend that nobody wants any more. */
export function leavingBackend({ address, port, weight, forward }: ObservedBackend): PlannedBackend {
  const reason = 'no longer a backend of this VIP';
  return { op: 'remove', address, port, weight, forward, app: null, task: null, reason, changes: [] };
}

export function addressOf<Protocol extends string>({
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

export function byEndpoint(a: Endpoint, b: Endpoint): number {
  return compareText(a.address, b.address) || a.port - b.port;
}

// By code unit: localeCompare is a hundred times slower and depends on the host's locale.
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
