import { isIP } from 'node:net';
import type { App, Port, Task } from '../model/app.ts';
import type { NamedAddresses } from '../model/name-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { StoredApp } from './stored-ports.ts';

const KINDS: readonly unknown[] = ['app', 'pod'] satisfies App['kind'][];
const MODES: readonly unknown[] = ['host', 'container/bridge', 'container'] satisfies Port['mode'][];
const BACKENDS: readonly unknown[] = ['agent', 'container'] satisfies Port['backendAddress'][];
const STATES: readonly unknown[] = [
  'staging',
  'running',
  'killing',
  'unreachable',
  'gone',
] satisfies Task['state'][];
const HEALTHS: readonly unknown[] = [
  'unchecked',
  'healthy',
  'unhealthy',
  'unknown',
] satisfies Task['health'][];

/**
 * Whether this is a saved app. Checks every field that a pass reads: a file may be truncated, mixed up or edited, and an
 * unexpected value would end the process at each start. A schema would copy all of it, so there is none.
 */
export function isStoredApp(value: unknown): value is StoredApp {
  if (!isObject(value)) return false;
  const { id, kind, framework, ports, tasks, olderPorts, rejected, warnings } = value;
  const { fromTasks, source, labelsPerTask, unknown } = value;
  return (
    isText(id) &&
    isText(framework) &&
    KINDS.includes(kind) &&
    (fromTasks === undefined || fromTasks === true) &&
    (source === undefined || isText(source)) &&
    (labelsPerTask === undefined || labelsPerTask === true) &&
    isList(ports, isPort) &&
    (olderPorts === undefined || isList(olderPorts, isPort)) &&
    isList(tasks, (task) => isTask(task, ports.length + (olderPorts ?? []).length)) &&
    isList(rejected, isRejection) &&
    isList(warnings, isText) &&
    (unknown === undefined || isText(unknown))
  );
}

/** Whether this is what was saved of a source besides its apps. */
export function isStoredAbout(value: unknown): value is Omit<Snapshot, 'apps'> {
  if (!isObject(value)) return false;
  const { rejected, warnings, agents, places, unknown } = value;
  return (
    isList(rejected, isRejection) &&
    isList(warnings, isText) &&
    (agents === undefined || isList(agents, isText)) &&
    (places === undefined || (isObject(places) && Object.values(places).every(isPlace))) &&
    (unknown === undefined || isList(unknown, isUnknownPart))
  );
}

/** Whether these are the saved addresses of a name. */
export function isStoredAddresses(value: unknown): value is NamedAddresses {
  if (!isObject(value)) return false;
  const { ipv4, ipv6 } = value;
  return (ipv4 === undefined || isAddress(ipv4)) && (ipv6 === undefined || isAddress(ipv6));
}

function isPort(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { at, protocols, labels, mode, backendAddress, container } = value;
  return (
    isText(at) &&
    isList(protocols, isText) &&
    isObject(labels) &&
    Object.values(labels).every(isText) &&
    MODES.includes(mode) &&
    BACKENDS.includes(backendAddress) &&
    (container === undefined || isText(container))
  );
}

/** `declared`: number of ports that its app stores, which its own refer to by index. */
function isTask(value: unknown, declared: number): boolean {
  if (!isObject(value)) return false;
  const { id, name, onlyIn, state, health, agent, place, addresses, ports } = value;
  return (
    isText(id) &&
    (name === undefined || isText(name)) &&
    (onlyIn === undefined || isText(onlyIn)) &&
    STATES.includes(state) &&
    HEALTHS.includes(health) &&
    (agent === undefined || isAgent(agent)) &&
    (place === undefined || isPlace(place)) &&
    (addresses === undefined || isList(addresses, isAddress)) &&
    isList(ports, (port) => isTaskPort(port, declared))
  );
}

function isAgent(value: unknown): boolean {
  return isObject(value) && isText(value['host']) && isAddress(value['address']);
}

function isPlace(value: unknown): boolean {
  if (!isObject(value)) return false;
  return [value['region'], value['zone'], value['node']].every((name) => name === undefined || isText(name));
}

function isTaskPort(value: unknown, declared: number): boolean {
  if (!isObject(value)) return false;
  const { port, endpoints, local, unresolved } = value;
  return (
    Number.isInteger(port) &&
    Number(port) >= 0 &&
    Number(port) < declared &&
    isList(endpoints, isEndpoint) &&
    (local === undefined || isList(local, isEndpoint)) &&
    (unresolved === undefined || isText(unresolved))
  );
}

function isEndpoint(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { address, port } = value;
  return isAddress(address) && typeof port === 'number' && port >= 0 && port <= 65_535;
}

function isAddress(value: unknown): boolean {
  return isText(value) && isIP(value) !== 0;
}

function isRejection(value: unknown): boolean {
  return isObject(value) && [value['app'], value['at'], value['value'], value['reason']].every(isText);
}

function isUnknownPart(value: unknown): boolean {
  return isObject(value) && isText(value['part']) && isText(value['reason']);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isList(value: unknown, isItem: (item: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every(isItem);
}
