/**
 * The model: what a source reports (`App`, `Task`), what is desired (`Service`, `Backend`), what the kernel has
 * (`ObservedService`), and the writes between them (`Step`). Plain data; the only functions make keys.
 */

import type { Family } from './address.ts';
import type { NameMemory } from './name-memory.ts';
import type { Place, Tier, TrafficDistribution } from './place.ts';
import type { BackendSettings, ServiceSettings } from './settings/settings.ts';

/** The protocols of VIPs, as on DC/OS. A port with another protocol has no VIP. */
export type Protocol = 'tcp' | 'udp';

/** An address in its text form (`10.0.0.1`, `fd01:c::7`, no brackets) and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Identifies an app: `marathon /group/web`. */
export type AppKey = string;
/** Identifies a row of a source. An app can have two: its definition, and what was put together from its tasks. */
export type RowKey = string;

// ---- what a source reports ------------------------------------------------------------------------

/**
 * A Marathon app or pod as one source reports it, in the same shape whatever the API: its definition with the tasks that
 * the source lists, or what was put together from tasks (`fromTasks`). Immutable: a changed app is a new object.
 */
export interface App {
  /** Absolute id, `/group/web`. A pod has its pod id. */
  readonly id: string;
  readonly kind: 'app' | 'pod';
  /** The app has no definition; it was put together from the labels and ports of its tasks (Mesos). */
  readonly fromTasks?: true;
  /** Name of the source (`mesos=http://10.0.0.1:5050`) of an app that was put together from its tasks. */
  readonly source?: string;
  /** The tasks are not copies of one another (`worker-0`, `worker-1`): the labels of one say nothing about another. */
  readonly labelsPerTask?: true;
  /** Mesos framework name as the source reports it, not yet cleaned for DNS; `marathon` by default. */
  readonly framework: string;
  /** The ports of the newest definition, whether or not a task runs. */
  readonly ports: readonly Port[];
  readonly tasks: readonly Task[];
  /** Problems in this app's JSON, apart from its labels. */
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

/** A port that a definition declares: a portDefinition, a portMapping or a pod's endpoint. */
export interface Port {
  /** Its path in the app's JSON: `portDefinitions[0]`, `container.docker.portMappings[1]`, `containers[0].endpoints[2]`. */
  readonly at: string;
  /** As written, not yet checked: `['tcp']`, `['udp', 'tcp']`, `['http']`. */
  readonly protocols: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mode: 'host' | 'container/bridge' | 'container';
  /** Whether its backends are the agent's address and a host port, or the container's own address and port. */
  readonly backendAddress: 'agent' | 'container';
  /** Name of the pod's container; absent for an app. */
  readonly container?: string;
}

/** A running copy of an app, or one container of a pod's instance. */
export interface Task {
  readonly id: string;
  /** Its name in the framework, which Mesos-DNS uses; absent when the source does not report it. */
  readonly name?: string;
  /** Name of the only source that knows this task, when another source defines its app. */
  readonly onlyIn?: string;
  readonly state: TaskState;
  readonly health: Health;
  /** The agent that it runs on; absent when the endpoints of its ports say as much. */
  readonly agent?: Agent;
  /** The place of that agent; absent when the source does not report it. */
  readonly place?: Place;
  /** Addresses of its container besides those of its ports; absent when there are none. */
  readonly addresses?: readonly string[];
  /** The ports of the version that this task runs (an older one during a deployment), with their endpoints. */
  readonly ports: readonly TaskPort[];
}

export interface Agent {
  /** As the source reports it: a host name or an address. */
  readonly host: string;
  readonly address: string;
}

/** Marathon's TASK_* states, reduced to what matters for a backend. `gone`: finished, failed, killed or lost. */
export type TaskState = 'staging' | 'running' | 'killing' | 'unreachable' | 'gone';

/** `unchecked`: no health check is defined. `unknown`: one is defined but has no result yet. */
export type Health = 'unchecked' | 'healthy' | 'unhealthy' | 'unknown';

export interface TaskPort extends Port {
  /** Where any host reaches the port: IP addresses of both families; empty while unknown. */
  readonly endpoints: readonly Endpoint[];
  /**
   * Where the agent itself reaches a port that others reach by a host port: the container's own address and port, at most
   * one for each family. Absent when unknown.
   */
  readonly local?: readonly Endpoint[];
  /** For a warning: why endpoints are missing although the task runs; absent when none are. */
  readonly unresolved?: string;
}

/** The whole state of a source, or of all: an app that is not in it does not exist. */
export interface Snapshot {
  /** The rows of one source. */
  readonly apps: readonly App[];
  /** Documents that are not apps (a file that cannot be parsed, an app without an id). */
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
  /** Addresses of all agents that the source lists, with or without tasks; absent when it lists none. */
  readonly agents?: readonly string[];
  /** The places of these agents, by address; absent when the source reports none. */
  readonly places?: Readonly<Record<string, Place>>;
}

/** Input that could not be used, described so that its author finds it. */
export interface Rejection {
  /** App or pod id; the path of the file when there is no app. */
  readonly app: string;
  /** Path in its JSON, `portDefinitions[0].labels.VIP_0`; empty for the whole document. */
  readonly at: string;
  /** The offending value as text, cut to a readable length. */
  readonly value: string;
  /** What was expected: `expected NAME:PORT or IP:PORT`. */
  readonly reason: string;
}

// ---- what is desired -------------------------------------------------------------------------------

/** Identifies a service in a network namespace: `tcp/10.96.4.7:80`, `udp/[fd00::7]:53`. */
export type ServiceKey = string;
/** Identifies a backend within its service: `10.0.0.1:31000`, `[fd01:b::2]:80`. */
export type BackendKey = string;

/** A desired IPVS service: a VIP of one address family with at least one backend. */
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
  /** How long a backend that comes into rotation grows to its weight; absent without slow start. */
  readonly slowStartSeconds?: number;
  readonly backends: ReadonlyMap<BackendKey, Backend>;
  /** Set when only the nearest backends get connections. */
  readonly trafficDistribution?: Exclude<TrafficDistribution, 'Cluster'>;
  /** Set once the nearest backends have been chosen. */
  readonly nearness?: Nearness;
}

