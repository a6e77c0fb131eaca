/** What --kubernetes makes of mistakes and of what an API server refuses; the rest is in test/kubernetes/apps.test.ts. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { objectName } from '../../../../../controller/kubernetes/object-name.ts';
import { startKubernetes, type TestKubernetes } from '../../../../support/kubernetes/start-kubernetes.ts';
import type { KubeObject } from '../../../../support/kubernetes/types.ts';
import { startServer, useKubeconfig, write, writeApp, writeSlice } from '../../../source/kubernetes/setup.ts';
import { fastClock } from '../../../source/support.ts';
import { type Said, type Typing, typeLine } from './commanding.ts';

const APPS = 'marathon-ipvs.io/marathonapps';
const definition = (fields: object = {}) => ({ id: '/web', cmd: 'run', ...fields });
const labelled = (VIP_0: string) => ({
  networks: [{ mode: 'container' }],
  container: { portMappings: [{ containerPort: 8080, labels: { VIP_0 } }] },
});
const manifest = (spec: object, metadata: object = {}) => ({
  apiVersion: 'marathon-ipvs.io/v1alpha1',
  kind: 'MarathonApp',
  metadata: { name: 'web', ...metadata },
  spec: { endpoints: { service: 'web' }, ...spec },
});

let server: TestKubernetes;
beforeEach(async () => {
  server = await startServer();
  useKubeconfig(server);
});

const clock = fastClock(20);
const type = (words: readonly string[], input: unknown = '', typing: Typing = {}): Promise<Said> =>
  typeLine([...words, '--kubernetes'], {
    input: typeof input === 'string' ? input : JSON.stringify(input),
    clock,
    ...typing,
  });
const add = (input: unknown, typing: Typing = {}) =>
  type(['app', 'add', '--no-wait', '--endpoints', 'web'], input, typing);
const stored = () => server.operations.storage.all(APPS);
const isPut = ({ method }: { method: string }) => method === 'PUT';
const answer = (status: number, reason: string, message: string, details: object = {}) => ({
  status,
  body: { kind: 'Status', status: 'Failure', code: status, reason, message, details },
});

describe('sends no request, and names path and mistake', () => {
  const only = 'nothing was sent to the API server: 1 mistake';
  test.each([
    ['no JSON', '{"id": "/a",\n', 'standard input: not JSON: line 2, column 1: '],
    ['no YAML', 'id: /a\n cpus: 1\n', 'standard input: not valid YAML: '],
    ['two documents', 'id: /a\n---\nid: /b\n', 'standard input: expected one document, not 2'],
    ['nothing', '', 'standard input: it is empty'],
    ['text', 'web', 'standard input = "web": expected one app'],
    ['no id', { cmd: 'x' }, 'standard input: id = "nothing": expected text'],
    [
      'a type',
      definition({ networks: [{ mode: 'hots' }] }),
      '/web: networks[0].mode = "hots": expected one of',
    ],
    [
      'a label without a port',
      definition(labelled('/web')),
      '/web: container.portMappings[0].labels.VIP_0 = "/web": expected NAME:PORT or IP:PORT',
    ],
  ])('of a definition: %s', async (_name, input, expected) => {
    const said = await add(input);
    expect(said).toMatchObject({ status: 2, out: '' });
    expect([said.complaints[0], said.complaints.at(-1)]).toEqual([expect.stringContaining(expected), only]);
    expect(server.requests).toEqual([]);
  });

  test.each([
    [
      'another kind',
      { ...manifest({ app: definition() }), kind: 'Deployment' },
      'standard input: kind = "Deployment": expected MarathonApp',
    ],
    [
      'another version',
      { ...manifest({}), apiVersion: 'v1' },
      'apiVersion = "v1": expected marathon-ipvs.io/v1alpha1',
    ],
    [
      'a label without a port',
      manifest({ app: definition(labelled('/web')) }),
      '/web: spec.app.container.portMappings[0].labels.VIP_0 = "/web": expected NAME:PORT',
    ],
    [
      'a type',
      manifest({ app: definition({ ports: 'x' }) }),
      '/web: spec.app.ports = "x": expected a list, got text',
    ],
    [
      'a field',
      manifest({ app: definition(), endpoint: {} }),
      'spec.endpoint = "{}": unknown field, expected framework, endpoints, app, pod',
    ],
    [
      'no endpoints',
      manifest({ app: definition(), endpoints: {} }),
      '/web: spec.endpoints: expected exactly one of service and selector',
    ],
    [
      'a pod',
      manifest({ pod: { id: '/p', containers: [] } }),
      'spec: expected spec.app; this is a MarathonApp with spec.pod',
    ],
    [
      "a relay's",
      manifest({ relayed: {} }),
      'spec.relayed = "{}": only a relay writes spec.relayed, expected app or pod',
    ],
    [
      "a relay's label",
      manifest({ app: definition() }, { labels: { 'marathon-ipvs.io/relay': 'default' } }),
      'metadata.labels["marathon-ipvs.io/relay"] = "default": only a relay writes this label',
    ],
    [
      'another namespace',
      manifest({ app: definition() }, { namespace: 'shop' }),
      '/web: metadata.namespace = "shop": --kubernetes-namespace is default',
    ],
  ])('of a MarathonApp: %s', async (_name, input, expected) => {
    const said = await type(['app', 'add', '--no-wait', '--kubernetes-namespace', 'default'], input);
    expect(said).toMatchObject({ status: 2, out: '' });
    expect([said.complaints[0], said.complaints.at(-1)]).toEqual([expect.stringContaining(expected), only]);
    expect(server.requests).toEqual([]);
  });

  test('endpoints and names that are missing, or given twice', async () => {
    const neither = await type(['app', 'add', '--no-wait'], definition());
    expect(neither.complaints[0]).toMatch(
      /^standard input: no endpoints are given, expected --endpoints SERVICE/,
    );
    const both = await add(manifest({ app: definition() }));
    expect(both.complaints[0]).toMatch(
      /: spec\.endpoints: a MarathonApp has endpoints of its own, expected no --endpoints$/,
    );
  });

  test.each([
    ['{"instances": 2,\n', 'standard input: not JSON: line 2'],
    ['{"instances": 2, "instances": 3}', 'standard input: instances = "3": this key occurs more than once'],
    ['[1]', '/web = "[1]": expected an object with the fields that change, or a MarathonApp'],
  ])('of an update: %s', async (input, expected) => {
    const said = await type(['app', 'update', 'web', '--no-wait'], input);
    expect([said.complaints[0], said.complaints.at(-1)]).toEqual([expect.stringContaining(expected), only]);
    expect(server.requests).toEqual([]);
  });

  test('of an update: another id, and another object', async () => {
    writeApp(server, 'web');
    const update = (input: unknown) => type(['app', 'update', 'web', '--no-wait'], input);
    const worse = await update(definition(labelled('x:70000')));
    expect(worse.complaints[0]).toContain(
      '/web: container.portMappings[0].labels.VIP_0 = "x:70000": expected',
    );
    expect((await update({ id: '/other' })).complaints).toEqual([
      'update /web: the definition has the id /other, and an id cannot be changed',
    ]);
    expect((await update(manifest({ app: definition() }, { name: 'other' }))).complaints[0]).toBe(
      '/web: metadata.name = "other": the app is MarathonApp default/web, expected its name',
    );
    expect(stored()[0]?.metadata.generation).toBe(1);
  });
});

describe('refusals of the API server are printed in its words, with advice', () => {
  const forbidden = 'marathonapps.marathon-ipvs.io is forbidden: User "jane" cannot create resource';
  test.each([
    [
      'an object of that name',
      answer(409, 'AlreadyExists', 'marathonapps.marathon-ipvs.io "web" already exists'),
      ['add /web: marathonapps.marathon-ipvs.io "web" already exists; app update changes it'],
    ],
    [
      'no right',
      answer(403, 'Forbidden', forbidden),
      [`add /web: ${forbidden}; deploy/kubernetes/samples/roles.yaml has a role that may`],
    ],
    [
      'fields',
      answer(
        422,
        'Invalid',
        'MarathonApp.marathon-ipvs.io "web" is invalid: [spec.framework: Too long: may not be more than 255 bytes, …]',
        {
          causes: [
            {
              reason: 'FieldValueTooLong',
              field: 'spec.framework',
              message: 'Too long: may not be more than 255 bytes',
            },
            { reason: 'FieldValueInvalid', message: 'of the whole' },
          ],
        },
      ),
      [
        'add /web: the API server rejected it: MarathonApp.marathon-ipvs.io "web" is invalid',
        '  spec.framework: Too long: may not be more than 255 bytes',
        '  of the whole',
      ],
    ],
    [
      'strict decoding',
      answer(400, 'BadRequest', 'strict decoding error: unknown field "spec.foo"'),
      ['add /web: the API server rejected it: strict decoding error: unknown field "spec.foo"'],
    ],
    [
      'a webhook',
      answer(400, '', 'admission webhook "policy.example.com" denied the request: no'),
      ['add /web: the API server rejected it: admission webhook "policy.example.com" denied the request: no'],
    ],
    [
      'its own failure',
      answer(500, 'InternalError', 'etcd is away'),
      [expect.stringMatching(/^POST http\S+: answered 500 "etcd is away"$/)],
    ],
  ])('%s', async (_name, refusal, complaints) => {
    server.faults.next(({ method }) => method === 'POST', refusal);
    expect(await add(definition())).toMatchObject({ status: 2, complaints });
  });

  test('a missing namespace', async () => {
    const said = await type(
      ['app', 'add', '--endpoints', 'web', '--kubernetes-namespace', 'none'],
      definition(),
    );
    expect(said).toMatchObject({ status: 2, complaints: ['add /web: namespaces "none" not found'] });
  });

  test('a missing CRD, in both forms that servers use', async () => {
    const lines = (what: string) => [
      `${what}: this API server has no MarathonApps; kubectl apply --server-side -f deploy/kubernetes/base/crd.yaml`,
    ];
    const notFound = answer(404, 'NotFound', 'the server could not find the requested resource');
    server.faults.next(() => true, notFound);
    expect(await type(['app', 'show', 'web'])).toMatchObject({
      status: 2,
      complaints: lines('app show web'),
    });
    const bare = await startKubernetes();
    useKubeconfig(bare);
    expect(await type(['app', 'list'])).toMatchObject({ status: 2, complaints: lines('app list') });
    await bare.close();
  });

  test('requests that the server postpones are retried', async () => {
    const putOff = answer(429, 'TooManyRequests', 'storage is (re)initializing', { retryAfterSeconds: 1 });
    server.faults.next(() => true, putOff, 2);
    server.faults.next(({ method }) => method === 'POST', putOff, 2);
    expect(await add(definition())).toMatchObject({ status: 0, complaints: [] });
  });

  test('a user who may read only one namespace gets a warning, and works there', async () => {
    writeApp(server, 'web');
    server.faults.next(
      ({ path }) => path.endsWith('v1alpha1/marathonapps'),
      answer(403, 'Forbidden', 'no'),
      9,
    );
    server.faults.next(({ path }) => path.includes('endpointslices'), answer(403, 'Forbidden', 'no'), 9);
    const said = await type(['app', 'update', 'web', '--no-wait', 'cpus=1']);
    expect(said).toMatchObject({
      status: 0,
      complaints: [expect.stringMatching(/^warning: only the namespace default can be read: /)],
    });
  });
});

describe('an update that conflicts with another one', () => {
  /** Someone else changes the object when we have told its VIPs, which is after it was read. */
  const meanwhile = (change: () => void): Typing => ({ onPrint: (text) => text.includes('VIP') && change() });
  const other = () =>
    void write(server, 'marathon-ipvs.io', 'marathonapps', manifest({ app: definition({ cpus: 4 }) }));
  const app = () => (stored()[0] as KubeObject & { spec: { app: object } }).spec.app;

  test('is refused; with --force its fields are applied on top of the other one', async () => {
    other();
    writeApp(server, 'web');
    const words = ['app', 'update', 'web', '--no-wait', 'mem=64'];
    const said = await type(words, '', meanwhile(other));
    expect(said.status).toBe(2);
    expect(said.complaints).toEqual([
      expect.stringContaining(
        'the object has been modified; please apply your changes to the latest version',
      ),
      expect.stringContaining('read it with app show and repeat, or overwrite it with --force'),
    ]);
    expect(app()).not.toHaveProperty('mem');
    writeApp(server, 'web');
    expect(await type([...words, '--force'], '', meanwhile(other))).toMatchObject({ status: 0 });
    expect(app()).toMatchObject({ cpus: 4, mem: 64 });
  });

  test('succeeds if only the status has changed', async () => {
    writeApp(server, 'web');
    const kind = server.operations.findKind('marathon-ipvs.io', 'v1alpha1', 'marathonapps');
    if (kind === null) throw new Error('no CRD');
    const status = { status: { vip: 'web:80' } };
    const writer = { manager: 'status', subresource: 'status', force: true };
    const body = { ...manifest({}), spec: undefined, ...status };
    const touch = () =>
      void server.operations.apply({ kind, namespace: 'default', name: 'web' }, body, writer);
    const said = await type(['app', 'update', 'web', '--no-wait', 'mem=64'], '', meanwhile(touch));
    expect(said).toMatchObject({ status: 0, complaints: [] });
    expect(server.requests.filter(isPut).map((request) => request.status)).toEqual([409, 200]);
    expect(stored()[0]).toMatchObject({ ...status, spec: { app: { mem: 64 } } });
  });
});

