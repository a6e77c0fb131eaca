/** Marathon apps in the numbers of a large cluster, as `GET /v2/apps?embed=apps.tasks` has them. */

/** `count` apps with one named VIP and `tasks` running tasks each, spread over `hosts` agents. */
export function marathonApps(count: number, tasks: number, hosts = 200): { readonly apps: unknown[] } {
  return { apps: Array.from({ length: count }, (_, index) => marathonApp(index, tasks, hosts)) };
}

/** One of them; `moved` tasks run elsewhere than in the others' answers. */
export function marathonApp(index: number, tasks: number, hosts: number, moved = 0) {
  const id = `/group-${index % 50}/service-${index}`;
  const version = '2026-01-01T00:00:00.000Z';
  return {
    id,
    cmd: './serve --port $PORT0',
    instances: tasks,
    cpus: 0.1,
    mem: 128,
    disk: 0,
    networks: [{ mode: 'host' }],
    portDefinitions: [
      {
        port: 10_000 + (index % 10_000),
        protocol: 'tcp',
        name: 'http',
        labels: { VIP_0: `/service-${index}:80` },
      },
    ],
    healthChecks: [
      {
        protocol: 'MESOS_HTTP',
        path: '/health',
        portIndex: 0,
        gracePeriodSeconds: 300,
        intervalSeconds: 60,
        timeoutSeconds: 20,
        maxConsecutiveFailures: 3,
      },
    ],
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    labels: { owner: 'team', tier: 'web' },
    version,
    versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
    tasksRunning: tasks,
    tasksHealthy: tasks,
    tasks: Array.from({ length: tasks }, (_, task) => marathonTask(id, index, task, hosts, task < moved)),
  };
}

function marathonTask(appId: string, app: number, task: number, hosts: number, moved: boolean) {
  const host = (app * 7 + task) % hosts;
  const address = `10.${moved ? 1 : 0}.${host >> 8}.${host & 255}`;
  const instance = `${appId.slice(1).replaceAll('/', '_')}.instance-${app}-${task}`;
  return {
    id: `${instance}._app.1`,
    appId,
    host: address,
    slaveId: `9a1b2c3d-0000-0000-0000-000000000000-S${host}`,
    ports: [31_000 + ((app * 11 + task) % 1_000)],
    ipAddresses: [{ ipAddress: address, protocol: 'IPv4' }],
    state: 'TASK_RUNNING',
    stagedAt: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:05.000Z',
    version: '2026-01-01T00:00:00.000Z',
    healthCheckResults: [
      {
        alive: true,
        consecutiveFailures: 0,
        firstSuccess: '2026-01-01T00:00:10.000Z',
        lastSuccess: '2026-01-01T00:10:00.000Z',
        lastFailure: null,
        instanceId: instance,
      },
    ],
  };
}
