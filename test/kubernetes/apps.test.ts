import { expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { firstDelta } from '../../controller/inventory/inventory.ts';
import { objectName } from '../../controller/kubernetes/object-name.ts';
import { RELAY_LABEL } from '../../controller/kubernetes/relayed.ts';
import { MARATHON_APPS } from '../../controller/kubernetes/resources.ts';
import { createRelayHealth } from '../../controller/relay/health.ts';
import { runRelay } from '../../controller/relay/relay.ts';
import { kubernetesSource } from '../../controller/source/kubernetes/source.ts';
import { StatusWriter } from '../../controller/status/kubernetes/writer.ts';
import { type Said, type Typing, typeLine } from '../controller/cli/commands/apps/commanding.ts';
import { translator } from '../controller/desired/support.ts';
import { fastClock, silent } from '../controller/source/support.ts';
import { passOf } from '../controller/status/passes.ts';
import { nothingRemembered, snapshot, web } from '../support/builders.ts';
import {
  apply,
  client,
  get,
  inBackground,
  list,
  marathonApp,
  namespace,
  never,
  referencesFollowed,
  slice,
  until,
  useCluster,
} from './cluster.ts';

/** The commands for apps with --kubernetes, as someone types them. */

useCluster();

const clock = fastClock(10);
const HTTP = [{ name: 'http', port: 8080 }];
const NONE: typeof HTTP = [];
const NAME = objectName({ framework: 'marathon', id: '/web' });

const definition = (fields: object = {}) => ({
  id: '/web',
  networks: [{ mode: 'container/bridge' }],
  container: { portMappings: [{ name: 'http', containerPort: 8080, labels: { VIP_0: '/web:80' } }] },
  ...fields,
});
const manifest = (name: string, fields: object = {}) => ({
  apiVersion: 'marathon-ipvs.io/v1alpha1',
  kind: 'MarathonApp',
  metadata: { name, labels: { team: 'x' } },
  spec: { endpoints: { service: 'web' }, app: definition(fields) },
});

function type(words: readonly string[], typing: Typing = {}): Promise<Said> {
  const flags = ['--kubernetes', '--kubernetes-namespace', namespace];
  return typeLine([...words, ...flags], { clock, ...typing });
}

const add = (json: object, ...flags: string[]) =>
  type(['app', 'add', '--endpoints', 'web', ...flags], { input: JSON.stringify(json) });

/** A controller that gets what the cluster says into its kernel, and writes the status of it. */
function controller(what: Partial<Parameters<typeof passOf>[0]> = {}): void {
  const writer = new StatusWriter({
    ...{ client, clock, log: silent, namespace, identity: 'one' },
    random: Math.random,
    references: referencesFollowed(),
  });
  inBackground((signal) => writer.run(signal));
  inBackground(async (signal) => {
    const source = kubernetesSource(client, { context: '', namespace });
    while (!signal.aborted) {
      const startedAt = clock.monotonic();
      const desired = translator()(await source.read(never), nothingRemembered);
      writer.passed(passOf({ desired, ...what, over: { startedAt, ...what.over } }));
      await clock.sleep(500, signal);
    }
  });
}

test('app add tells the VIPs, makes a MarathonApp, and follows until it is programmed', async () => {
  controller();
  await slice('web-1', 'web', HTTP, [{ address: '10.1.0.1' }, { address: '10.1.0.2', ready: false }]);
  const json = definition({ unheardOf: 1 });
  const said = await add(json);
  expect(said).toMatchObject({ status: 0, complaints: [] });
  expect(said.out).toMatch(
    /^VIP .*\nweb\.marathon\.l4lb\.thisdcos\.directory:80 .* container\.portMappings\[0\]\.labels\.VIP_0\n\n\/web is deployed: 1 of 2 backends in rotation \(MarathonApp \S+\)\n$/,
  );
  expect(said.progress[0]).toBe('generation 1: no controller has processed it yet');
  const { spec, metadata } = await get(MARATHON_APPS, NAME);
  expect(spec).toEqual({ app: json, endpoints: { service: 'web' } });
  expect(metadata.managedFields[0].manager).toBe('marathon-ipvs');
  expect(metadata.annotations).toBeUndefined();

  expect(await add(json)).toMatchObject({
    status: 2,
    complaints: [`add /web: MarathonApp ${namespace}/${NAME} is this app; app update changes it`],
  });
});

test('app add takes a whole MarathonApp, in YAML too, with its name and labels', async () => {
  const said = await type(['app', 'add', '--no-wait', '-o', 'json'], { input: stringify(manifest('mine')) });
  expect(said).toMatchObject({ status: 0, complaints: [] });
  expect(JSON.parse(said.out)).toMatchObject({
    app: '/web',
    object: `${namespace}/mine`,
    generation: 1,
    result: 'accepted',
    vips: [{ fqdn: 'web.marathon.l4lb.thisdcos.directory', port: 80 }],
  });
  expect((await get(MARATHON_APPS, 'mine')).metadata.labels).toEqual({ team: 'x' });
});

test('framework and labels of EndpointSlices are flags of a definition', async () => {
  const words = ['app', 'add', '--no-wait', '--framework', 'prod', '--endpoints', 'app=web,tier=front'];
  const { out } = await type(words, { input: stringify(definition()) });
  expect(out).toContain('web.prod.l4lb.thisdcos.directory:80');
  expect((await get(MARATHON_APPS, objectName({ framework: 'prod', id: '/web' }))).spec).toMatchObject({
    framework: 'prod',
    endpoints: { selector: { matchLabels: { app: 'web', tier: 'front' } } },
  });
});

test('pod add makes a MarathonApp with spec.pod', async () => {
  const endpoints = [{ name: 'http', containerPort: 8080, protocol: ['tcp'], labels: { VIP_0: '/pod:80' } }];
  const pod = { id: '/pod', networks: [{ mode: 'container' }], containers: [{ name: 'c', endpoints }] };
  const said = await type(['pod', 'add', '--no-wait', '--endpoints', 'pod'], { input: JSON.stringify(pod) });
  expect(said).toMatchObject({ status: 0, complaints: [] });
  expect(said.out).toContain('containers[0].endpoints[0].labels.VIP_0');
  expect((await list(MARATHON_APPS)).map(({ spec }) => spec.pod)).toEqual([pod]);
});

test('what the controllers reject ends with the reason, and with another status than 0', async () => {
  controller({ foreign: true });
  await slice('web-1', 'web', HTTP, [{ address: '10.1.0.1' }]);
  const container = {
    portMappings: [{ name: 'http', containerPort: 8080, labels: { VIP_0: '10.99.0.1:80' } }],
  };
  const said = await add(definition({ container }));
  expect(said.status).toBe(1);
  expect(said.out).toMatch(/is written; \/web is not deployed: Conflict: tcp\/10\.99\.0\.1:80: /);
});

test('an app without endpoints is waited for, and the line says why; one without VIP is not', async () => {
  controller();
  const stop = new AbortController();
  const onProgress = (line: string) => {
    if (line.includes('BackendNotFound')) stop.abort();
  };
  const typing = { input: JSON.stringify(definition()), signal: stop.signal, onProgress };
  const said = await type(['app', 'add', '--endpoints', 'web'], typing);
  expect(said.status).toBe(1);
  expect(said.progress.at(-1)).toMatch(
    /^generation 1: accepted, not programmed: BackendNotFound: Service web has no EndpointSlice: there is no such Service in \S+, or it has no selector$/,
  );
  expect(said.complaints).toEqual([
    expect.stringMatching(/^no longer following; MarathonApp \S+ is written/),
  ]);

  expect(await add({ id: '/batch', cmd: 'run' })).toMatchObject({
    status: 0,
    out: expect.stringMatching(/^no VIP: .*\n\n\/batch is deployed: it has no VIP \(MarathonApp /),
  });
});

test.each<
  [string, readonly (readonly [ports: typeof HTTP, endpoints: Parameters<typeof slice>[3]])[], RegExp]
>([
  [
    'no EndpointSlice',
    [],
    /: BackendNotFound: Service web has no EndpointSlice: there is no such Service in \S+, or it has no selector\n$/,
  ],
  [
    'no endpoint',
    [[HTTP, []]],
    /: NoEndpoints: no endpoint yet: web\.[^;]*; no endpoint in EndpointSlice \S+\/web-0: does the selector of the Service match pods\?\n$/,
  ],
  [
    'only endpoints that are not ready',
    [[HTTP, [{ address: '10.1.0.1', ready: false }]]],
    /: NoReadyEndpoints: [^;]* has 0 of 1 in rotation; the endpoint in EndpointSlice \S+\/web-0 is not ready: do the pods pass their readiness probes\?; 0 of 1 backend in rotation\n$/,
  ],
  [
    'other ports than its own',
    [
      [NONE, [{ address: '10.1.0.1' }]],
      [NONE, [{ address: '10.1.0.2' }]],
    ],
    /: PortMismatch: [^;]* has the name http, [^;]*; 2 endpoints ready in EndpointSlice \S+\/web-0 and 1 more, at no port; the definition has http: do names and numbers of the ports agree\?\n$/,
  ],
])(
  'an app that gets no endpoints is followed to the progress deadline, and what is missing is told: %s',
  async (_what, slices, missing) => {
    controller();
    for (const [i, [ports, endpoints]] of slices.entries()) await slice(`web-${i}`, 'web', ports, endpoints);
    const said = await add(definition(), '--progress-deadline-seconds', '10');
    expect(said).toMatchObject({ status: 1, complaints: [] });
    expect(said.out).toMatch(
      /is written; \/web is not deployed: no progress for 10 s: accepted, not programmed: /,
    );
    expect(said.out).toMatch(missing);
  },
);

test('what moves is followed beyond the progress deadline', async () => {
  controller();
  const moves: Promise<void>[] = [];
  const onProgress = (line: string) => {
    // Each step takes most of the deadline.
    const move = () =>
      line.includes('has no EndpointSlice')
        ? slice('web-0', 'web', HTTP, [])
        : slice('web-0', 'web', HTTP, [{ address: '10.1.0.1' }]);
    if (/BackendNotFound|NoEndpoints/.test(line)) moves.push(clock.sleep(25_000).then(move));
  };
  const words = ['app', 'add', '--endpoints', 'web', '--progress-deadline-seconds', '40'];
  const said = await type(words, { input: JSON.stringify(definition()), onProgress });
  await Promise.all(moves);
  expect(said.out).toContain('/web is deployed: 1 of 1 backend in rotation');
  expect(said.progress.filter((line) => line.includes('not programmed')).length).toBeGreaterThan(1);
});

test('app update takes KEY=VALUE, fields or a MarathonApp; as at Marathon a field is replaced whole', async () => {
  await add(definition({ cmd: 'run', cpus: 1, env: { a: '1', b: '2' } }), '--no-wait');
  controller();
  await slice('other-1', 'other', HTTP, [{ address: '10.1.0.1' }]);
  const said = await type([
    'app',
    'update',
    'web',
    'cpus=0.5',
    'env={"c":"3"}',
    'cmd=null',
    '--endpoints',
    'other',
  ]);
  expect(said).toMatchObject({ status: 0, complaints: [] });
  expect(said.out).toMatch(/\n\/web is updated: 1 of 1 backend in rotation \(MarathonApp \S+\)\n$/);
  const { spec, metadata } = await get(MARATHON_APPS, NAME);
  expect(spec).toEqual({ app: definition({ cpus: 0.5, env: { c: '3' } }), endpoints: { service: 'other' } });

  const same = await type(['app', 'update', 'web'], { input: 'cpus: 0.5\n' });
  expect(same.out).toContain('/web is updated');
  expect((await get(MARATHON_APPS, NAME)).metadata.generation).toBe(metadata.generation);

  const input = stringify(manifest(NAME));
  expect(await type(['app', 'update', '/web', '--no-wait'], { input })).toMatchObject({ status: 0 });
  const now = await get(MARATHON_APPS, NAME);
  expect(now.spec).toEqual(manifest(NAME).spec);
  expect(now.metadata.labels).toEqual({ team: 'x' });
});

test('app update of an object that someone changed since is refused, and made with --force', async () => {
  await marathonApp('mine', definition());
  const old = await get(MARATHON_APPS, 'mine');
  await marathonApp('mine', definition({ cpus: 2 }));
  const input = stringify({ ...old, spec: { ...old.spec, framework: 'mine' } });
  const said = await type(['app', 'update', '/web', '--no-wait'], { input });
  expect(said.status).toBe(2);
  expect(said.complaints).toEqual([
    expect.stringMatching(
      /^update \/web: Operation cannot be fulfilled on marathonapps\S* "mine": the object has been modified/,
    ),
    expect.stringMatching(/^someone else has changed it: .* --force/),
  ]);
  expect((await get(MARATHON_APPS, 'mine')).spec.app.cpus).toBe(2);
  expect(await type(['app', 'update', '/web', '--no-wait', '--force'], { input })).toMatchObject({
    status: 0,
  });
  expect((await get(MARATHON_APPS, 'mine')).spec).toEqual({ ...old.spec, framework: 'mine' });
});

test('a status that was written since an object was read is no change of it', async () => {
  await marathonApp('mine', definition());
  const old = await get(MARATHON_APPS, 'mine');
  const writer = new StatusWriter({
    client,
    clock,
    log: silent,
    namespace,
    identity: 'one',
    random: Math.random,
    references: referencesFollowed(),
  });
  inBackground((signal) => writer.run(signal));
  const source = kubernetesSource(client, { context: '', namespace });
  writer.passed(passOf({ desired: translator()(await source.read(never), nothingRemembered) }));
  await until('it is written', async () => (await get(MARATHON_APPS, 'mine')).status !== undefined);
  const input = stringify({ ...old, spec: { ...old.spec, framework: 'mine' } });
  expect(await type(['app', 'update', '/web', '--no-wait'], { input })).toMatchObject({ status: 0 });
  const { spec, status } = await get(MARATHON_APPS, 'mine');
  expect({ framework: spec.framework, status }).toEqual({ framework: 'mine', status: expect.anything() });
});

test('what a relay wrote is left alone; what --force does to it the relay takes back', async () => {
  const apps = snapshot(web('/web', { VIP_0: 'web:80' }, '10.0.0.1:31000'));
  const { observer } = createRelayHealth([], clock, 60_000);
  const source = {
    name: 'file=test',
    read: async () => apps,
    follow: async (listener: { changed(...args: unknown[]): void }, signal: AbortSignal) => {
      listener.changed(firstDelta(apps));
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  };
  const options = { client, sources: [source], clock, log: silent, observer, namespace, name: 'default' };
  inBackground((signal) =>
    runRelay({ ...options, identity: 'relay-1', settleMs: 20, random: Math.random }, signal),
  );
  await until('it is published', async () => (await list(MARATHON_APPS)).length === 1);
  const { spec } = await get(MARATHON_APPS, NAME);

  const refusal = (what: string) => ({
    status: 2,
    complaints: [
      expect.stringMatching(
        new RegExp(`^${what} /web: the relay "default" writes MarathonApp ${namespace}/${NAME}, .* --force`),
      ),
    ],
  });
  expect(await type(['app', 'update', '/web', 'cpus=1'])).toMatchObject(refusal('update'));
  expect(await type(['app', 'remove', '/web'])).toMatchObject(refusal('remove'));
  expect(await add(definition())).toMatchObject({
    status: 2,
    complaints: [expect.stringContaining('is this app, written by the relay "default"; app update')],
  });
  expect((await get(MARATHON_APPS, NAME)).spec).toEqual(spec);

  const input = JSON.stringify(definition());
  const forced = await type(['app', 'update', '/web', '--force', '--no-wait'], { input });
  expect(forced).toMatchObject({ status: 0, complaints: [] });
  await until('the relay has it back', async () => 'relayed' in (await get(MARATHON_APPS, NAME)).spec);
  const { spec: now, metadata } = await get(MARATHON_APPS, NAME);
  expect(now).toEqual(spec);
  expect(metadata.labels[RELAY_LABEL]).toBe('default');
});

test('app remove removes the object of an app, whatever its name', async () => {
  await marathonApp('mine', definition());
  expect(await type(['app', 'remove', 'web'])).toMatchObject({
    status: 0,
    out: `/web is removed: MarathonApp ${namespace}/mine\n`,
  });
  expect(await list(MARATHON_APPS)).toEqual([]);
  expect(await type(['app', 'remove', 'web'])).toMatchObject({
    status: 2,
    complaints: [`remove /web: the app does not exist in ${namespace}; app list shows all apps`],
  });
  expect(await type(['app', 'update', 'web', 'cpus=1'])).toMatchObject({
    status: 2,
    complaints: [`update /web: the app does not exist in ${namespace}; app add creates it`],
  });
});

test('of several objects of one id it must be said which', async () => {
  await marathonApp('one', definition());
  await apply(MARATHON_APPS, 'two', {
    spec: { framework: 'prod', app: definition(), endpoints: { service: 'web' } },
  });
  const said = await type(['app', 'remove', 'web']);
  expect(said.complaints).toEqual([
    expect.stringMatching(
      /^remove \/web: several objects are this app: .*\/one \(marathon\), .*\/two \(prod\); select one with/,
    ),
  ]);
  expect(await type(['app', 'remove', 'web', '--framework', 'prod'])).toMatchObject({ status: 0 });
  expect((await list(MARATHON_APPS)).map(({ metadata }) => metadata.name)).toEqual(['one']);
});

test('app list and app show tell objects, backends, reasons, VIPs and tasks', async () => {
  expect((await type(['app', 'list'])).out).toBe('no apps\n');
  await slice('web-1', 'web', HTTP, [{ address: '10.1.0.1', target: 'web-a' }]);
  await marathonApp('web', definition());
  const bad = { portMappings: [{ containerPort: 8080, labels: { VIP_0: 'nothing' } }] };
  await marathonApp('bad', definition({ id: '/bad', container: bad }));
  controller();
  await until('both have a status', async () =>
    (await list(MARATHON_APPS)).every(({ status }) => status !== undefined),
  );
  expect((await type(['app', 'list'])).out.split('\n')).toEqual([
    expect.stringMatching(/^APP +OBJECT +BACKENDS +READY +VIPS$/),
    expect.stringMatching(/^\/bad +\S+\/bad +- +Rejected +-$/),
    expect.stringMatching(/^\/web +\S+\/web +1\/1 +yes +web\.marathon:80$/),
    '',
  ]);
  expect((await type(['app', 'list', '-o', 'wide'])).out).toMatch(
    / FRAMEWORK +ENDPOINTS +RELAY +GENERATION\n/,
  );
  const json = JSON.parse((await type(['app', 'list', '-o', 'json'])).out);
  expect(json).toMatchObject([
    { kind: 'MarathonApp' },
    { metadata: { name: 'web' }, spec: { app: { id: '/web' } } },
  ]);
  expect(json[0].metadata.managedFields).toBeUndefined();

  const { out } = await type(['app', 'show', 'web']);
  expect(out).toMatch(
    /^\/web: MarathonApp \S+\/web, generation 1; 1 of 1 backend in rotation\nAccepted yes\nResolvedRefs yes\nProgrammed yes\nReady yes\n\nVIP .*\nweb\.marathon\./,
  );
  expect(out).toMatch(/\n\nTASK +STATE +HEALTH +REACHED AT\nweb-a +running +healthy +10\.1\.0\.1:8080\n$/);
  expect((await type(['app', 'show', 'bad'])).out).toContain(
    '\n/bad: container.portMappings[0].labels.VIP_0 = "nothing": expected NAME:PORT or IP:PORT',
  );
  const yaml = await type(['app', 'show', 'web', '-o', 'yaml']);
  expect(parse(yaml.out)).toMatchObject({ metadata: { name: 'web' }, status: { backends: '1/1' } });
  expect(await type(['app', 'show', 'none'])).toMatchObject({
    status: 2,
    complaints: ['app /none does not exist; app list shows all apps'],
  });
});
