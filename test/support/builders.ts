/** Small makers of the model's objects for tests: say what matters, the rest is ordinary. */

import type { App, Port, Task, TaskPort } from '../../controller/model/app.ts';
import { type BackendKey, type Endpoint, endpointKey } from '../../controller/model/endpoint.ts';
import type { NameMemory } from '../../controller/model/name-memory.ts';
import type { Backend, Service } from '../../controller/model/service.ts';
import type { Snapshot } from '../../controller/model/snapshot.ts';
import { DEFAULT_PORT_OPTIONS } from '../../controller/settings/label-options.ts';
import { backendFields, serviceFields } from '../../controller/settings/settings.ts';

/** A Marathon app with `ports` and `tasks`; framework `marathon`. */
export function app(id: string, what: Partial<Omit<App, 'id'>> = {}): App {
  return {
    id,
    kind: 'app',
    framework: 'marathon',
    ports: [],
    tasks: [],
    rejected: [],
    warnings: [],
    ...what,
  };
}

/** A tcp port of a host-mode app, the first of the app unless `at` says otherwise. */
export function port(labels: Port['labels'], what: Partial<Omit<Port, 'labels'>> = {}): Port {
  return {
    at: 'portDefinitions[0]',
    protocols: ['tcp'],
    labels,
    mode: 'host',
    backendAddress: 'agent',
    ...what,
  };
}

/** The port of a task: reached at `endpoints`, given as `10.0.0.1:31000` or `[fd01:b::2]:80`. */
export function taskPort(declared: Port, ...endpoints: readonly string[]): TaskPort {
  return { ...declared, endpoints: endpoints.map(endpoint) };
}

/** A running task without health check. */
export function task(
  id: string,
  ports: readonly TaskPort[],
  what: Partial<Omit<Task, 'id' | 'ports'>> = {},
): Task {
  return { id, state: 'running', health: 'unchecked', ports, ...what };
}

/** An app with one port that has these labels, and one running task at each of the endpoints. */
export function web(id: string, labels: Port['labels'], ...endpoints: readonly string[]): App {
  const declared = port(labels);
  const tasks = endpoints.map((where, i) => task(`${id.slice(1)}.${i}`, [taskPort(declared, where)]));
  return app(id, { ports: [declared], tasks });
}

export function snapshot(...apps: readonly App[]): Snapshot {
  return { apps, rejected: [], warnings: [] };
}

export const nothingRemembered: NameMemory = { addresses: new Map(), labels: new Map() };

/** What a service over IPv4 has without labels: scheduler wlc, no persistence. */
export const WLC = serviceFields.of(DEFAULT_PORT_OPTIONS, 'ipv4');
/** What a backend has without labels: weight 1. */
export const WEIGHT_1 = backendFields.of(DEFAULT_PORT_OPTIONS, 'ipv4');

/** `10.0.0.1:31000`, `[fd01:b::2]:80`. */
function endpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

/** A backend of weight 1 that may drain for five minutes. */
export function backend(
  address: string,
  port: number,
  what: Partial<Omit<Backend, 'address' | 'port'>> = {},
): Backend {
  return {
    address,
    port,
    app: '/app',
    task: `task-${address}:${port}`,
    ...WEIGHT_1,
    reason: 'running, no health check',
    drainSeconds: 300,
    ...what,
  };
}

/** A tcp service with scheduler wlc and without persistence; an IP VIP unless a `name` is given. */
export function service(
  address: string,
  port: number,
  backends: readonly Backend[] = [],
  what: Partial<Omit<Service, 'address' | 'port' | 'backends'>> = {},
): Service {
  const name = what.name ?? null;
  const framework = what.framework ?? (name === null ? null : 'marathon');
  return {
    protocol: 'tcp',
    family: address.includes(':') ? 'ipv6' : 'ipv4',
    address,
    port,
    name,
    framework,
    fqdn: name === null ? null : `${name}.${framework}.l4lb.thisdcos.directory`,
    ...serviceFields.of(DEFAULT_PORT_OPTIONS, address.includes(':') ? 'ipv6' : 'ipv4'),
    apps: ['/app'],
    backends: new Map<BackendKey, Backend>(backends.map((each) => [endpointKey(each), each])),
    ...what,
  };
}