describe('while following', () => {
  const follow = (typing: Typing = {}) => type(['app', 'add', '--endpoints', 'web'], definition(), typing);
  const name = objectName({ framework: 'marathon', id: '/web' });

  test('waits at most a minute in a cluster without a controller', async () => {
    const said = await follow();
    expect(said.status).toBe(1);
    expect(said.out).toMatch(
      /: no controller has processed it for a minute: does one run with --kubernetes-status\?\n$/,
    );
  });

  test('ends at a change or removal by someone else', async () => {
    const change = {
      onProgress: () =>
        void write(
          server,
          'marathon-ipvs.io',
          'marathonapps',
          manifest({ app: definition({ cpus: 4 }) }, { name }),
        ),
    };
    expect(await follow(change)).toMatchObject({
      status: 1,
      out: expect.stringContaining('someone else changed it: generation 2\n'),
    });
    await type(['app', 'remove', 'web']);
    const kind = server.operations.kinds.find(({ plural }) => plural === 'marathonapps');
    if (kind === undefined) throw new Error('no CRD');
    const gone = {
      onProgress: () => void server.operations.delete({ kind, namespace: 'default', name }, null),
    };
    expect(await follow(gone)).toMatchObject({
      status: 1,
      out: expect.stringContaining('someone else removed it\n'),
    });
  });

  test('follows a removal that a finalizer blocks to the progress deadline, and names the finalizer', async () => {
    const held = manifest({ app: definition() }, { finalizers: ['example.com/hold'] });
    write(server, 'marathon-ipvs.io', 'marathonapps', held);
    // The stand-in knows no finalizers: as the API server does, it takes the removal and keeps the object.
    server.faults.next(({ method }) => method === 'DELETE', { status: 200, body: held });
    expect(await type(['app', 'remove', 'web', '--progress-deadline-seconds', '10'])).toMatchObject({
      status: 1,
      out: 'MarathonApp default/web is marked for removal; /web is not removed: no progress for 10 s: waiting for the finalizers example.com/hold\n',
      complaints: [],
    });
  });

  test('an error while following does not hide that the object is written', async () => {
    const isObject = ({ method, path }: { method: string; path: string }) =>
      method === 'GET' && path.endsWith(`/marathonapps/${name}`);
    server.faults.next(isObject, answer(403, 'Forbidden', 'User "ops" cannot get resource "marathonapps"'));
    const said = await follow();
    expect(said.status).toBe(2);
    expect(said.complaints).toEqual([
      expect.stringMatching(
        /^MarathonApp default\/web-\w+ is written; its progress is unknown: .*cannot get/,
      ),
    ]);
    expect(stored()).toHaveLength(1);
  });

  test('waits for an API server that is unavailable for a while', async () => {
    let away = false;
    const onProgress = () => {
      if (!away) server.faults.next(({ method }) => method === 'GET', 'hang up', 2);
      away = true;
    };
    const said = await follow({ onProgress });
    expect(said.progress.some((line) => line.startsWith('the API server does not answer ('))).toBe(true);
    expect(said.out).toContain('no controller has processed it for a minute');
  });
});

test('reads all namespaces: names apps that share a VIP, and does not create an app twice', async () => {
  writeApp(server, 'web');
  writeSlice(server, 'web', '10.1.0.1');
  const shared = await add(definition({ id: '/other', ...labelled('/web:80') }));
  expect(shared.out).toMatch(/ \/web +container\.portMappings/);
  const shop: KubeObject = parse('{apiVersion: v1, kind: Namespace, metadata: {name: shop}}');
  write(server, '', 'namespaces', shop);
  const words = ['app', 'add', '--no-wait'];
  const said = await type(words, manifest({ app: definition() }, { namespace: 'shop', name: 'shop' }));
  expect(said.complaints).toEqual(['add /web: MarathonApp default/web is this app; app update changes it']);
});
