import { BOUNDS, OverBound } from '../../input/bounds.ts';
import { isRecord } from '../../input/rejection.ts';
import { WrongType } from '../json/walk.ts';
import { type MesosState, StateBuilder } from './state.ts';

/**
 * The state in a reply to the old `GET /state` (or `/state.json`), of a master or of an agent; null for other JSON. Its
 * objects are brought into the form of the operator API, which has replaced it, and are then read in the same way.
 *
 * Throws a `WrongType` where a state has no list of frameworks, or a master none of agents: that may be a state cut short.
 */
export function readOldState(json: unknown): MesosState | null {
  const kind = kindOf(json);
  if (kind === null || !isRecord(json)) return null;
  const frameworks = required(json['frameworks'], 'frameworks');

  const builder = new StateBuilder();
  builder.take({ path: 'type', json: 'GET_STATE' });
  for (const name of ['get_tasks', 'get_frameworks']) builder.take({ path: name, json: undefined });
  for (const { each, at } of kind === 'agent'
    ? [{ each: json, at: '' }]
    : required(json['slaves'], 'slaves')) {
    const { id, hostname, domain } = isRecord(each) ? each : {};
    builder.take({ path: 'agents', json: { agent_info: { id: { value: id }, hostname, domain } } }, at);
  }
  for (const { each, at } of frameworks) {
    // All that it runs is in it.
    if (!isRecord(each)) throw WrongType.at(at, 'an object', each);
    const info = { id: { value: each['id'] }, name: each['name'] };
    builder.take({ path: 'frameworks', json: { framework_info: info } }, at);
    for (const task of tasksOf(each, at)) builder.take({ path: 'tasks', json: toV1(task.each) }, task.at);
  }
  return builder.state();
}

function kindOf(json: unknown): 'master' | 'agent' | null {
  if (!isRecord(json) || typeof json['id'] !== 'string' || json['frameworks'] === undefined) return null;
  if (json['slaves'] !== undefined) return 'master';
  return typeof json['hostname'] === 'string' ? 'agent' : null;
}

type Json = Readonly<Record<string, unknown>>;

/** A master lists them with their framework, an agent with their executor. */
function tasksOf(framework: Json, at: string): readonly Element[] {
  const ofExecutors = elements(framework['executors'], `${at}.executors`).flatMap((executor) => {
    if (!isRecord(executor.each)) throw WrongType.at(executor.at, 'an object', executor.each);
    return elements(executor.each['tasks'], `${executor.at}.tasks`);
  });
  return [...elements(framework['tasks'], `${at}.tasks`), ...ofExecutors];
}

function toV1(task: unknown): unknown {
  if (!isRecord(task)) return task;
  const { id, framework_id, slave_id, executor_id, labels, resources, statuses, ...rest } = task;
  return {
    ...rest,
    task_id: { value: id },
    framework_id: { value: framework_id },
    agent_id: { value: slave_id },
    executor_id: { value: executor_id },
    labels: { labels },
    resources: [
      { name: 'ports', ranges: { range: rangesIn(isRecord(resources) ? resources['ports'] : '') } },
    ],
    statuses: Array.isArray(statuses) ? statuses.map(statusToV1) : statuses,
  };
}

/** Before 0.26 a network had one address, in a field of its own. */
function statusToV1(status: unknown): unknown {
  const container = isRecord(status) ? status['container_status'] : undefined;
  if (!isRecord(status) || !isRecord(container) || !Array.isArray(container['network_infos'])) return status;
  const networks = container['network_infos'].map((network: unknown) =>
    isRecord(network) && network['ip_addresses'] === undefined && network['ip_address'] !== undefined
      ? { ...network, ip_addresses: [{ ip_address: network['ip_address'] }] }
      : network,
  );
  return { ...status, container_status: { network_infos: networks } };
}

/** `[1025-2180, 2182-3887]`. */
function rangesIn(ports: unknown): readonly Json[] {
  const ranges = typeof ports === 'string' ? [...ports.matchAll(/(\d+)-(\d+)/g)] : [];
  return ranges.map(([, begin, end]) => ({ begin: Number(begin), end: Number(end) }));
}

interface Element {
  readonly each: unknown;
  /** Its path in the document. */
  readonly at: string;
}

/** Throws a `WrongType` for what is neither a list nor missing, and an `OverBound` for more elements than a list may have. */
function elements(list: unknown, at: string): readonly Element[] {
  return list === undefined || list === null ? [] : required(list, at);
}

function required(list: unknown, at: string): readonly Element[] {
  if (!Array.isArray(list)) throw WrongType.at(at, 'a list', list);
  if (list.length > BOUNDS.items) throw new OverBound(`${at}: more than ${BOUNDS.items} elements`);
  return list.map((each: unknown, index) => ({ each, at: `${at}[${index}]` }));
}
