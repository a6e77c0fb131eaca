import { expect, test } from '@jest/globals';
import { collectionPath, MARATHON_APPS, objectPath } from '../../controller/kubernetes/resources.ts';
import { apply, client, get, list, namespace, never, useCluster } from './cluster.ts';

/** What this project relies on of an API server, so that a real one and the stand-in are held to the same. */

useCluster();

const SPEC = { app: { id: '/web', cmd: 'run' }, endpoints: { service: 'web' } };
const path = () => objectPath(MARATHON_APPS, { namespace, name: 'web' });

function patch(at: string, fields: object, fieldManager: string, force = false): Promise<unknown> {
  const body = {
    apiVersion: 'marathon-ipvs.io/v1alpha1',
    kind: 'MarathonApp',
    metadata: { name: 'web' },
    ...fields,
  };
  const query = { fieldManager, force };
  return client.call('PATCH', at, { query, body, contentType: 'application/apply-patch+yaml' }, never);
}

test('an object that is applied unchanged keeps its version', async () => {
  await apply(MARATHON_APPS, 'web', { spec: SPEC });
  const before = await get(MARATHON_APPS, 'web');
  await apply(MARATHON_APPS, 'web', { spec: SPEC });
  expect(await get(MARATHON_APPS, 'web')).toEqual(before);
});

test("another manager's field is a conflict, unless it is forced", async () => {
  await apply(MARATHON_APPS, 'web', { spec: { ...SPEC, framework: 'a' } });
  const change = { spec: { framework: 'b' } };
  await expect(patch(path(), change, 'other')).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
  await patch(path(), change, 'other', true);
  expect((await get(MARATHON_APPS, 'web')).spec).toEqual({ ...SPEC, framework: 'b' });
});

test('a field that its manager leaves out goes, and those of others stay', async () => {
  await apply(MARATHON_APPS, 'web', { spec: { ...SPEC, framework: 'a' } });
  await patch(path(), { metadata: { name: 'web', labels: { team: 'x' } } }, 'other');
  await apply(MARATHON_APPS, 'web', { spec: SPEC });
  const { spec, metadata } = await get(MARATHON_APPS, 'web');
  expect(spec).toEqual(SPEC);
  expect(metadata.labels).toEqual({ team: 'x' });
});

test('the status is written by its own path only, and counts no generation', async () => {
  await apply(MARATHON_APPS, 'web', { spec: SPEC });
  await patch(path(), { status: { vip: 'by the wrong way' } }, 'status', true).catch(() => undefined);
  expect((await get(MARATHON_APPS, 'web')).status).toBeUndefined();
  await patch(`${path()}/status`, { status: { vip: 'web:80' } }, 'status', true);
  const { status, metadata, spec } = await get(MARATHON_APPS, 'web');
  expect({ status, generation: metadata.generation, spec }).toEqual({
    status: { vip: 'web:80' },
    generation: 1,
    spec: SPEC,
  });
});

test('an update of an old version, a second creation and a delete of another object are refused', async () => {
  await apply(MARATHON_APPS, 'web', { spec: SPEC });
  const old = await get(MARATHON_APPS, 'web');
  await apply(MARATHON_APPS, 'web', { spec: { ...SPEC, framework: 'a' } });
  await expect(client.call('PUT', path(), { body: old }, never)).rejects.toMatchObject({ status: 409 });
  const { apiVersion, kind } = old;
  const again = { apiVersion, kind, metadata: { name: 'web', namespace }, spec: SPEC };
  const create = client.call('POST', collectionPath(MARATHON_APPS, namespace), { body: again }, never);
  await expect(create).rejects.toMatchObject({ status: 409, reason: 'AlreadyExists' });
  const preconditions = { uid: '00000000-0000-0000-0000-000000000000' };
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions };
  await expect(client.call('DELETE', path(), { body }, never)).rejects.toMatchObject({ status: 409 });
});

test('a list comes in pages of one version, and a selector chooses', async () => {
  for (let i = 0; i < 5; i += 1) {
    await apply(MARATHON_APPS, `app-${i}`, {
      metadata: { labels: { odd: String(i % 2 === 1) } },
      spec: SPEC,
    });
  }
  const at = collectionPath(MARATHON_APPS, namespace);
  const names: string[] = [];
  const versions = new Set<string>();
  for (let next: string | undefined = ''; next !== undefined; ) {
    const query = { limit: 2, ...(next !== '' && { continue: next }) };
    const page = (await client.call('GET', at, { query }, never)) as Awaited<ReturnType<typeof get>>;
    names.push(...page.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name));
    versions.add(page.metadata.resourceVersion);
    next = page.metadata.continue || undefined;
  }
  expect(names).toEqual((await list(MARATHON_APPS)).map(({ metadata }) => metadata.name));
  expect([names.length, versions.size]).toEqual([5, 1]);
  const odd = (await client.call('GET', at, { query: { labelSelector: 'odd=true' } }, never)) as {
    items: object[];
  };
  expect(odd.items).toHaveLength(2);
});

test('a watch tells what came after its version, and in which order', async () => {
  await apply(MARATHON_APPS, 'web', { spec: SPEC });
  const { metadata } = await get(MARATHON_APPS, 'web');
  await apply(MARATHON_APPS, 'web', { spec: { ...SPEC, framework: 'a' } });
  await client.call('DELETE', path(), {}, never);
  const query = { resourceVersion: metadata.resourceVersion, timeoutSeconds: 2 };
  const events = await client.watch(collectionPath(MARATHON_APPS, namespace), query, 10_000, never);
  const types: string[] = [];
  for await (const { type } of events) types.push(type);
  expect(types).toEqual(['MODIFIED', 'DELETED']);
});
