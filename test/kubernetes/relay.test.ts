import { existsSync, readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { KubernetesClient } from '../../controller/kubernetes/client.ts';
import { ENDPOINT_SLICES, MARATHON_APPS } from '../../controller/kubernetes/resources.ts';
import type { App } from '../../controller/model/app.ts';
import type { Desired } from '../../controller/model/desired.ts';
import type { Service } from '../../controller/model/service.ts';
import type { Snapshot } from '../../controller/model/snapshot.ts';
import type { AppSource, SourceListener } from '../../controller/ports.ts';
import { createRelayHealth } from '../../controller/relay/health.ts';
import { runRelay } from '../../controller/relay/relay.ts';
import { createFileSource } from '../../controller/source/file/source.ts';
import { kubernetesSource } from '../../controller/source/kubernetes/source.ts';
import { createMarathonSource } from '../../controller/source/marathon/source.ts';
import { translator } from '../controller/desired/support.ts';
import { fastClock, namesOf, silent } from '../controller/source/support.ts';
import { app, nothingRemembered, port, snapshot, task, taskPort, web } from '../support/builders.ts';
import { Host } from '../support/loop.ts';
import { startMarathon } from '../support/marathon/start-marathon.ts';
import { Telling } from '../support/telling.ts';
import { apply, client, inBackground, list, namespace, never, remove, until, useCluster } from './cluster.ts';

useCluster();

const clock = fastClock(10);

/** A source that says what the test wants. */
class Saying implements AppSource {
  readonly name = 'file=test';
  #listener: SourceListener | null = null;
  #telling = new Telling();
  #last: Snapshot | null;

  constructor(first: Snapshot | null) {
    this.#last = first;
  }

  async follow(listener: SourceListener, signal: AbortSignal): Promise<void> {
    this.#listener = listener;
    this.#telling = new Telling();
    if (this.#last !== null) this.say(this.#last);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }

  say(now: Snapshot, complete = true): void {
    this.#last = now;
    const delta = this.#telling.delta(now, complete, clock.monotonic());
    if (delta !== null) this.#listener?.changed(delta);
  }

  /** Whether a relay that leads has begun to follow it. */
  get followed(): boolean {
    return this.#listener !== null;
  }

  read = async () => this.#last ?? snapshot();
}

/** `PATCH marathonapps` and so on: what relays have written. */
const writes: string[] = [];

function counting(): KubernetesClient {
  return {
    server: client.server,
    namespace: client.namespace,
    watch: (...args) => client.watch(...args),
    call(method, path, options, signal) {
      if (method !== 'GET' && !path.includes('/leases')) writes.push(`${method} ${path.split('/').at(-2)}`);
      return client.call(method, path, options, signal);
    },
  };
}

function startRelay(source: AppSource, what: { name?: string; identity?: string } = {}): AbortController {
  const stop = new AbortController();
  const { observer } = createRelayHealth([source.name], clock, 60_000);
  const { name = 'default', identity = 'relay-1' } = what;
  const options = {
    client: counting(),
    sources: [source],
    clock,
    log: silent,
    observer,
    namespace,
    name,
    identity,
  };
  inBackground((signal) =>
    runRelay({ ...options, settleMs: 20, random: Math.random }, AbortSignal.any([signal, stop.signal])),
  );
  return stop;
}

async function published(): Promise<Snapshot> {
  return await kubernetesSource(client, { context: '', namespace }).read(never);
}

/**
 * What tells whether two hosts would program the same. Warnings of tasks that are nowhere are the relay's alone, and the agent
 * of a container with an address of its own is not published: only ejection asks for it.
 */
function essence({ services, declared, rejected, memory }: Desired) {
  const sorted = [...services]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, service]) => [key, { ...service, backends: withoutAgents(service.backends) }] as const);
  return { services: sorted, declared, rejected, memory };
}

function withoutAgents(backends: Service['backends']): Service['backends'] {
  return new Map([...backends].map(([key, { agent: _, ...backend }]) => [key, backend]));
}

/** On a host that runs some of the tasks, so that it matters how that one reaches them. */
const HERE: ReadonlySet<string> = new Set(['10.0.0.1', '10.0.2.148', '10.0.2.121', '172.16.10.21']);
const desired = (from: Snapshot) =>
  essence(translator({ hostAddresses: () => HERE })(from, nothingRemembered));

