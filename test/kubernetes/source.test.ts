import { expect, test } from '@jest/globals';
import { ENDPOINT_SLICES, MARATHON_APPS } from '../../controller/kubernetes/resources.ts';
import { kubernetesSource } from '../../controller/source/kubernetes/source.ts';
import { translator } from '../controller/desired/support.ts';
import { TestListener } from '../controller/source/support.ts';
import { nothingRemembered } from '../support/builders.ts';
import {
  apply,
  client,
  inBackground,
  marathonApp,
  namespace,
  never,
  remove,
  slice,
  until,
  useCluster,
} from './cluster.ts';

useCluster();

const WEB = {
  id: '/web',
  networks: [{ mode: 'container/bridge' }],
  container: { portMappings: [{ name: 'http', containerPort: 8080, labels: { VIP_0: '/web:80' } }] },
};
const HTTP = [{ name: 'http', port: 8080 }];

function source() {
  return kubernetesSource(client, { context: '', namespace });
}

/** Follows from the first read on. */
async function followed(): Promise<TestListener> {
  const listener = new TestListener();
  inBackground((signal) => source().follow(listener, signal));
  await until('the first read', () => listener.snapshots.length > 0);
  return listener;
}

/** `10.0.0.1:8080 1` for each backend of all VIPs, sorted: address, port and weight. */
function backends(listener: TestListener): string[] {
  const { services } = translator()(listener.last, nothingRemembered);
  return [...services.values()]
    .flatMap((service) =>
      [...service.backends.values()].map((each) => `${each.address}:${each.port} ${each.weight}`),
    )
    .sort();
}

test('a MarathonApp and the endpoints of its Service make a VIP with backends', async () => {
  await marathonApp('web', WEB);
  await slice('web-1', 'web', HTTP, [
    { address: '10.1.0.1', target: 'web-a' },
    { address: '10.1.0.2', target: 'web-b' },
  ]);
  const snapshot = await source().read(never);
  const { services, declared, rejected } = translator()(snapshot, nothingRemembered);

  expect(rejected).toEqual([]);
  expect(declared).toMatchObject([
    { app: '/web', name: 'web', framework: 'marathon', protocol: 'tcp', port: 80, backends: 2 },
  ]);
  const [service] = [...services.values()];
  expect([...(service?.backends.keys() ?? [])].sort()).toEqual(['10.1.0.1:8080', '10.1.0.2:8080']);
  expect(
    [...(service?.backends.values() ?? [])].map(({ task, reason }) => `${task}: ${reason}`).sort(),
  ).toEqual(['web-a: running, healthy', 'web-b: running, healthy']);
});

test('endpoints come, turn unready, terminate and go', async () => {
  await marathonApp('web', WEB);
  const listener = await followed();
  expect(backends(listener)).toEqual([]);

  await slice('web-1', 'web', HTTP, [{ address: '10.1.0.1', target: 'a' }]);
  await until('it is there', () => backends(listener).join() === '10.1.0.1:8080 1');
  await slice('web-1', 'web', HTTP, [{ address: '10.1.0.1', target: 'a', ready: false }]);
  await until('it gets no more', () => backends(listener).join() === '10.1.0.1:8080 0');
  await slice('web-1', 'web', HTTP, [
    { address: '10.1.0.1', target: 'a', ready: false, serving: true, terminating: true },
    { address: '10.1.0.2', target: 'b' },
  ]);
  await until('it drains', () => backends(listener).join() === '10.1.0.1:8080 0,10.1.0.2:8080 1');
  expect(listener.app('/web')?.tasks.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'a killing',
    'b running',
  ]);
  await slice('web-1', 'web', HTTP, [{ address: '10.1.0.2', target: 'b' }]);
  await until('it is gone', () => backends(listener).join() === '10.1.0.2:8080 1');
  await remove(ENDPOINT_SLICES, 'web-1');
  await until('all are gone', () => backends(listener).length === 0);
  expect(listener.errors).toEqual([]);
});

