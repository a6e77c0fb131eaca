import type { JsonObject } from '../marathon/json.ts';

/** A task as a test describes it. */
export interface TestTask {
  readonly id: string;
  /** Ids. */
  readonly framework: string;
  readonly agent: string;
  /** Defaults to the id. */
  readonly name?: string;
  /** Without `TASK_`. Defaults to `RUNNING`. */
  readonly state?: string;
  readonly ports?: readonly TestPort[];
  /** The task's own addresses. Defaults to none known. */
  readonly addresses?: readonly string[];
  /** Given means that the task has a health check with this result; null: with none yet. */
  readonly healthy?: boolean | null;
  readonly labels?: Readonly<Record<string, string>>;
  /** Ranges of allocated host ports. */
  readonly hostPorts?: readonly (readonly [number, number])[];
  /** Host port and container port. */
  readonly mappings?: readonly (readonly [number, number])[];
  readonly executor?: string;
  /** Of the status, in seconds. Defaults to 1000. */
  readonly timestamp?: number;
}

export interface TestPort {
  readonly number: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly protocol?: string;
}

/** `Task` of the operator API. */
export function taskJson(task: TestTask): JsonObject {
  const { id, framework, agent, name = id, state = 'RUNNING' } = task;
  return {
    name,
    task_id: { value: id },
    framework_id: { value: framework },
    agent_id: { value: agent },
    ...(task.executor !== undefined && { executor_id: { value: task.executor } }),
    state: `TASK_${state}`,
    statuses: state === 'STAGING' ? [] : [statusJson(task)],
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } },
      {
        name: 'ports',
        type: 'RANGES',
        ranges: { range: (task.hostPorts ?? []).map(([begin, end]) => ({ begin, end })) },
      },
    ],
    labels: labelsJson(task.labels ?? {}),
    discovery: {
      visibility: 'FRAMEWORK',
      name,
      ports: {
        ports: (task.ports ?? []).map(({ number, protocol = 'tcp', labels = {} }) => ({
          number,
          protocol,
          labels: labelsJson(labels),
        })),
      },
    },
    ...(task.healthy !== undefined && { health_check: { type: 'HTTP', http: { port: 80 } } }),
    container: {
      type: 'MESOS',
      mesos: {},
      ...(task.mappings && {
        network_infos: [
          {
            name: 'mesos-bridge',
            port_mappings: task.mappings.map(([host_port, container_port]) => ({
              host_port,
              container_port,
              protocol: 'tcp',
            })),
          },
        ],
      }),
    },
  };
}

/** `TaskStatus`, which tells of state, health and addresses only. */
export function statusJson(
  task: Pick<TestTask, 'id' | 'agent' | 'state' | 'healthy' | 'addresses' | 'timestamp'>,
): JsonObject {
  const addresses = (task.addresses ?? []).map((ip_address) => ({ protocol: 'IPv4', ip_address }));
  return {
    task_id: { value: task.id },
    agent_id: { value: task.agent },
    state: `TASK_${task.state ?? 'RUNNING'}`,
    source: 'SOURCE_EXECUTOR',
    timestamp: task.timestamp ?? 1_000,
    uuid: 'CuSfx+sKT7iG1+N1sqjNbg==',
    data: '',
    ...(task.healthy !== undefined && task.healthy !== null && { healthy: task.healthy }),
    ...(addresses.length > 0 && { container_status: { network_infos: [{ ip_addresses: addresses }] } }),
  };
}

function labelsJson(labels: Readonly<Record<string, string>>): JsonObject {
  return { labels: Object.entries(labels).map(([key, value]) => ({ key, value })) };
}
