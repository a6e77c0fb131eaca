/**
 * The types of this program: what a source reports (`App`, `Task`), what should be (`Service`, `Backend`),
 * what the kernel has (`ObservedService`) and what lies between them (`Step`). Plain data, no behaviour
 * besides the keys.
 */

import type { NameMemory } from './name-memory.ts';
import type { Nearness, Place, TrafficDistribution } from './place.ts';
import type { BackendSettings, ServiceSettings } from './settings.ts';

/** The protocols that a VIP can have. DC/OS knew these two; other ones in a definition give no VIP. */
export type Protocol = 'tcp' | 'udp';
export type Family = 'ipv4' | 'ipv6';

/** An address as people write it (`10.0.0.1`, `fd01:c::7`, no brackets) and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** `marathon /group/web`: what identifies an app. */
export type AppKey = string;
/** Distinguishes the two rows that a source can have of an app: its definition, and what its tasks carry. */
export type RowKey = string;

// ---- what a source reports ------------------------------------------------------------------------

/**
 * One Marathon app or pod as one source has it, in one shape whatever API it came from: its definition with the tasks
 * that the source lists, or what tasks carry (`fromTasks`). It never changes: an app that changed is another object.
 */
export interface App {
  /** Absolute id, `/group/web`. A pod has its pod id. */
  readonly id: string;
  readonly kind: 'app' | 'pod';
  /** Set where there is no definition: the app was put together from what its tasks carry (Mesos). */
  readonly fromTasks?: true;
  /** Name of the source (`mesos=http://10.0.0.1:5050`) of an app that was put together from its tasks. */
  readonly source?: string;
  /** Set where tasks are no copies of one another (`worker-0`, `worker-1`): what one's labels say is no word on another's. */
  readonly labelsPerTask?: true;
  /** Mesos framework name as the source has it, not yet cleaned for DNS; `marathon` by default. */
  readonly framework: string;
  /** What the newest definition declares, whether or not a task runs. */
  readonly ports: readonly Port[];
  readonly tasks: readonly Task[];
  /** What was found wrong in this app's own JSON, apart from its labels. */
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

/** A port that a definition declares: a portDefinition, a portMapping or a pod's endpoint. */
export interface Port {
  /** Where it stands in the app's JSON, as it was given: `portDefinitions[0]`, `container.docker.portMappings[1]`, `containers[0].endpoints[2]`. */
  readonly at: string;
  /** As given, not yet checked: `['tcp']`, `['udp', 'tcp']`, `['http']`. */
  readonly protocols: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mode: 'host' | 'container/bridge' | 'container';
  /** Whether its backends are the agent's address and a host port, or the container's own address and port. */
  readonly backendAddress: 'agent' | 'container';
  /** Name of the pod's container, where the port belongs to one. */
  readonly container?: string;
}

/** A running copy of an app, or one container of a pod's instance. */
export interface Task {
  readonly id: string;
  /** What its framework calls it, by which Mesos-DNS knows it; absent where the source does not say. */
  readonly name?: string;
  /** Name of the source that alone knows this task, where another source defines its app. */
  readonly onlyIn?: string;
  readonly state: TaskState;
  readonly health: Health;
  /** The agent that it runs on, where its ports do not show that agent's address, or not why they cannot be reached there. */
  readonly agent?: Agent;
  /** Where that agent stands; absent where the source does not say. */
  readonly place?: Place;
  /** Addresses of its container that its ports do not show; absent when there are none. */
  readonly addresses?: readonly string[];
  /** The ports of the version that this task runs (an older one during a deployment), with where each is reached. */
  readonly ports: readonly TaskPort[];
}

export interface Agent {
  /** As the source names it: a host name, or an address. */
  readonly host: string;
  readonly address: string;
}

/** Marathon's TASK_* states, folded to what matters for a backend. `gone`: finished, failed, killed, lost. */
export type TaskState = 'staging' | 'running' | 'killing' | 'unreachable' | 'gone';

/** `unchecked`: no health check is defined. `unknown`: one is defined and has given no result yet. */
export type Health = 'unchecked' | 'healthy' | 'unhealthy' | 'unknown';

export interface TaskPort extends Port {
  /** Where the port is reached from any host: IP addresses only, both families; empty while not known. */
  readonly endpoints: readonly Endpoint[];
  /**
   * Where a port that others reach by a host port is reached on the agent itself: the container's own address, one of
   * each family at most, and port. Absent where it is not known.
   */
  readonly local?: readonly Endpoint[];
  /** Why `endpoints` is empty, or lacks some, although the task runs, for a warning; absent when nothing is wrong. */
  readonly unresolved?: string;
}

/** Everything that a source has, or all of them: an app that is not in it does not exist. */
export interface Snapshot {
  /** Of one source: one for each row. */
  readonly apps: readonly App[];
  /** Documents that gave no app at all (unparsable file, app without an id). */
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
  /** Addresses of agents that a source lists whether or not a task runs there; absent where it lists none. */
  readonly agents?: readonly string[];
  /** Where agents of that list stand, by address; absent where the source does not say of any. */
  readonly places?: Readonly<Record<string, Place>>;
}

/** Something that could not be used, so described that its author finds it. */
export interface Rejection {
  /** App or pod id; the file's path where there is no app. */
  readonly app: string;
  /** Path in its JSON, `portDefinitions[0].labels.VIP_0`; empty for the whole document. */
  readonly at: string;
  /** The offending value as text, cut to a readable length. */
  readonly value: string;
  /** What was expected, or why not: `expected NAME:PORT or IP:PORT`. */
  readonly reason: string;
}

// ---- what should be --------------------------------------------------------------------------------

/** `tcp/10.96.4.7:80`, `udp/[fd00::7]:53`. Unique for a service in one network namespace. */
export type ServiceKey = string;
/** `10.0.0.1:31000`, `[fd01:b::2]:80`. Unique for a backend within its service. */
export type BackendKey = string;

/** A VIP of one address family that has at least one backend: what the kernel should balance. */
export interface Service extends ServiceSettings {
  readonly protocol: Protocol;
  readonly family: Family;
  readonly address: string;
  readonly port: number;
  /** Cleaned DNS form of the label and of the framework; null for an IP VIP. */
  readonly name: string | null;
  readonly framework: string | null;
  /** `my-service.marathon.l4lb.thisdcos.directory`; null for an IP VIP. */
  readonly fqdn: string | null;
  /** Ids of the apps that declare it, sorted. */
  readonly apps: readonly string[];
  /** For how long a backend that comes into rotation grows to its weight; absent where it has it at once. */
  readonly slowStartSeconds?: number;
  readonly backends: ReadonlyMap<BackendKey, Backend>;
  /** Set where only the nearest backends are to get connections. */
  readonly trafficDistribution?: Exclude<TrafficDistribution, 'Cluster'>;
  /** Set once it is decided which these are. */
  readonly nearness?: Nearness;
}

/** What a name leads to. */
export type NamedService = Pick<Service, 'fqdn' | 'protocol' | 'address' | 'port'>;

export interface Backend extends Endpoint, BackendSettings {
  /**
   * How other hosts reach it, where that is another address and port: this host runs its container and reaches it
   * directly.
   */
  readonly hostPort?: Endpoint;
  /** Address of the host that it runs on, where that is neither its own nor that of `hostPort`; absent too where it is not known. */
  readonly agent?: string;
  /** Where the host that it runs on stands; absent where it is not known. */
  readonly place?: Place;
  /** Set where it is never to be taken out of rotation for not answering. */
  readonly eject?: false;
  readonly app: string;
  readonly task: string;
  /** Why it has this weight, for a person: `running, no health check`. */
  readonly reason: string;
  /** How long its connections may live on once it leaves. */
  readonly drainSeconds: number;
}

/** A VIP that an app asks for, with or without backends; once per protocol and app. */
export interface Declared {
  readonly app: string;
  readonly name: string | null;
  readonly framework: string | null;
  readonly fqdn: string | null;
  /** The literal address of an IP VIP; null for a named VIP. */
  readonly address: string | null;
  readonly protocol: Protocol;
  readonly port: number;
  readonly backends: number;
  /** Why this app has none behind it, for a person: `no task runs`. Absent where it has some. */
  readonly withoutBackends?: string;
  readonly at: string;
  readonly mode: Port['mode'];
  readonly backendAddress: Port['backendAddress'];
  readonly container?: string;
}

/** What identifies a VIP: its name and framework in cleaned form, or its address; and its port. */
export interface CalledVip extends Pick<Declared, 'name' | 'framework' | 'address' | 'port'> {
  readonly protocol: string;
}

/** The desired state: all that later stages need from the sources. */
export interface Desired {
  readonly services: ReadonlyMap<ServiceKey, Service>;
  /** Whether an app declares a VIP, with backends or without. */
  readonly declares: (vip: CalledVip) => boolean;
  /** Declared VIPs that have no service, each with all that declare it. */
  readonly unserved: ReadonlyMap<string, readonly Declared[]>;
  readonly declared: readonly Declared[];
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
  readonly memory: NameMemory;
  /** Addresses that apps asked for as IP VIPs and that belong to someone, with why; absent: none. */
  readonly refused?: ReadonlyMap<string, string>;
}

// ---- what the kernel has ---------------------------------------------------------------------------

export interface ObservedService extends ServiceSettings {
  /** Also protocols that a VIP of ours cannot have (`sctp`): other programs' services are seen too. */
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly backends: ReadonlyMap<BackendKey, ObservedBackend>;
}

export interface ObservedBackend extends Endpoint, BackendSettings {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
}

/** The kernel's table at one moment. Services by firewall mark have no address and are left out: they are never ours. */
export type Table = ReadonlyMap<ServiceKey, ObservedService>;

// ---- what lies between -----------------------------------------------------------------------------

/** The keys of a service that a step needs, whichever side it came from. */
export interface ServiceAddress {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

/** One write to the kernel's table. */
export type Step =
  | { readonly op: 'add-service' | 'update-service'; readonly service: ServiceAddress & ServiceSettings }
  | { readonly op: 'remove-service'; readonly service: ServiceAddress }
  | {
      readonly op: 'add-backend' | 'update-backend';
      readonly service: ServiceAddress;
      readonly backend: Endpoint & BackendSettings;
    }
  | { readonly op: 'remove-backend'; readonly service: ServiceAddress; readonly backend: Endpoint };

// ---- keys ------------------------------------------------------------------------------------------

// Keys are kept by the hundred thousand. What a template puts together keeps its parts, which takes three times the memory of
// the text; what is joined does not.

/** The key of an app. */
export function appKey({ framework, id }: Pick<App, 'framework' | 'id'>): AppKey {
  return [framework, id].join(' ');
}

/** The key of a source's row of an app. */
export function rowKey(key: AppKey, fromTasks: boolean): RowKey {
  return `${fromTasks ? 'tasks' : 'app'} ${key}`;
}

/** The key of the row that this is. */
export function rowOf(app: App): RowKey {
  return rowKey(appKey(app), app.fromTasks === true);
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function endpointKey({ address, port }: Endpoint): BackendKey {
  return [address.includes(':') ? `[${address}]` : address, port].join(':');
}

/** The one form in which a service is named, in maps, logs, metrics and the ledger. */
export function serviceKey(service: ServiceAddress): ServiceKey {
  return [service.protocol, endpointKey(service)].join('/');
}
