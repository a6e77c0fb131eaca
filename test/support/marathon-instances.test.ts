import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import type { AgentOptions } from './marathon/agents.ts';
import type { JsonObject } from './marathon/json.ts';
import { call, EXAMPLE, SIMULATED, start, statesOf, until } from './marathon-harness.ts';

describe('instances', () => {
  test('a command runs with its port and its host, and is ended with its whole group', async () => {
    const marathon = await start();
    await marathon.addApp({
      ...EXAMPLE,
      cmd: 'sleep 1000 & echo $! >"/tmp/$MESOS_TASK_ID"; test "$PORT" = "$PORT0" && wait',
    });
    const [task] = marathon.tasks();
    const file = `/tmp/${task?.['id']}`;
    await until(() => existsSync(file));
    const pid = (await readFile(file, 'utf8')).trim();
    await rm(file);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    await marathon.close();
    await until(() => !existsSync(`/proc/${pid}/exe`));
  });

  test('a killed task says TASK_KILLING before TASK_KILLED, and another takes its place', async () => {
    const marathon = await start();
    await marathon.addApp({ ...EXAMPLE, instances: 2 });
    const [first] = marathon.tasks();
    const reply = await call(marathon, 'DELETE', `/v2/apps/my-service/tasks/${first?.['id']}`);
    expect(reply.json).toMatchObject({ task: { id: first?.['id'] } });

    await until(() => statesOf(marathon, first?.['id']).includes('TASK_KILLED'));
    await until(() => marathon.tasks().filter((task) => task['state'] === 'TASK_RUNNING').length === 2);
    expect(statesOf(marathon, first?.['id'])).toEqual([
      'TASK_STAGING',
      'TASK_RUNNING',
      'TASK_KILLING',
      'TASK_KILLED',
    ]);
  });

  test('a task that ignores SIGTERM is ended after its grace period', async () => {
    const marathon = await start();
    await marathon.addApp({
      ...EXAMPLE,
      cmd: 'trap "" TERM; while :; do sleep 0.1; done',
      taskKillGracePeriodSeconds: 0.2,
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await marathon.removeApp('/my-service');
    expect(marathon.tasks()).toEqual([]);
  });

  test('killed with scale, no other takes its place', async () => {
    const marathon = await start({ processes: false });
    await marathon.addApp({ ...SIMULATED, instances: 3 });
    const [first] = marathon.tasks();
    const { status, json } = await call(
      marathon,
      'DELETE',
      `/v2/apps/my-service/tasks/${first?.['id']}?scale=true`,
    );
    expect({ status, id: json.deploymentId }).toEqual({ status: 200, id: expect.any(String) });
    await marathon.deployed();
    expect(marathon.tasks().map((task) => task['id'])).not.toContain(first?.['id']);
    expect(marathon.tasks()).toHaveLength(2);
  });

  test('one that ends by itself is TASK_FAILED, and its replacement waits for the backoff', async () => {
    const marathon = await start();
    const begun = Date.now();
    void marathon.addApp({ ...EXAMPLE, cmd: 'exit 3', backoffSeconds: 0.3 });
    const staged = () => marathon.events.filter((event) => event['taskStatus'] === 'TASK_STAGING').length;
    await until(() => staged() >= 2);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(300);
    expect(marathon.events.map((event) => event['taskStatus'])).toContain('TASK_FAILED');
  });

  test('they spread over the agents, and a UNIQUE host name takes one of them each', async () => {
    const agents: AgentOptions[] = [{ hostname: '10.0.0.1' }, { hostname: '10.0.0.2' }];
    const marathon = await start({ processes: false, agents });
    await marathon.addApp({ ...SIMULATED, instances: 2, constraints: [['hostname', 'UNIQUE']] });
    expect(
      marathon
        .tasks()
        .map((task) => task['host'])
        .sort(),
    ).toEqual(['10.0.0.1', '10.0.0.2']);
  });
});

describe('deployments', () => {
  test('an upgrade starts the new version before it ends the old, and both versions can be read', async () => {
    const marathon = await start({ processes: false, startMs: 5 });
    const before = await marathon.addApp({ ...SIMULATED, instances: 3 });
    const after = await marathon.updateApp('/my-service', { env: { A: 'b' } });

    let running = 0;
    const counts: number[] = [];
    for (const { eventType, taskStatus } of marathon.events) {
      if (eventType !== 'status_update_event') continue;
      if (taskStatus === 'TASK_RUNNING') running++;
      if (taskStatus === 'TASK_KILLING') running--;
      counts.push(running);
    }
    expect(Math.min(...counts.slice(counts.indexOf(3)))).toBe(3);
    expect(new Set(marathon.tasks().map((task) => task['version']))).toEqual(new Set([after['version']]));
    const old = await call(marathon, 'GET', `/v2/apps/my-service/versions/${before['version']}`);
    expect(old.json).toMatchObject({ id: '/my-service', version: before['version'], env: {} });
    marathon.forgetVersion('/my-service', String(before['version']));
    expect((await call(marathon, 'GET', `/v2/apps/my-service/versions/${before['version']}`)).status).toBe(
      404,
    );
  });

  test('scaling starts or ends only the difference and leaves the version of running tasks', async () => {
    const marathon = await start({ processes: false });
    const { version } = await marathon.addApp({ ...SIMULATED, instances: 2 });
    const before = marathon.tasks().map((task) => task['id']);
    await marathon.updateApp('/my-service', { instances: 3 });
    expect(marathon.tasks().map((task) => task['id'])).toEqual(expect.arrayContaining(before));
    expect(marathon.tasks().filter((task) => task['version'] === version)).toHaveLength(2);
    await marathon.updateApp('/my-service', { instances: 1 });
    expect(marathon.tasks()).toHaveLength(1);
  });

  test('a deployment that is deleted is rolled back', async () => {
    const marathon = await start({ processes: false });
    await marathon.addApp({ ...SIMULATED, instances: 1 });
    const { json } = await call(marathon, 'PUT', '/v2/apps/my-service', { instances: 500_000 });
    const undone = await call(marathon, 'DELETE', `/v2/deployments/${json.deploymentId}`);
    expect(undone.json.deploymentId).toEqual(expect.any(String));
    await marathon.deployed();
    expect((await call(marathon, 'GET', '/v2/apps/my-service')).json.app.instances).toBe(1);
  });
});

describe('health', () => {
  const check = (over: JsonObject) => ({
    protocol: 'COMMAND',
    intervalSeconds: 0.05,
    gracePeriodSeconds: 0,
    ...over,
  });

  test('a deployment waits for the checks, which are run for real', async () => {
    const marathon = await start();
    const flag = `/tmp/healthy-${process.pid}-${Date.now()}`;
    const deployed = marathon.addApp({
      ...EXAMPLE,
      healthChecks: [check({ command: { value: `test -e ${flag}` }, maxConsecutiveFailures: 0 })],
    });
    await marathon.nextEvent('failed_health_check_event');
    expect(marathon.tasks()[0]?.['healthCheckResults']).toMatchObject([{ alive: false, firstSuccess: null }]);
    await writeFile(flag, '');
    await deployed;
    await rm(flag);
    expect(marathon.tasks()[0]?.['healthCheckResults']).toMatchObject([
      { alive: true, consecutiveFailures: 0 },
    ]);
    expect(marathon.events.map((event) => event.eventType)).toEqual(
      expect.arrayContaining(['health_status_changed_event', 'instance_health_changed_event']),
    );
  });

  test('a task that fails its checks too often is killed', async () => {
    const marathon = await start();
    void marathon.addApp({
      ...EXAMPLE,
      healthChecks: [check({ command: { value: 'false' }, maxConsecutiveFailures: 2 })],
    });
    const killed = await marathon.nextEvent('unhealthy_instance_kill_event');
    await until(() => statesOf(marathon, killed['taskId']).includes('TASK_KILLED'));
  });

  test('HTTP and TCP checks go to the port of the task', async () => {
    const marathon = await start();
    const server = `require("node:http").createServer((q, r) => r.end(q.url)).listen(process.env.PORT0)`;
    await marathon.addApp({
      ...EXAMPLE,
      cmd: `exec '${process.execPath}' -e '${server}'`,
      healthChecks: [
        check({ protocol: 'HTTP', path: '/health' }),
        check({ protocol: 'MESOS_TCP', portIndex: 0 }),
      ].map((each) => ({ ...each, maxConsecutiveFailures: 0 })),
    });
    expect(marathon.tasks()[0]?.['healthCheckResults']).toMatchObject([{ alive: true }, { alive: true }]);
  });
});
