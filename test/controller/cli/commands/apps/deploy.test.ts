import { afterEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { backend, service } from '../../../../support/builders.ts';
import { SIMULATED, start } from '../../../../support/marathon-harness.ts';
import { desiredOf } from '../../../../support/observed.ts';
import { Serving } from '../../../api/serving.ts';
import { passOf } from '../../../status/passes.ts';
import { type } from './commanding.ts';

const definition = (fields: object = {}) => JSON.stringify({ ...SIMULATED, ...fields });
/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:1';

let serving: Serving | null = null;
afterEach(async () => {
  await serving?.close();
  serving = null;
});

describe('app add', () => {
  test('prints the VIPs with name and address, deploys, and follows to the end', async () => {
    const marathon = await start({ startMs: 700 });
    const said = await type(marathon.url, ['app', 'add', '-'], { input: definition({ instances: 2 }) });
    expect(said).toMatchObject({ status: 0, complaints: [] });
    expect(said.out).toMatch(
      /^VIP .*\nmy-service\.marathon\.l4lb\.thisdcos\.directory:5555 +11\.134\.217\.55:5555\/tcp +fd01:c::\S+ +- +portDefinitions\[0\]\.labels\.VIP_0\n\n\/my-service is deployed: 2 of 2 instances running\n$/,
    );
    expect(said.progress[0]).toBe('step 2 of 2 (ScaleApplication /my-service); 0 of 2 instances running');
    expect(marathon.tasks('/my-service')).toHaveLength(2);
  });

  test('counts healthy instances if there is a health check, and backends in rotation on this host', async () => {
    const rotating = service('11.134.217.55', 5555, [backend('10.0.0.1', 31_000)], {
      name: 'my-service',
      apps: ['/my-service'],
    });
    serving = await Serving.start();
    serving.converge(
      passOf({
        desired: desiredOf({
          ...rotating,
          backends: new Map(
            [...rotating.backends].map(([key, one]) => [key, { ...one, app: '/my-service' }]),
          ),
        }),
      }),
    );
    const marathon = await start({ startMs: 50 });
    const healthChecks = [{ protocol: 'MESOS_TCP', portIndex: 0 }];
    const input = definition({ healthChecks });
    const said = await type(marathon.url, ['app', 'add'], { input, server: serving.url });
    expect(said.out).toMatch(/deployed: 1 of 1 instance healthy, 1 backend in rotation on this host\n$/);
  });

  test('stops at the progress deadline if there is no progress', async () => {
    const marathon = await start({ startMs: 60_000 });
    const words = ['app', 'add', '--progress-deadline-seconds', '2'];
    const said = await type(marathon.url, words, { input: definition() });
    expect(said).toMatchObject({ status: 1, complaints: [] });
    expect(said.out).toMatch(
      /\nno progress of \/my-service for 2 s: step 2 of 2 \(ScaleApplication \/my-service\); 0 of 1 instance running; deployment [0-9a-f-]{36} continues at Marathon\n$/,
    );
    expect(marathon.tasks('/my-service')).toHaveLength(1);
  });

  test('--no-wait returns with the deployment, -o json and -o yaml print a document', async () => {
    const marathon = await start({ startMs: 60_000 });
    const one = await type(marathon.url, ['app', 'add', '--no-wait'], { input: definition() });
    expect(one.out).toMatch(/\/my-service: Marathon accepted it as deployment [0-9a-f-]{36}\n$/);
    const words = ['app', 'add', '--no-wait', '-o'];
    const two = await type(marathon.url, [...words, 'json'], { input: definition({ id: '/two' }) });
    const document = {
      app: '/two',
      result: 'accepted',
      deployment: expect.any(String),
      version: expect.any(String),
      vips: [
        {
          fqdn: 'my-service.marathon.l4lb.thisdcos.directory',
          ipv4: '11.134.217.55',
          sharedWith: ['/my-service'],
        },
      ],
      instances: null,
    };
    expect(JSON.parse(two.out)).toMatchObject(document);
    const three = await type(marathon.url, [...words, 'yaml'], { input: definition({ id: '/three' }) });
    expect(parse(three.out)).toMatchObject({
      app: '/three',
      vips: [{ sharedWith: ['/my-service', '/two'] }],
    });
    expect([...one.progress, ...two.progress]).toEqual([]);
  });

  test.each([
    ['no JSON', '{"id": "/a",\n', 'standard input: not JSON: line 2, column 1: '],
    ['a pod', '{"id":"/a","containers":[]}', 'use pod add'],
    [
      'a key twice',
      '{"id":"/a","cmd":"x","labels":{"a":"1","a":"2"}}',
      '/a: labels.a = "\\"2\\"": this key occurs more than once in its object; only the last value, shown here, counts',
    ],
    ['a list', '[]', 'standard input = "[]": expected one app'],
    ['a group', '{"id":"/g","apps":[]}', 'expected one app, {"id": "/name", …}, not a group'],
    ['no id', '{"cmd":"x"}', 'standard input: id = "nothing": expected text'],
    [
      'a wrong type',
      definition({ networks: [{ mode: 'hots' }] }),
      '/my-service: networks[0].mode = "hots": expected one of host, container/bridge, container',
    ],
    [
      'a label without a port',
      definition({ portDefinitions: [{ port: 0, labels: { VIP_0: '/web' } }] }),
      '/my-service: portDefinitions[0].labels.VIP_0 = "/web": expected NAME:PORT or IP:PORT',
    ],
  ])(
    'sends nothing and names path and mistake, before Marathon is asked: %s',
    async (_name, input, expected) => {
      const said = await type(NOBODY, ['app', 'add'], { input });
      expect(said).toMatchObject({ status: 2, out: '' });
      expect(said.complaints[0]).toContain(expected);
      expect(said.complaints.at(-1)).toBe('nothing was sent to Marathon: 1 mistake');
    },
  );

  test("prints Marathon's errors with the path in the JSON", async () => {
    const marathon = await start();
    const said = await type(marathon.url, ['app', 'add'], { input: definition({ id: '/Upper' }) });
    expect(said.status).toBe(2);
    expect(said.complaints).toEqual([
      'add /Upper: Marathon rejected the definition: Object is not valid',
      expect.stringMatching(/^ {2}id: must fully match regular expression/),
    ]);
  });

  test('an existing app is not changed, and the error names the command that does', async () => {
    const marathon = await start();
    await type(marathon.url, ['app', 'add'], { input: definition() });
    const said = await type(marathon.url, ['app', 'add'], { input: definition() });
    expect(said.status).toBe(2);
    expect(said.complaints).toEqual([
      'add /my-service: An app with id [/my-service] already exists. app update changes it',
    ]);
  });

  test('a cancelled deployment is not a success', async () => {
    const marathon = await start({ startMs: 60_000 });
    const cancel = () => void fetch(`${marathon.url}/v2/apps/my-service?force=true`, { method: 'DELETE' });
    const said = await type(marathon.url, ['app', 'add'], { input: definition(), onProgress: cancel });
    expect(said.status).toBe(1);
    expect(said.out).toMatch(
      /\ndeployment \S+ of \/my-service was cancelled or did not finish: the app does not exist at Marathon\n$/,
    );
  });

  test('a signal while following leaves the deployment running at Marathon', async () => {
    const marathon = await start({ startMs: 60_000 });
    const stop = new AbortController();
    const typing = { input: definition(), signal: stop.signal, onProgress: () => stop.abort() };
    const said = await type(marathon.url, ['app', 'add'], typing);
    expect(said.status).toBe(1);
    expect(said.complaints).toEqual([
      expect.stringMatching(/^no longer following; deployment \S+ continues at Marathon$/),
    ]);
  });

  test('waits for a leader election while following', async () => {
    const marathon = await start({ startMs: 1_200, masters: 2 });
    let elected = false;
    const onProgress = () => {
      if (!elected) marathon.elect(600);
      elected = true;
    };
    const said = await type(marathon.urls.join(','), ['app', 'add'], { input: definition(), onProgress });
    expect(said.progress.some((line) => line.startsWith('Marathon does not answer ('))).toBe(true);
    expect(said).toMatchObject({ status: 0, complaints: [] });
  });
});

describe('app update', () => {
  test('takes KEY=VALUE as dcos does, a file, or standard input', async () => {
    const marathon = await start();
    await type(marathon.url, ['app', 'add'], { input: definition() });
    const said = await type(marathon.url, ['app', 'update', '/my-service', 'instances=3', 'cpus=0.5']);
    expect(said.out).toMatch(/\/my-service is updated: 3 of 3 instances running\n$/);
    const input = '{"instances": 1}';
    await type(marathon.url, ['app', 'update', 'my-service'], { input });
    expect(marathon.tasks('/my-service')).toHaveLength(1);
    const both = type(marathon.url, ['app', 'update', '/my-service', 'a.json', 'instances=1']);
    await expect(both).rejects.toThrow('expected KEY=VALUE…, or one file');
    const none = type(marathon.url, ['app', 'update', '/my-service', '/none.json']);
    await expect(none).rejects.toThrow('/none.json cannot be read: there is no such file');
  });

  test('checks the changed app, but not mistakes that it had before', async () => {
    const marathon = await start();
    const bad = { portDefinitions: [{ port: 0, labels: { VIP_0: 'nothing' } }] };
    await marathon.addApp({ ...SIMULATED, ...bad });
    const fine = await type(marathon.url, ['app', 'update', '/my-service', 'instances=2']);
    expect(fine).toMatchObject({ status: 0, complaints: [] });
    const worse = await type(marathon.url, ['app', 'update', '/my-service'], {
      input: JSON.stringify({ portDefinitions: [{ port: 0, labels: { VIP_0: 'x:70000' } }] }),
    });
    expect(worse.status).toBe(2);
    expect(worse.complaints[0]).toContain(
      'labels.VIP_0 = "x:70000": expected NAME:PORT or IP:PORT, with a port',
    );
  });

  test.each([
    [['portDefinitions=many'], '/web: portDefinitions = "many": expected'],
    [['id=/other'], 'update /web: the definition has the id /other, and an id cannot be changed'],
    [['networks=[{"mode":"hots"}]'], '/web: networks[0].mode = "hots": expected one of'],
  ])(
    'what is wrong with the change itself is told before Marathon is asked: %s',
    async (changes, expected) => {
      const said = await type(NOBODY, ['app', 'update', '/web', ...changes]);
      expect(said).toMatchObject({ status: 2, out: '' });
      expect(said.complaints[0]).toContain(expected);
    },
  );

  test('the error for a locked app names the deployment, and --force cancels it', async () => {
    const marathon = await start({ startMs: 60_000 });
    await type(marathon.url, ['app', 'add', '--no-wait'], { input: definition() });
    const words = ['app', 'update', '/my-service', 'instances=0'];
    const said = await type(marathon.url, words);
    expect(said.status).toBe(2);
    expect(said.complaints).toEqual([
      expect.stringMatching(
        /^update \/my-service: a running deployment locks it: [0-9a-f-]{36}; wait .* --force/,
      ),
    ]);
    expect(await type(marathon.url, [...words, '--force'])).toMatchObject({ status: 0, complaints: [] });
  });

  test('does not create a missing app, and does not change an id', async () => {
    const marathon = await start();
    const said = await type(marathon.url, ['app', 'update', '/web', 'instances=2']);
    expect(said).toMatchObject({
      status: 2,
      complaints: ['update /web: the app does not exist; app add creates it'],
    });
    await type(marathon.url, ['app', 'add'], { input: definition() });
    const renamed = await type(marathon.url, ['app', 'update', '/my-service', 'id=/web']);
    expect(renamed.complaints[0]).toContain('an id cannot be changed');
  });
});

test('app remove waits until the app is gone from Marathon', async () => {
  const marathon = await start();
  await type(marathon.url, ['app', 'add'], { input: definition() });
  expect(await type(marathon.url, ['app', 'remove', '/my-service'])).toMatchObject({
    status: 0,
    out: '/my-service is removed\n',
  });
  expect(await type(marathon.url, ['app', 'remove', '/my-service'])).toMatchObject({
    status: 2,
    complaints: ["remove /my-service: App '/my-service' does not exist"],
  });
});

test('pod add prints the VIPs of a pod and deploys it', async () => {
  const marathon = await start({ startMs: 20 });
  const endpoints = [{ name: 'http', hostPort: 0, protocol: ['tcp'], labels: { VIP_0: '/pod:80' } }];
  const input = JSON.stringify({
    id: '/pod',
    containers: [
      { name: 'c', resources: { cpus: 0.1, mem: 32 }, image: { kind: 'DOCKER', id: 'x' }, endpoints },
    ],
    scaling: { kind: 'fixed', instances: 2 },
  });
  const said = await type(marathon.url, ['pod', 'add'], { input });
  expect(said).toMatchObject({ status: 0, complaints: [] });
  expect(said.out).toMatch(
    /^VIP .*\npod\.marathon\.\S+:80 .* containers\[0\]\.endpoints\[0\]\.labels\.VIP_0\n/,
  );
  expect(said.out).toMatch(/\n\/pod is deployed: 2 of 2 instances running\n$/);
});
