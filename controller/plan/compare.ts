import { compareText } from '../compare-text.ts';
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
import { backendFields, serviceFields } from '../settings/settings.ts';
import type { HostOrder } from './host-order.ts';
import { leftOutOf, whyLeftOut } from './nearest.ts';
import type { Op, PlannedBackend, PlannedService } from './plan.ts';

/** The difference between a desired service and the kernel's. */
export interface Comparison {
  readonly planned: PlannedService;
  readonly growing: readonly Step[];
  readonly shrinking: readonly Step[];
}

/** Compares one service. `have`: undefined when the kernel lacks it. `order`: the order in which new backends are added. */
export function compare(
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
  const { name, framework, fqdn, apps, slowStartSeconds } = want;
  const called = { op, key, name, framework, fqdn };
  const planned = {
    ...called,
    ...settings,
    apps,
    ...(slowStartSeconds !== undefined && { slowStartSeconds }),
    adopted: false,
    held: false,
    changes,
    reason: null,
    ...(want.nearness !== undefined && {
      nearness: { tier: want.nearness.tier, leftOut: leftOutOf(want) },
    }),
    backends: found.planned,
  };
  return { planned, growing, shrinking };
}

type Addition = Parameters<HostOrder>[1][number];

interface ComparedBackends {
  readonly planned: PlannedBackend[];
  readonly added: Addition[];
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
export function leavingBackend(backend: ObservedBackend, why: string | null): PlannedBackend {
  const { address, port } = backend;
  const nobody = { app: null, task: null, reason: why ?? 'no longer a backend of this VIP', changes: [] };
  return { op: 'remove', address, port, ...backendFields.pick(backend), ...nobody };
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
