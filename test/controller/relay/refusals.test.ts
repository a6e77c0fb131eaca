import { expect, test } from '@jest/globals';
import { objectName } from '../../../controller/kubernetes/object-name.ts';
import { apiVersion, collectionPath, MARATHON_APPS } from '../../../controller/kubernetes/resources.ts';
import { app, port, snapshot, task, web } from '../../support/builders.ts';
import type { PolicyRule } from '../../support/kubernetes/access.ts';
import type { RequestInfo } from '../../support/kubernetes/faults.ts';
import type { TestKubernetes } from '../../support/kubernetes/start-kubernetes.ts';
import { clientOf, removeApp, startServer } from '../source/kubernetes/setup.ts';
import { until } from '../source/support.ts';
import { relaying } from './relaying.ts';

const slices = (server: TestKubernetes) => server.operations.storage.all('discovery.k8s.io/endpointslices');
const apps = (server: TestKubernetes) => server.operations.storage.all('marathon-ipvs.io/marathonapps');
const addresses = (server: TestKubernetes) =>
  slices(server)
    .flatMap((slice) => slice['endpoints'] as unknown as { addresses: string[] }[])
    .flatMap((endpoint) => endpoint.addresses)
    .sort();

/** A quota on the number of EndpointSlices: existing ones may change. */
const QUOTA = {
  status: 403,
  body: {
    kind: 'Status',
    reason: 'Forbidden',
    message: 'exceeded quota: slices, requested: 1, used: 1, limited: 1',
  },
};
const INVALID = { status: 422, body: { kind: 'Status', reason: 'Invalid', message: 'spec: Invalid value' } };
const writesASlice = ({ method, path }: RequestInfo) =>
  method === 'PATCH' && path.includes('/endpointslices/');

const labelled = (labels: Readonly<Record<string, string>>, ...at: readonly string[]) => {
  const tasks = at.map((address) =>
    task(`t-${address}`, [{ ...port(labels), endpoints: [{ address, port: 80 }] }]),
  );
  return snapshot(app('/web', { ports: [port(labels)], tasks }));
};

test('the old slices of an app stay while its new ones are refused', async () => {
  const server = await startServer();
  const { say, health } = await relaying(server, labelled({ VIP_0: 'web:80' }, '10.0.0.1', '10.0.0.2'));
  await until('it is published', () => slices(server).length === 1);
  const [before] = slices(server).map(({ metadata }) => metadata.name);
  server.faults.next(writesASlice, QUOTA, 1_000);
  // Another list of ports gives slices with other names.
  say(labelled({ VIP_0: 'web:80', IPVS_WEIGHT: '2' }, '10.0.0.1', '10.0.0.3'));
  await until(
    'they are refused again and again',
    () => server.requests.filter(({ status }) => status === 403).length > 2,
  );
  expect(addresses(server)).toEqual(['10.0.0.1', '10.0.0.2']);
  await until('the failure is reported', () => health.ready().text.startsWith('cannot publish: '));

  server.faults.clear();
  await until('they are taken', () => slices(server).every(({ metadata }) => metadata.name !== before));
  expect(addresses(server)).toEqual(['10.0.0.1', '10.0.0.3']);
});

test('an app whose new MarathonApp is refused keeps the slices of the old one', async () => {
  const server = await startServer();
  const { say, health } = await relaying(server, labelled({ VIP_0: 'web:80' }, '10.0.0.1'));
  await until('it is published', () => slices(server).length === 1);
  const [before] = slices(server).map(({ metadata }) => metadata.name);
  server.faults.next(
    ({ method, path }) => method === 'PATCH' && path.includes('/marathonapps/'),
    INVALID,
    1_000,
  );
  say(labelled({ VIP_0: 'web:81' }, '10.0.0.1'));
  await until('the new slice is there', () => slices(server).length === 2);
  await until('it is refused again', () => server.requests.filter(({ status }) => status === 422).length > 1);
  expect(slices(server).map(({ metadata }) => metadata.name)).toContain(before);
  // One app that the server refuses says nothing about others.
  expect(health.ready()).toMatchObject({ ok: true });
  server.faults.clear();
  await until('the old one goes', () => slices(server).length === 1);
});

