/** Which backends a task's port gives on one host, with their weights, or why it gives none. */

import { canonicalAddress, familyOf, unusableAsBackend } from '../address.ts';
import type { App, Health, Task, TaskPort } from '../model/app.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Backend } from '../model/service.ts';
import type { PortOptions } from '../settings/label-options.ts';
import { backendFields, compact } from '../settings/settings.ts';

/** What decides on a host which addresses can be a backend's, and how they are reached. */
export interface BackendRules {
  /** The pool of named VIPs that contains an address, as text; null when none does. */
  readonly poolOf: (address: string) => string | null;
  /** Addresses of this host. */
  readonly localAddresses: ReadonlySet<string>;
  /** Addresses that cannot be a backend's on this host, with the reason. */
  readonly unfit: ReadonlyMap<string, string>;
}

interface PortBackends {
  readonly backends: readonly Backend[];
  /** Why the port gives no backend at some of its addresses, as text; empty when it gives one at each. */
  readonly lacks: readonly string[];
}

/** The backends of a task's port; null when the task is not a backend. */
export function backendsOf(
  app: Pick<App, 'id'>,
  task: Task,
  port: TaskPort,
  options: PortOptions,
  rules: BackendRules,
): PortBackends | null {
  const weighed = weightOf(task, options.weight);
  if (weighed === null) return null;
  const common = {
    app: app.id,
    task: task.id,
    drainSeconds: options.drainSeconds,
    ...(task.place !== undefined && { place: task.place }),
    ...aboutEjection(task, options),
  };
  const { places, faults } = placesOf(port, rules);
  const backends = places.map((place): Backend => {
    const settings = backendFields.of(options, familyOf(place.address));
    return { ...NOWHERE, ...place, ...common, ...settings, ...weighed };
  });
  const lacks = faults.map((fault) => explain(fault, task, port));
  return { backends, lacks: port.unresolved === undefined ? lacks : [...lacks, port.unresolved] };
}

/** The base of every backend: each is a copy with its own fields. */
const NOWHERE: Backend = compact({
  address: '',
  port: 0,
  app: '',
  task: '',
  reason: '',
  drainSeconds: 0,
  ...backendFields.unset,
});

/** The weight that a task gets as a backend, and why, as text for an operator. */
interface BackendWeight {
  readonly weight: number;
  readonly reason: string;
}

/**
 * The weight of a task whose labels ask for `weight`; null when the task is not a backend (not yet running, ended, or
 * unreachable). A backend of weight 0 keeps its connections and gets no new ones.
 *
 * The rules are those of dcos-net (`dcos_l4lb_mesos_poller`: only running and killing tasks are backends, with weight 0
 * unless running and not known to be unhealthy). Marathon's own health results count as well.
 */
export function weightOf(task: Pick<Task, 'state' | 'health'>, weight: number): BackendWeight | null {
  if (task.state === 'killing') return KILLING;
  if (task.state !== 'running') return null;

  const failing = FAILING[task.health];
  if (failing !== undefined) return failing;
  const reason = task.health === 'healthy' ? 'running, healthy' : 'running, no health check';
  return { weight, reason: weight === 0 ? `${reason}: weight 0 by IPVS_WEIGHT` : reason };
}

const KILLING: BackendWeight = { weight: 0, reason: 'being killed: weight 0' };

const FAILING: Readonly<Partial<Record<Health, BackendWeight>>> = {
  unhealthy: { weight: 0, reason: 'running, health check failing: weight 0' },
  unknown: { weight: 0, reason: 'running, health check has given no result yet: weight 0' },
};

/** Of two backends with the same address and port, the one with the greater weight; in a tie all hosts choose the same one. */
export function preferred(a: Backend, b: Backend): Backend {
  if (a.weight !== b.weight) return a.weight > b.weight ? a : b;
  return `${a.app} ${a.task}` <= `${b.app} ${b.task}` ? a : b;
}

/** What ejection needs to know of a backend, where that differs from the default. */
function aboutEjection({ agent }: Task, { eject }: PortOptions): Pick<Backend, 'agent' | 'eject'> {
  if (agent === undefined && eject) return NOTHING;
  return { ...(agent !== undefined && { agent: agent.address }), ...(!eject && { eject: false }) };
}

const NOTHING = {};

type Place = Endpoint & Pick<Backend, 'hostPort'>;

/** An address that cannot be a backend's, and why. */
interface Fault {
  readonly address: string;
  readonly is: string;
}

/**
 * The endpoints at which this host reaches a task's port, and the addresses that cannot be a backend's. Containers of this
 * host are reached at their own address, since IPVS bypasses the DNAT of a host port.
 */
function placesOf(
  { endpoints, local = [] }: TaskPort,
  rules: BackendRules,
): { readonly places: readonly Place[]; readonly faults: readonly Fault[] } {
  const places: Place[] = [];
  const faults: Fault[] = [];
  const usable = local.length === 0 ? local : local.filter(({ address }) => faultOf(address, rules) === null);
  for (const { address: text, port } of endpoints) {
    const address = canonicalAddress(text);
    // Port 0: Mesos has not allocated one yet. dcos-net drops these too.
    if (address === null || port < 1) continue;
    const is = faultOf(address, rules);
    if (is !== null) {
      faults.push({ address, is });
      continue;
    }
    const own = rules.localAddresses.has(address) ? sameFamily(usable, address) : undefined;
    places.push(own === undefined ? { address, port } : { ...own, hostPort: { address, port } });
  }
  return { places, faults };
}

/** Why a canonical address cannot be a backend's; null when it can. */
function faultOf(address: string, { poolOf, unfit }: BackendRules): string | null {
  const unusable = unusableAsBackend(address);
  if (unusable !== null) return unusable;
  const pool = poolOf(address);
  if (pool !== null) return `an address of the named VIPs' pool, ${pool}`;
  return unfit.get(address) ?? null;
}

/** The local endpoint must have the address family that other hosts use: only then do all hosts have the same VIP. */
function sameFamily(local: readonly Endpoint[], as: string): Endpoint | undefined {
  for (const { address: text, port } of local) {
    const address = canonicalAddress(text);
    if (address !== null && port > 0 && familyOf(address) === familyOf(as)) return { address, port };
  }
  return undefined;
}

function explain({ address, is }: Fault, { agent }: Task, { backendAddress }: TaskPort): string {
  if (backendAddress !== 'agent') return `its address ${address} is ${is}`;
  return agent?.address === address && agent.host !== address
    ? `the agent's host name ${agent.host} resolves to ${address}, ${is}`
    : `the agent's address ${address} is ${is}`;
}