const versions = async () =>
  [...(await list(MARATHON_APPS)), ...(await list(ENDPOINT_SLICES))].map(
    ({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`,
  );

const FIXTURES = new URL('../../../shared/fixtures/', import.meta.url);
const names = existsSync(FIXTURES)
  ? readdirSync(FIXTURES).filter((name) =>
      existsSync(new URL(name.replace(/\.json$/, '.expected.json'), FIXTURES)),
    )
  : [];
const inputs = names.filter((name) => /^(marathon|app|pod)-.*\.json$/.test(name));

describe('an agent makes of the published objects what it would make of the source itself', () => {
  test('containers that it runs itself are reached without their host ports', async () => {
    const declared = port({ VIP_0: 'web:80' }, { mode: 'container/bridge' });
    const at = (address: string, number: number) => ({ address, port: number });
    const tasks = [
      task('t-1', [{ ...declared, endpoints: [at('10.0.0.1', 31000)], local: [at('172.17.0.2', 80)] }]),
      task('t-2', [{ ...declared, endpoints: [at('10.0.0.2', 31000)], local: [at('172.17.0.2', 80)] }]),
    ];
    const truth = snapshot(app('/web', { ports: [declared], tasks }));
    startRelay(new Saying(truth));
    await until('all is published', async () => (await published()).apps[0]?.tasks.length === 2);
    const { services } = desired(await published());
    expect(services.flatMap(([, { backends }]) => [...backends.keys()])).toEqual([
      '172.17.0.2:80',
      '10.0.0.2:31000',
    ]);
    expect(desired(await published())).toEqual(desired(truth));
  });

  if (inputs.length === 0) test.skip('../shared/fixtures is not on this machine', () => undefined);
  else
    test.each(inputs)('%s', async (name) => {
      const source = createFileSource({
        path: new URL(name, FIXTURES).pathname,
        resolver: namesOf(),
        log: silent,
      });
      const truth = await source.read(never);
      startRelay(new Saying(truth));
      await until('all is published', async () => (await list(MARATHON_APPS)).length === truth.apps.length);
      // App and slices are written one after the other.
      const same = async () => isDeepStrictEqual(desired(await published()), desired(truth));
      await until('it is the same', same).catch(async () =>
        expect(desired(await published())).toEqual(desired(truth)),
      );
    });

  test('every state and health, old versions, both families, weights and a broken label', async () => {
    const declared = port({ VIP_0: 'web:80', IPVS_WEIGHT: '3' }, { protocols: ['udp', 'tcp'] });
    const old = port({ VIP_0: 'old:80' });
    const states = ['staging', 'running', 'killing', 'unreachable', 'gone'] as const;
    const healths = ['unchecked', 'healthy', 'unhealthy', 'unknown'] as const;
    const tasks = states.flatMap((state, s) =>
      healths.map((health, h) =>
        task(`t-${state}-${health}`, [taskPort(declared, `10.0.${s}.${h}:31000`)], { state, health }),
      ),
    );
    const both = task('both', [taskPort(declared, '10.9.0.1:80', '[fd00::1]:80')]);
    const before = task('before', [taskPort(old, '10.9.0.2:31001')]);
    const all = app('/web', { ports: [declared], tasks: [...tasks, both, before] });
    const broken = web('/bad', { VIP_0: 'nocolon' }, '10.8.0.1:80');
    const rejected = { app: '/odd', at: 'networks', value: 'x', reason: 'both are given' };
    const odd = app('/odd', { rejected: [rejected], warnings: ['is odd'], framework: 'other' });
    const truth = snapshot(all, broken, odd);
    startRelay(new Saying(truth));
    await until(
      'all is published',
      async () => (await published()).apps.length === 3 && (await list(ENDPOINT_SLICES)).length > 2,
    );
    await clock.sleep(3_000);
    const there = translator()(await published(), nothingRemembered);
    expect(essence(there)).toEqual(desired(truth));
    expect(there.warnings).toEqual(translator()(truth, nothingRemembered).warnings);
  });

  test('a real Marathon, through a deployment', async () => {
    // No EndpointSlice takes loopback addresses, which its agents have by default.
    const agents = [{ hostname: '10.9.0.1' }, { hostname: '10.9.0.2' }];
    const marathon = await startMarathon({ processes: false, agents });
    const follow = () => createMarathonSource({ where: marathon.url, resolver: namesOf(), log: silent });
    try {
      const container = { type: 'DOCKER', docker: { image: 'x' } };
      const definition = {
        id: '/web',
        instances: 3,
        container,
        portDefinitions: [{ port: 0, labels: { VIP_0: '/web:80' } }],
      };
      await marathon.addApp(definition);
      startRelay(follow());
      const agree = async () => {
        const [there, here] = [desired(await published()), desired(await follow().read(never))];
        return (
          here.services.length > 0 &&
          JSON.stringify(there.services.map(([, { backends }]) => [...backends].sort())) ===
            JSON.stringify(here.services.map(([, { backends }]) => [...backends].sort()))
        );
      };
      await until('they agree', agree);
      await marathon.updateApp('/web', { portDefinitions: [{ port: 0, labels: { VIP_0: '/web:81' } }] });
      await until('they agree after the change', agree);
      expect(desired(await published())).toEqual(desired(await follow().read(never)));
    } finally {
      await marathon.close();
    }
  });
});

test('only what changed is written', async () => {
  const source = new Saying(
    snapshot(
      web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1', '10.0.0.2:2'),
      web('/b', { VIP_0: 'b:80' }, '10.0.0.3:3'),
    ),
  );
  startRelay(source);
  await until('all is published', async () => (await versions()).length === 5);
  await clock.sleep(3_000);
  writes.length = 0;
  const before = await versions();
  source.say(
    snapshot(
      web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1', '10.0.0.2:2'),
      web('/b', { VIP_0: 'b:80' }, '10.0.0.4:3'),
    ),
  );
  await until('the change is published', async () => (await versions()).join() !== before.join());
  await clock.sleep(3_000);
  const after = await versions();
  expect(writes).toEqual(['PATCH endpointslices']);
  expect(after.filter((one) => !before.includes(one))).toHaveLength(1);
  expect(after.find((one) => !before.includes(one))).toMatch(/^b-/);
});

test('a slice has a hundred endpoints at the most, and one that goes changes one slice', async () => {
  const declared = port({ VIP_0: 'web:80' }, { mode: 'container', backendAddress: 'container' });
  const tasks = Array.from({ length: 250 }, (_, i) =>
    task(`t${i}`, [taskPort(declared, `10.1.${i >> 8}.${i & 255}:80`)]),
  );
  const source = new Saying(snapshot(app('/web', { ports: [declared], tasks })));
  startRelay(source);
  const sizes = async () => (await list(ENDPOINT_SLICES)).map(({ endpoints }) => endpoints.length).sort();
  await until('all is published', async () => (await sizes()).join() === '100,100,50');
  await clock.sleep(3_000);
  const before = await versions();
  source.say(snapshot(app('/web', { ports: [declared], tasks: tasks.toSpliced(3, 1) })));
  await until('one less is published', async () => (await sizes()).join() !== '100,100,50');
  await clock.sleep(3_000);
  expect((await versions()).filter((one) => !before.includes(one))).toHaveLength(1);
});

test('what does not bear its name is never touched, and what does is removed only on a complete word', async () => {
  await apply(MARATHON_APPS, 'own', { spec: { app: { id: '/own' }, endpoints: { service: 'own' } } });
  await apply(MARATHON_APPS, 'other', {
    metadata: { labels: { 'marathon-ipvs.io/relay': 'other' } },
    spec: { app: { id: '/other' }, endpoints: { service: 'own' } },
  });
  const foreign = await versions();
  const source = new Saying(
    snapshot(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1'), web('/b', { VIP_0: 'b:80' }, '10.0.0.2:1')),
  );
  const stop = startRelay(source);
  await until('all is published', async () => (await versions()).length === 6);
  stop.abort();

  const silentOne = new Saying(null);
  const second = startRelay(silentOne, { identity: 'relay-2' });
  await clock.sleep(20_000);
  silentOne.say(snapshot(), false);
  await clock.sleep(5_000);
  expect(await versions()).toHaveLength(6);
  second.abort();

  startRelay(new Saying(snapshot(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1'))), { identity: 'relay-3' });
  await until('what is gone is removed', async () => (await versions()).length === 4);
  expect(await versions()).toEqual(expect.arrayContaining(foreign));
});

test('what someone changes or removes by hand is put right', async () => {
  startRelay(new Saying(snapshot(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1'))));
  await until('all is published', async () => (await versions()).length === 2);
  const [slice] = await list(ENDPOINT_SLICES);
  await remove(ENDPOINT_SLICES, slice.metadata.name);
  await until('the slice is back', async () => (await list(ENDPOINT_SLICES)).length === 1);
  const [object] = await list(MARATHON_APPS);
  await apply(MARATHON_APPS, object.metadata.name, { spec: { ...object.spec, framework: 'mine' } });
  await until(
    'the framework is right',
    async () => (await list(MARATHON_APPS))[0].spec.framework === 'marathon',
  );
});

test('an app that the server refuses does not hold back the others', async () => {
  const apps: readonly App[] = [
    web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1'),
    app(`/${'x'.repeat(2_000)}`),
    web('/z', { VIP_0: 'z:80' }, '10.0.0.2:1'),
  ];
  startRelay(new Saying(snapshot(...apps)));
  await until('the others are there', async () => (await versions()).length === 4);
  expect((await published()).apps.map(({ id }) => id).sort()).toEqual(['/a', '/z']);
});

test('what the source does not mention any more stays published when it is most of all, unless that was said by name', async () => {
  const all = ['a', 'b', 'c'].map((id, i) => web(`/${id}`, { VIP_0: `${id}:80` }, `10.0.0.${i}:1`));
  const source = new Saying(snapshot(...all));
  startRelay(source);
  await until('all is published', async () => (await versions()).length === 6);
  source.say(snapshot());
  await clock.sleep(3_000);
  expect(await versions()).toHaveLength(6);
  source.say(snapshot(...all));
  await clock.sleep(1_000);
  source.say(snapshot(), false);
  await until('all is gone', async () => (await versions()).length === 0);
});

describe('tasks that most apps lost at once', () => {
  const all = ['a', 'b', 'c'].map((id, i) => web(`/${id}`, { VIP_0: `${id}:80` }, `10.0.0.${i}:1`));
  const without = all.map((each) => ({ ...each, tasks: [] }));
  const addresses = async () =>
    (await list(ENDPOINT_SLICES))
      .flatMap(({ endpoints }) => endpoints.flatMap(({ addresses }: { addresses: string[] }) => addresses))
      .sort();
  const published = (count: number) =>
    until(`there are ${count} endpoints`, async () => (await addresses()).length === count);

  test('stay published for a minute; then, asked again, the source is believed', async () => {
    const source = new Saying(snapshot(...all));
    startRelay(source);
    await published(3);
    await clock.sleep(1_000);
    const before = await versions();
    const lostAt = clock.monotonic();
    source.say(snapshot(...without));
    await clock.sleep(50_000);
    expect(await versions()).toEqual(before);
    await published(0);
    expect(clock.monotonic() - lostAt).toBeGreaterThanOrEqual(60_000);
    expect(await list(MARATHON_APPS)).toHaveLength(3);
  });

  test('stay where they were when they are back, and go at once when it is said by name', async () => {
    const source = new Saying(snapshot(...all));
    startRelay(source);
    await published(3);
    await clock.sleep(1_000);
    const before = await versions();
    source.say(snapshot(...without));
    await clock.sleep(5_000);
    source.say(snapshot(...all));
    await clock.sleep(5_000);
    expect(await versions()).toEqual(before);
    const saidAt = clock.monotonic();
    source.say(snapshot(...without), false);
    await published(0);
    expect(clock.monotonic() - saidAt).toBeLessThan(60_000);
  });

  test('are what the next relay finds published, whatever they are, and not a field of it changes', async () => {
    const bridge = port({ VIP_0: 'web:80', IPVS_WEIGHT: '3' }, { mode: 'container/bridge' });
    const two = port({ VIP_0: 'web:53' }, { at: 'portDefinitions[1]', protocols: ['udp', 'tcp'] });
    const local = { ...taskPort(bridge, '10.0.0.1:31000'), local: [{ address: '172.17.0.2', port: 80 }] };
    const old = port({ VIP_0: 'old:80' });
    const tasks = [
      task('local', [local, taskPort(two, '10.0.0.1:31001', '10.0.0.1:31002')]),
      task('both', [taskPort(bridge, '10.9.0.1:80', '[fd00::1]:80'), taskPort(two)]),
      task('before', [taskPort(old, '10.9.0.2:31001')], { health: 'unhealthy' }),
      task('away', [taskPort(bridge, '10.9.0.3:31001'), taskPort(two)], { state: 'unreachable' }),
      task('new', [taskPort(bridge, '10.9.0.4:31001'), taskPort(two)], { health: 'unknown' }),
    ];
    const rich = app('/rich', { ports: [bridge, two], tasks });
    const stop = startRelay(new Saying(snapshot(rich)));
    await published(7);
    await clock.sleep(1_000);
    const before = await versions();
    stop.abort();
    const source = new Saying(snapshot({ ...rich, tasks: [] }));
    startRelay(source, { identity: 'relay-2' });
    await until('it leads', () => source.followed);
    await clock.sleep(10_000);
    expect(await versions()).toEqual(before);
  });

  test('stay published by the next relay too, apart from those that are replaced', async () => {
    const stop = startRelay(new Saying(snapshot(...all)));
    await published(3);
    await clock.sleep(1_000);
    const before = await versions();
    stop.abort();
    const source = new Saying(snapshot(...without));
    startRelay(source, { identity: 'relay-2' });
    await until('it leads', () => source.followed);
    await clock.sleep(10_000);
    expect(await versions()).toEqual(before);
    const [first, ...others] = without;
    const fresh = task('fresh', [taskPort(port({ VIP_0: 'a:80' }), '10.0.1.1:1')]);
    const now = ['10.0.0.1', '10.0.0.2', '10.0.1.1'];
    source.say(snapshot({ ...(first as App), tasks: [fresh] }, ...others));
    await until('one is replaced', async () => isDeepStrictEqual(await addresses(), now));
  });

  test('go at once where as many others of their app replace them', async () => {
    const declared = port({ VIP_0: 'web:80' });
    const tasks = (from: number) =>
      Array.from({ length: 20 }, (_, i) =>
        task(`t-${from + i}`, [taskPort(declared, `10.0.${from}.${i}:80`)]),
      );
    const source = new Saying(snapshot(app('/web', { ports: [declared], tasks: tasks(0) })));
    startRelay(source);
    await published(20);
    const saidAt = clock.monotonic();
    source.say(snapshot(app('/web', { ports: [declared], tasks: tasks(100) })));
    await until('the new ones are there alone', async () => {
      const there = await addresses();
      return there.length === 20 && there.every((address) => address.startsWith('10.0.100.'));
    });
    expect(clock.monotonic() - saidAt).toBeLessThan(60_000);
  });
});

describe('a removal is held once on its way from the source to the kernel of a host', () => {
  const ALL = ['10.0.0.0:1 w1', '10.0.0.1:1 w1', '10.0.0.2:1 w1'];
  const all = ['a', 'b', 'c'].map((id, i) => web(`/${id}`, { VIP_0: `${id}:80` }, `10.0.0.${i}:1`));

  /** A relay, and a host that follows what it publishes. */
  async function relayed(): Promise<{ readonly source: Saying; readonly host: Host }> {
    const source = new Saying(snapshot(...all));
    startRelay(source);
    const host = new Host(clock);
    inBackground((signal) =>
      host.follow(kubernetesSource(client, { context: '', namespace, clock }), signal),
    );
    await until('all is in the kernel', () => host.backends.join() === ALL.join());
    return { source, host };
  }

  test.each([
    ['apps', []],
    ['tasks', all.map((each) => ({ ...each, tasks: [] }))],
    [
      'the endpoints of tasks that stage again',
      all.map((each) => ({
        ...each,
        tasks: each.tasks.map((one) => ({ ...one, state: 'staging' as const, ports: [] })),
      })),
    ],
  ])('by the relay: %s that a list lacks', async (_what, left) => {
    const { source, host } = await relayed();
    const from = clock.monotonic();
    source.say(snapshot(...left));
    await until('nothing is left in the kernel', () => host.backends.length === 0);
    expect(clock.monotonic() - from).toBeGreaterThan(60_000);
    expect(clock.monotonic() - from).toBeLessThan(115_000);
    expect(host.held.has('missing')).toBe(false);
  });

  test.each([
    ['apps', []],
    ['tasks', all.map((each) => ({ ...each, tasks: [] }))],
  ])('by none: %s whose end the source reports by name', async (_what, left) => {
    const { source, host } = await relayed();
    const from = clock.monotonic();
    source.say(snapshot(...left), false);
    await until('nothing is left in the kernel', () => host.backends.length === 0);
    expect(clock.monotonic() - from).toBeLessThan(55_000);
    expect([...host.held]).toEqual([]);
  });

  test('by the host: health results that a list lacks, which the relay passes on', async () => {
    const { source, host } = await relayed();
    const lost = all.map((each) => ({
      ...each,
      tasks: each.tasks.map((one) => ({ ...one, health: 'unknown' as const })),
    }));
    source.say(snapshot(...lost));
    await until('it is held', () => host.held.has('health lost'));
    expect(host.backends).toEqual(ALL);
  });
});