test('slices name their manager and are owned by their MarathonApp', async () => {
  const server = await startServer();
  await relaying(server, snapshot(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1')));
  await until('it is published', () => slices(server).length === 1);
  const [owner] = apps(server);
  const [slice] = slices(server);
  expect(slice?.metadata['ownerReferences']).toEqual([
    {
      apiVersion: 'marathon-ipvs.io/v1alpha1',
      kind: 'MarathonApp',
      name: owner?.metadata.name,
      uid: owner?.metadata.uid,
      controller: true,
    },
  ]);
  for (const object of [owner, slice])
    expect(object?.metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'marathon-ipvs-relay' });
  // Deleted by hand: both are created again, and the new object owns the slice.
  removeApp(server, owner?.metadata.name ?? '');
  expect(slices(server)).toEqual([]);
  await until('both are there again', () => apps(server).length === 1 && slices(server).length === 1);
  await until('it belongs to the new one', () =>
    JSON.stringify(slices(server)[0]?.metadata['ownerReferences']).includes(
      apps(server)[0]?.metadata.uid ?? '-',
    ),
  );
});

test('a relay that cannot publish is not ready, and says why', async () => {
  const server = await startServer();
  server.faults.next(({ method, path }) => method === 'PATCH' && !path.includes('/leases'), QUOTA, 1_000);
  const { health } = await relaying(server, snapshot(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1')));
  await until('it says so', () => !health.ready().ok && health.ready().text.includes('quota'));
  expect(health.ready().text).toMatch(/^cannot publish: PATCH \S+: answered 403 "exceeded quota/);
  server.faults.clear();
  await until('it is ready', () => health.ready().ok && slices(server).length === 1);
});

test('a relay whose Lease is forbidden is not ready, and names the Lease', async () => {
  const rules: PolicyRule[] = [
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: ['another'], verbs: ['get'] },
  ];
  const server = await startServer({ tokens: new Map([['relay', rules]]) });
  const { health } = await relaying(server, snapshot(), { token: 'relay' });
  await until('it says so', () => !health.ready().ok);
  expect(health.ready().text).toMatch(/^cannot publish: .*marathon-ipvs-relay-default: answered 403/);
});

test('a relay whose namespace is missing is not ready, and names it', async () => {
  const server = await startServer();
  const missing = { reason: 'NotFound', message: 'namespaces "default" not found' };
  server.faults.next(
    ({ method, path }) => method === 'PATCH' && !path.includes('/leases'),
    { status: 404, body: { kind: 'Status', ...missing } },
    1_000,
  );
  const { health } = await relaying(server, snapshot(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1')));
  await until('it says so', () => !health.ready().ok && health.ready().text.includes('namespaces'));
  server.faults.clear();
  await until('it is ready', () => health.ready().ok && slices(server).length === 1);
});

test('a relay that cannot read what an earlier one published is not ready, and writes nothing', async () => {
  const server = await startServer();
  const kinds: string[] = [];
  // Only the first read of everything fails; the lists and watches of its own objects work.
  const isFirstRead = ({ method, path, watch }: RequestInfo) => {
    if (method !== 'GET' || watch || !path.endsWith('/endpointslices')) return false;
    kinds.push(path);
    return kinds.length > 1;
  };
  server.faults.next(isFirstRead, { status: 500, body: { kind: 'Status', message: 'broken' } }, 1_000);
  const { health } = await relaying(server, snapshot(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1')));
  await until('it says so', () => !health.ready().ok && health.ready().text.includes('broken'));
  expect(apps(server)).toEqual([]);
  server.faults.clear();
  await until('it is ready', () => health.ready().ok && slices(server).length === 1);
});

test("an object of the same name that is someone else's is left alone, and takes no other app down", async () => {
  const server = await startServer();
  const { storage } = server.operations;
  const client = await clientOf(server);
  const path = collectionPath(MARATHON_APPS, 'default');
  const mine = web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1');
  const name = objectName(mine);
  const body = {
    apiVersion: apiVersion(MARATHON_APPS),
    kind: MARATHON_APPS.kind,
    metadata: { name, namespace: 'default' },
    spec: { app: { id: '/a' }, endpoints: { service: 'a' } },
  };
  await client.call('POST', path, { body, query: { fieldManager: 'someone' } }, AbortSignal.timeout(5_000));
  const before = storage.all('marathon-ipvs.io/marathonapps');

  const { health, say } = await relaying(server, snapshot(mine, web('/b', { VIP_0: 'b:80' }, '10.0.0.2:1')));
  await until('the other app is published', () => addresses(server).includes('10.0.0.2'));
  say(snapshot(web('/b', { VIP_0: 'b:80' }, '10.0.0.3:1')));
  await until('it goes on', () => addresses(server).includes('10.0.0.3'));
  expect(storage.all('marathon-ipvs.io/marathonapps').find(({ metadata }) => metadata.name === name)).toEqual(
    before[0],
  );
  expect(addresses(server)).not.toContain('10.0.0.1');
  expect(health.ready().ok).toBe(true);
});