/** The nearest backends of a service, and all. */
export interface Nearness {
  /** The tier that the service's backends were chosen from. */
  readonly tier: Tier;
  /** The backends of all tiers. */
  readonly all: ReadonlyMap<BackendKey, Backend>;
}

/** A service as DNS needs it. */
export type NamedService = Pick<Service, 'fqdn' | 'protocol' | 'address' | 'port'>;

export interface Backend extends Endpoint, BackendSettings {
  /**
   * The endpoint that other hosts use, when it differs: this host runs the container and reaches it directly.
   */
  readonly hostPort?: Endpoint;
  /** Address of the host that it runs on; absent when unknown, or the same as its own or that of `hostPort`. */
  readonly agent?: string;
  /** The place of that host; absent when unknown. */
  readonly place?: Place;
  /** Set when the backend must never be ejected. */
  readonly eject?: false;
  readonly app: string;
  readonly task: string;
  /** Why it has this weight, as text: `running, no health check`. */
  readonly reason: string;
  /** How long its connections may go on once it leaves. */
  readonly drainSeconds: number;
}

/** A VIP that an app declares, with or without backends; one for each protocol and app. */
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
  /** Why the app has no backends for it, as text: `no task runs`; absent when it has some. */
  readonly withoutBackends?: string;
  readonly at: string;
  readonly mode: Port['mode'];
  readonly backendAddress: Port['backendAddress'];
  readonly container?: string;
}

/** Identifies a VIP: by its cleaned name and framework, or its address; and by protocol and port. */
export interface CalledVip extends Pick<Declared, 'name' | 'framework' | 'address' | 'port'> {
  readonly protocol: string;
}

/** The desired state: all that later stages need from the sources. */
export interface Desired {
  readonly services: ReadonlyMap<ServiceKey, Service>;
  /** Whether an app declares this VIP, with or without backends. */
  readonly declares: (vip: CalledVip) => boolean;
  /** Declared VIPs without a service, by key, with every declaration. */
  readonly unserved: ReadonlyMap<string, readonly Declared[]>;
  readonly declared: readonly Declared[];
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
  readonly memory: NameMemory;
  /** Addresses of IP VIPs that were refused because they belong to someone, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
}

// ---- what the kernel has ---------------------------------------------------------------------------

export interface ObservedService extends ServiceSettings {
  /** Includes protocols that our VIPs cannot have (`sctp`), since other programs' services are observed too. */
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly backends: ReadonlyMap<BackendKey, ObservedBackend>;
}

export interface ObservedBackend extends Endpoint, BackendSettings {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
}

/** The kernel's table at one moment. Services by firewall mark have no address and are never ours; they are left out. */
export type Table = ReadonlyMap<ServiceKey, ObservedService>;

// ---- writes ----------------------------------------------------------------------------------------

/** What identifies a service in a step, whether it is desired or observed. */
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

/** The key of an app's row. */
export function rowOf(app: Pick<App, 'framework' | 'id' | 'fromTasks'>): RowKey {
  return rowKey(appKey(app), app.fromTasks === true);
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function endpointKey({ address, port }: Endpoint): BackendKey {
  return [address.includes(':') ? `[${address}]` : address, port].join(':');
}

/** The key of a service, in maps, logs, metrics and the ledger alike. */
export function serviceKey(service: ServiceAddress): ServiceKey {
  return [service.protocol, endpointKey(service)].join('/');
}