test('a MarathonApp changes and goes, and another one stays the same object', async () => {
  await marathonApp('web', WEB);
  await marathonApp('db', { ...WEB, id: '/db' });
  await slice('web-1', 'web', HTTP, [{ address: '10.1.0.1' }]);
  const listener = await followed();
  const db = listener.app('/db');
  expect(db).toBeDefined();

  await marathonApp('web', {
    ...WEB,
    container: { portMappings: [{ containerPort: 8080, labels: { VIP_0: '/web:81' } }] },
  });
  await until('the VIP has changed', () =>
    translator()(listener.last, nothingRemembered).declared.some(({ port }) => port === 81),
  );
  await remove(MARATHON_APPS, 'web');
  await until('the app is gone', () => listener.app('/web') === undefined);
  expect(listener.app('/db')).toBe(db);
});

test('the framework of the object is in the name', async () => {
  await marathonApp('web', WEB, { framework: 'marathon-dev' });
  const { apps } = await source().read(never);
  expect(apps.map(({ id, framework }) => `${framework} ${id}`)).toEqual(['marathon-dev /web']);
});

test('a selector finds EndpointSlices that belong to no Service', async () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['test'] }],
  };
  await marathonApp('web', WEB, { endpoints: { selector } });
  const one = (name: string, labels: object, address: string) =>
    apply(ENDPOINT_SLICES, name, {
      metadata: { labels },
      addressType: 'IPv4',
      ports: HTTP,
      endpoints: [{ addresses: [address] }],
    });
  await one('fits', { app: 'web' }, '10.1.0.1');
  await one('does-not', { app: 'web', tier: 'test' }, '10.1.0.2');
  const { apps } = await source().read(never);
  expect(apps[0]?.tasks.map(({ id }) => id)).toEqual(['10.1.0.1']);
});

test('both families of a target are one task', async () => {
  await marathonApp('web', WEB);
  await slice('web-4', 'web', HTTP, [{ address: '10.1.0.1', target: 'a' }]);
  await slice('web-6', 'web', HTTP, [{ address: 'fd00::1', target: 'a' }]);
  const { apps } = await source().read(never);
  expect(apps[0]?.tasks.map(({ ports }) => ports[0]?.endpoints)).toEqual([
    [
      { address: '10.1.0.1', port: 8080 },
      { address: 'fd00::1', port: 8080 },
    ],
  ]);
});

test('the server itself refuses what cannot be meant, and says why', async () => {
  const refused = (spec: object) => expect(apply(MARATHON_APPS, 'bad', { spec })).rejects;
  await refused({ app: WEB }).toThrow(/endpoints/);
  await refused({ endpoints: { service: 'web' } }).toThrow(/exactly one of app, pod and relayed/);
  await refused({ app: WEB, endpoints: {} }).toThrow(/exactly one of service and selector/);
  await refused({ app: WEB, endpoints: { selector: {} } }).toThrow(/expected at least one label/);
  await refused({ app: { ...WEB, ports: ['80'] }, endpoints: { service: 'web' } }).toThrow(
    /spec\.app\.ports\[0\]/,
  );
});

test('fields of a definition that nobody lists are kept', async () => {
  const app = { ...WEB, cmd: 'run', env: { A: 'b' }, constraints: [['hostname', 'UNIQUE']] };
  await marathonApp('web', app);
  const path = `/apis/marathon-ipvs.io/v1alpha1/namespaces/${namespace}/marathonapps/web`;
  expect(await client.call('GET', path, {}, never)).toMatchObject({ spec: { app } });
});

test('a definition that the server lets pass and no one can use is rejected by name', async () => {
  await marathonApp('web', { ...WEB, networks: [{ mode: 'tunnel' }] });
  const { apps, rejected } = await source().read(never);
  expect([...apps.flatMap((app) => app.rejected), ...rejected]).toMatchObject([
    { app: '/web', at: 'networks[0].mode', value: 'tunnel' },
  ]);
});
