import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from './marathon/json.ts';
import { call, EXAMPLE, SIMULATED, start } from './marathon-harness.ts';

describe('what it answers', () => {
  test('an app is created with 201, its whole definition, its deployment and where it lies', async () => {
    const marathon = await start({ processes: false });
    const { status, headers, json } = await call(marathon, 'POST', '/v2/apps', EXAMPLE);

    expect(status).toBe(201);
    expect(headers.get('location')).toBe('/v2/apps/my-service');
    expect(json.deployments).toEqual([{ id: headers.get('marathon-deployment-id') }]);
    expect(json).toMatchObject({
      id: '/my-service',
      instances: 1,
      networks: [{ mode: 'host' }],
      requirePorts: false,
    });
    expect(headers.get('x-marathon-leader')).toBe(marathon.url);
  });

  test('a running task has a host, one port for each port definition, and the version of its app', async () => {
    const marathon = await start({ processes: false, agents: [{ hostname: '10.0.0.7' }] });
    await marathon.addApp({ ...EXAMPLE, instances: 2 });
    const { json } = await call(marathon, 'GET', '/v2/apps?embed=apps.tasks');

    const [app] = json.apps;
    expect(app).toMatchObject({ tasksRunning: 2, tasksStaged: 0, tasksHealthy: 0, deployments: [] });
    expect(app.tasks).toHaveLength(2);
    expect(app.tasks[0]).toMatchObject({
      appId: '/my-service',
      host: '10.0.0.7',
      state: 'TASK_RUNNING',
      version: app.version,
      ports: [expect.any(Number)],
    });
    expect(app.tasks[0].id).toMatch(/^my-service\.instance-[-0-9a-f]{36}\._app\.1$/);
    expect(app.tasks[0]).not.toHaveProperty('healthCheckResults');
  });

  test.each<[string, JsonObject, JsonObject]>([
    [
      'ports',
      { ports: [7001] },
      { networks: [{ mode: 'host' }], portDefinitions: [{ port: 7001, protocol: 'tcp' }] },
    ],
    [
      'docker BRIDGE',
      { container: { docker: { image: 'x', network: 'BRIDGE', portMappings: [{ containerPort: 80 }] } } },
      {
        networks: [{ mode: 'container/bridge' }],
        container: { portMappings: [{ containerPort: 80, hostPort: 0, protocol: 'tcp' }] },
      },
    ],
    [
      'docker USER',
      {
        ipAddress: { networkName: 'dcos' },
        container: { docker: { image: 'x', network: 'USER', portMappings: [{ containerPort: 80 }] } },
      },
      {
        networks: [{ mode: 'container', name: 'dcos' }],
        container: { portMappings: [{ containerPort: 80 }] },
      },
    ],
    [
      'ipAddress with discovery ports',
      {
        container: {},
        ipAddress: { discovery: { ports: [{ number: 8080, name: 'web', protocol: 'tcp' }] } },
      },
      {
        networks: [{ mode: 'container' }],
        container: { portMappings: [{ containerPort: 8080, name: 'web' }] },
      },
    ],
    [
      'uris and no ports at all',
      { uris: ['http://x/y'] },
      { fetch: [{ uri: 'http://x/y' }], portDefinitions: [{ name: 'default' }] },
    ],
  ])('the old form %s is answered in the form of 1.5', async (_, old, expected) => {
    const marathon = await start({ processes: false });
    const app = await marathon.addApp({ id: '/old', instances: 0, ...old });
    expect(app).toMatchObject(expected);
    for (const gone of ['ports', 'ipAddress', 'uris']) expect(app).not.toHaveProperty(gone);
  });

  test('a task lists only host ports, in the order of the mappings that have one', async () => {
    const marathon = await start({ processes: false });
    const portMappings = [
      { containerPort: 80 },
      { containerPort: 90, hostPort: 0 },
      { containerPort: 91, hostPort: 9191 },
    ];
    await marathon.addApp({
      id: '/own',
      networks: [{ mode: 'container', name: 'dcos' }],
      container: { portMappings },
    });
    const [task] = marathon.tasks('/own');
    expect(task?.['ports']).toEqual([expect.any(Number), 9191]);
    expect(task?.['ipAddresses']).toEqual([{ ipAddress: expect.stringMatching(/^9\./), protocol: 'IPv4' }]);
  });

  test.each<[string, string, string, unknown, number, unknown]>([
    [
      'a second app of that id',
      'POST',
      '/v2/apps',
      SIMULATED,
      409,
      { message: 'An app with id [/my-service] already exists.' },
    ],
    ['an unknown app', 'GET', '/v2/apps/nobody', undefined, 404, { message: "App '/nobody' does not exist" }],
    ['an unknown route', 'GET', '/v3/apps', undefined, 500, { message: 'URI not found' }],
    ['no JSON', 'POST', '/v2/apps', '{', 400, { message: 'Invalid JSON', details: expect.any(String) }],
    [
      'a text for a number',
      'POST',
      '/v2/apps',
      { id: '/x', cmd: 'true', instances: 'two' },
      400,
      { message: 'Invalid JSON', details: [{ path: '/instances', errors: ['error.expected.jsnumber'] }] },
    ],
    [
      'a port out of range',
      'POST',
      '/v2/apps',
      { id: '/x', cmd: 'true', portDefinitions: [{ port: 70_000 }] },
      422,
      {
        message: 'Object is not valid',
        details: [{ path: '/portDefinitions(0)/port', errors: [expect.any(String)] }],
      },
    ],
    [
      'old and new networking at once',
      'POST',
      '/v2/apps',
      { id: '/x', cmd: 'true', networks: [{ mode: 'host' }], ipAddress: {} },
      422,
      expect.objectContaining({ message: 'Object is not valid' }),
    ],
  ])('%s is answered as Marathon does', async (_, method, path, body, status, expected) => {
    const marathon = await start({ processes: false });
    await marathon.addApp(SIMULATED);
    const reply = await call(marathon, method, path, body);
    expect({ status: reply.status, body: reply.json }).toEqual({ status, body: expected });
  });

  test('a write to an app that is being deployed is refused with the deployment, and accepted with force', async () => {
    const marathon = await start({ processes: false, startMs: 60_000 });
    const { headers } = await call(marathon, 'POST', '/v2/apps', SIMULATED);
    const refused = await call(marathon, 'PUT', '/v2/apps/my-service', { instances: 2 });
    expect(refused.status).toBe(409);
    expect(refused.json.deployments).toEqual([{ id: headers.get('marathon-deployment-id') }]);

    expect((await call(marathon, 'PUT', '/v2/apps/my-service?force=true', { instances: 2 })).status).toBe(
      200,
    );
    expect(marathon.events.map((event) => event.eventType)).toContain('deployment_failed');
    expect((await call(marathon, 'GET', '/v2/deployments')).json).toHaveLength(1);
  });

  test('the answer is compressed when asked for, and says who leads', async () => {
    const marathon = await start({ processes: false });
    await marathon.addApp(SIMULATED);
    const response = await fetch(`${marathon.url}/v2/apps`, { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.json()).toMatchObject({ apps: [{ id: '/my-service' }] });
    expect((await call(marathon, 'GET', '/v2/leader')).json).toEqual({ leader: new URL(marathon.url).host });
    expect((await call(marathon, 'GET', '/ping')).text).toBe('pong\n');
    expect((await call(marathon, 'GET', '/v2/info')).json).toMatchObject({
      name: 'marathon',
      elected: true,
      marathon_config: { framework_name: 'marathon' },
    });
  });

  test('groups nest by id, with apps and pods where they belong', async () => {
    const marathon = await start({ processes: false });
    await marathon.addApp({ ...SIMULATED, id: '/shop/front/web', instances: 0 });
    await marathon.addPod({ id: '/shop/cart', containers: [{ name: 'c' }], scaling: { instances: 0 } });
    expect((await call(marathon, 'GET', '/v2/groups')).json).toMatchObject({
      id: '/',
      groups: [
        {
          id: '/shop',
          pods: [{ id: '/shop/cart' }],
          groups: [{ id: '/shop/front', apps: [{ id: '/shop/front/web' }] }],
        },
      ],
    });
  });

  test('apps are filtered by id and by label', async () => {
    const marathon = await start({ processes: false });
    await marathon.addApp({ ...SIMULATED, id: '/a', instances: 0, labels: { tier: 'web' } });
    await marathon.addApp({ ...SIMULATED, id: '/b', instances: 0, labels: { tier: 'db' } });
    const ids = async (query: string) => {
      const { json } = await call(marathon, 'GET', `/v2/apps?${query}`);
      return json.apps.map((app: JsonObject) => app['id']);
    };
    expect(await ids('label=tier==web')).toEqual(['/a']);
    expect(await ids('label=tier+in+(db,x)')).toEqual(['/b']);
    expect(await ids('label=tier!=db')).toEqual(['/a']);
    expect(await ids('id=b')).toEqual(['/b']);
  });
});
