import { describe, expect, test } from '@jest/globals';
import { call, start, until } from './marathon-harness.ts';

describe('pods', () => {
  const POD = {
    id: '/mqtt',
    networks: [{ mode: 'host' }],
    containers: [
      { name: 'broker', endpoints: [{ name: 'mqtt', protocol: ['tcp'], labels: { VIP_0: '/mqtt:1883' } }] },
      { name: 'gateway' },
    ],
  };

  test('a pod is created, told of in its status with its allocated ports, and deleted', async () => {
    const marathon = await start({ processes: false, agents: [{ hostname: '10.0.0.7' }] });
    const created = await call(marathon, 'POST', '/v2/pods', POD);
    expect(created.status).toBe(201);
    expect(created.headers.get('marathon-deployment-id')).toBeTruthy();
    await marathon.deployed();

    const { json } = await call(marathon, 'GET', '/v2/pods/::status');
    const [instance] = json[0].instances;
    expect(json[0]).toMatchObject({
      id: '/mqtt',
      status: 'STABLE',
      spec: { containers: [{ name: 'broker' }, { name: 'gateway' }] },
    });
    expect(instance).toMatchObject({ agentHostname: '10.0.0.7', status: 'STABLE' });
    expect(instance.containers[0]).toMatchObject({
      name: 'broker',
      status: 'TASK_RUNNING',
      endpoints: [{ name: 'mqtt', allocatedHostPort: expect.any(Number) }],
    });
    expect((await call(marathon, 'GET', instance.specReference)).json).toMatchObject({
      id: '/mqtt',
      version: json[0].spec.version,
    });

    expect((await call(marathon, 'DELETE', '/v2/pods/mqtt')).status).toBe(202);
    await marathon.deployed();
    expect((await call(marathon, 'GET', '/v2/pods/mqtt::status')).status).toBe(404);
  });

  test('health is a condition of the container, and of the endpoint once there is a result', async () => {
    const marathon = await start({ processes: false, simulatedHealth: 'none', startMs: 0 });
    const [broker, gateway] = POD.containers;
    const checked = { ...broker, healthCheck: { tcp: { endpoint: 'mqtt' } } };
    const created = marathon.addPod({ ...POD, containers: [checked, gateway] });
    const container = async () =>
      (await call(marathon, 'GET', '/v2/pods/mqtt::status')).json.instances[0].containers[0];

    await until(() => marathon.events.some((event) => event['taskStatus'] === 'TASK_RUNNING'));
    expect(await container()).toMatchObject({
      conditions: [{ name: 'healthy', value: 'false', reason: 'health-unreported-by-mesos' }],
    });
    const id = marathon.events.find((event) => event.eventType === 'status_update_event')?.['taskId'];
    marathon.setHealth(String(id), true);
    await created;
    expect(await container()).toMatchObject({
      conditions: [{ name: 'healthy', value: 'true', reason: 'health-reported-by-mesos' }],
      endpoints: [{ name: 'mqtt', healthy: true }],
    });
  });
});
