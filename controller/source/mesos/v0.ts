import { isRecord } from '../../rejection.ts';
import { type MesosState, StateBuilder } from './state.ts';

/**
 * The state in a reply to the old `GET /state` (or `/state.json`), of a master or of an agent; null for other JSON. Its
 * objects are brought into the form of the operator API, which has replaced it, and are then read in the same way.
 */
export function readV0State(json: unknown): MesosState | null {
  if (!isRecord(json) || typeof json['id'] !== 'string' || !Array.isArray(json['frameworks'])) return null;
  const slaves = json['slaves'];
  const isAgent = slaves === undefined && typeof json['hostname'] === 'string';
  if (!isAgent && !Array.isArray(slaves)) return null;

  const builder = new StateBuilder();
  builder.take({ path: 'type', json: 'GET_STATE' });
  for (const name of ['get_tasks', 'get_frameworks']) builder.take({ path: name, json: undefined });
  for (const agent of isAgent ? [json] : objects(slaves)) {
    const info = { id: { value: agent['id'] }, hostname: agent['hostname'], domain: agent['domain'] };
    builder.take({ path: 'agents', json: { agent_info: info } });
  }
  for (const framework of json['frameworks'].filter(isRecord)) {
    const info = { id: { value: framework['id'] }, name: framework['name'] };
    builder.take({ path: 'frameworks', json: { framework_info: info } });
    for (const task of tasksOf(framework)) builder.take({ path: 'tasks', json: toV1(task) });
  }
  return builder.state();
}

type Json = Readonly<Record<string, unknown>>;

/** A master lists them with their framework, an agent with their executor. */
function tasksOf(framework: Json): readonly Json[] {
  const ofExecutors = objects(framework['executors']).flatMap((executor) => objects(executor['tasks']));
  return [...objects(framework['tasks']), ...ofExecutors];
}

function toV1(task: Json): Json {
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
    statuses: objects(statuses).map(statusToV1),
  };
}

/** Before 0.26 a network had one address, in a field of its own. */
function statusToV1(status: Json): Json {
  const container = status['container_status'];
  if (!isRecord(container)) return status;
  const networks = objects(container['network_infos']).map((network) =>
    network['ip_addresses'] === undefined && network['ip_address'] !== undefined
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

function objects(list: unknown): readonly Json[] {
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
