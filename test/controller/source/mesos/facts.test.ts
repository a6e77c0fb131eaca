import { describe, expect, test } from '@jest/globals';
import { appOfTask } from '../../../../controller/source/mesos/apps.ts';
import { factsOf, mesosState, updated } from '../../../../controller/source/mesos/facts.ts';
import { statusSchema, taskSchema } from '../../../../controller/source/mesos/schema.ts';
import { statusJson, type TestTask, taskJson } from '../../../support/mesos/task-json.ts';

const UUID = '0ef76549-2630-11e8-af52-70b3d5800001';

function facts(task: Partial<TestTask> = {}, change: object = {}) {
  return factsOf(
    taskSchema.parse({ ...taskJson({ id: 'a', framework: 'f', agent: 's', ...task }), ...change }),
  );
}

test.each([
  ['TASK_STAGING', 'staging'],
  ['TASK_STARTING', 'staging'],
  ['TASK_RUNNING', 'running'],
  ['TASK_KILLING', 'killing'],
  ['TASK_UNREACHABLE', 'unreachable'],
  ['TASK_UNKNOWN', 'unreachable'],
  ['TASK_OF_THE_FUTURE', 'unreachable'],
  ...['FINISHED', 'FAILED', 'KILLED', 'LOST', 'ERROR', 'DROPPED', 'GONE', 'GONE_BY_OPERATOR'].map(
    (state) => [`TASK_${state}`, 'gone'] as const,
  ),
])('%s is %s', (state, expected) => {
  expect(mesosState(state)).toBe(expected);
});

test('a state that Mesos does not have is reported until it is another one', () => {
  const odd = facts({}, { state: 'TASK_OF_THE_FUTURE' });
  const expected = {
    at: 'state',
    value: 'TASK_OF_THE_FUTURE',
    reason: expect.stringContaining('unreachable'),
  };
  expect(odd).toMatchObject({ state: 'unreachable', rejected: [expected] });
  expect(updated(odd, null, undefined).rejected).toEqual([expected]);
  expect(updated(odd, 'TASK_RUNNING', undefined)).toMatchObject({ state: 'running', rejected: [] });
});

test('of the labels of a task only those are kept that may make a VIP', () => {
  const kept = { vip_PORT0: 'tcp:///web:80', VIP_port1: 'text' };
  expect(facts({ labels: { team: 'shop', VIP_0: '/web:80', vip_PORT: '1', ...kept } }).labels).toEqual(
    Object.entries(kept).map(([key, value]) => ({ key, value })),
  );
});

describe('the newest status', () => {
  const status = (timestamp: number, what: Partial<TestTask>) =>
    statusJson({ id: 'a', agent: 's', timestamp, ...what });

  test('is the one with the latest timestamp, at any position in the list', () => {
    const statuses = [
      status(3, { healthy: false, addresses: ['9.0.0.3'] }),
      status(1, { healthy: true, addresses: ['9.0.0.1'] }),
      status(2, { addresses: ['9.0.0.2'] }),
    ];
    expect(facts({}, { statuses })).toMatchObject({ health: 'unhealthy', addresses: ['9.0.0.3'], since: 1 });
  });

  test.each<[string, object, string]>([
    ['without a result of its check is not known', { health_check: { type: 'TCP' } }, 'unknown'],
    ['without a check does not fail for what an older one said', { health_check: null }, 'unchecked'],
  ])('%s', (_what, check, health) => {
    const statuses = [
      status(100, { healthy: health === 'unknown', addresses: ['9.0.0.1'] }),
      status(200, { addresses: ['9.0.0.2'] }),
    ];
    expect(facts({}, { ...check, statuses })).toMatchObject({ health, addresses: ['9.0.0.2'] });
  });

  test('leaves as it was what it lacks', () => {
    const before = facts({ addresses: ['9.0.0.1'], healthy: true, ports: [{ number: 80 }] });
    const after = updated(before, 'TASK_RUNNING', statusSchema.parse(status(9, {})));
    expect(after).toEqual(before);
  });

  test('has the health of its newest status, also where an older one is acknowledged later', () => {
    const before = facts({}, { statuses: [status(300, { healthy: true })] });
    const older = statusSchema.parse(status(100, { healthy: false }));
    expect(updated(before, 'TASK_RUNNING', older).health).toBe('healthy');
    const newer = statusSchema.parse(status(301, { healthy: false }));
    expect(updated(before, 'TASK_RUNNING', newer).health).toBe('unhealthy');
  });

  test('has the port mappings of a pod’s container, which its task does not have', () => {
    const container_status = {
      network_infos: [{ port_mappings: [{ host_port: 2254, container_port: 8080 }] }],
    };
    const after = updated(facts(), 'TASK_RUNNING', statusSchema.parse({ container_status }));
    expect(after.mappings).toEqual([{ host_port: 2254, container_port: 8080 }]);
  });

  test.each<[boolean | null | undefined, string]>([
    [undefined, 'unchecked'],
    [null, 'unknown'],
    [true, 'healthy'],
    [false, 'unhealthy'],
  ])('with result %p of a health check makes the task %s', (healthy, expected) => {
    expect(facts(healthy === undefined ? {} : { healthy }).health).toBe(expected);
  });
});

test.each([
  [`web.${UUID}`, 'web', '/web'],
  [`shop_cart.${UUID}`, 'cart.shop', '/shop/cart'],
  [`a.b_c-d.${UUID}`, 'x', '/a.b/c-d'],
  [`web.instance-${UUID}._app.2`, 'web', '/web'],
  [`web.marathon-${UUID}._app`, 'web', '/web'],
  [`pod.instance-${UUID}.container-1`, 'container-1', '/pod'],
  [`broker-0__${UUID}`, 'broker-0', '/broker'],
  [`world-0-server__${UUID}`, 'world-0-server', '/world-server'],
  ['driver-20180101', 'spark', '/spark'],
  ['17', '', '/17'],
])('task %s, called %s, counts to app %s', (id, name, app) => {
  expect(appOfTask({ id, name }).id).toBe(app);
});
