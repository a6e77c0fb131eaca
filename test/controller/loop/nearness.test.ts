/** VIPs that want the nearest backends, pass by pass, with a clock that the test moves. */

import { describe, expect, test } from '@jest/globals';
import type { App } from '../../../controller/model/app.ts';
import type { Ejection, TargetKey } from '../../../controller/model/ejection.ts';
import { type Place, placeOf } from '../../../controller/model/place.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import { HOLD_MS } from '../../../controller/plan/tier-choice.ts';
import { snapshot, web } from '../../support/builders.ts';
import { World } from '../../support/world.ts';

const KEY = 'tcp/11.0.0.1:80';
const ZONE = { VIP_0: '11.0.0.1:80', IPVS_TRAFFIC_DISTRIBUTION: 'PreferSameZone' };
const NODE = { ...ZONE, IPVS_TRAFFIC_DISTRIBUTION: 'PreferSameNode' };
const [A1, A2, B1, C1] = ['10.1.0.1:80', '10.1.0.2:80', '10.2.0.1:80', '10.3.0.1:80'] as const;

/** `10.2.0.1` is in zone b of region eu. */
function placed(
  app: App,
  zones: Readonly<Record<string, string>> = { '10.1': 'a', '10.2': 'b', '10.3': 'c' },
): App {
  const zoneOf = (address = '') => zones[address.split('.').slice(0, 2).join('.')];
  const tasks = app.tasks.map((task) => {
    const place = placeOf({ region: 'eu', zone: zoneOf(task.ports[0]?.endpoints[0]?.address) });
    return place === undefined ? task : { ...task, place };
  });
  return { ...app, tasks };
}

const said = (labels: App['ports'][number]['labels'], ...endpoints: readonly string[]): Snapshot =>
  snapshot(placed(web('/web', labels, ...endpoints)));

function unhealthy({ apps, ...rest }: Snapshot, ...endpoints: readonly string[]): Snapshot {
  const isAt = (task: App['tasks'][number]) =>
    task.ports.some((port) =>
      port.endpoints.some(({ address, port: n }) => endpoints.includes(`${address}:${n}`)),
    );
  return {
    ...rest,
    apps: apps.map((app) => ({
      ...app,
      tasks: app.tasks.map((task) => (isAt(task) ? { ...task, health: 'unhealthy' as const } : task)),
    })),
  };
}

function started(given: Place = { region: 'eu', zone: 'a' }, addresses: readonly string[] = [], more = {}) {
  const world = new World();
  const set = new Set(addresses);
  const controller = world.start({ host: { given, addresses: () => set }, ...more });
  return { world, controller };
}

describe('PreferSameZone', () => {
  const apps = said(ZONE, A1, A2, B1, C1);

  test('puts only the backends of this zone into the kernel, and reports how many are left out', async () => {
    const { world, controller } = started();
    const pass = await controller.resync(apps);
    expect(world.backends(KEY)).toEqual([`${A1} w1`, `${A2} w1`]);
    expect(pass.shortfall).toEqual([]);
    expect(pass.plan.services).toMatchObject([{ nearness: { tier: 'zone', leftOut: 2 } }]);
    expect(pass.desired.warnings).toEqual([]);
    world.done();
    expect((await controller.resync(apps)).made).toEqual([]);
  });

  test('switches to all zones at once when this zone fails, adds before it removes, and returns after a while', async () => {
    const { world, controller } = started();
    await controller.resync(apps);
    world.done();
    const failing = await controller.change(unhealthy(apps, A1, A2));
    expect(world.backends(KEY)).toEqual([`${A1} w0`, `${A2} w0`, `${B1} w1`, `${C1} w1`]);
    const writes = world.done().filter((line) => line.startsWith('kernel'));
    expect(writes.map((line) => line.split(' ')[1])).toEqual(['-a', '-a', '-e', '-e']);
    expect(failing.held).toBeNull();

    world.now += 5_000;
    const back = await controller.change(apps);
    expect(world.backends(KEY)).toEqual([`${A1} w1`, `${A2} w1`, `${B1} w1`, `${C1} w1`]);
    expect(back.decisions?.get(KEY)?.get(null)).toMatchObject({
      rule: 'nearness',
      endsAt: world.now + HOLD_MS,
    });
    expect(controller.nextDue()).toBe(world.now + HOLD_MS);
    world.now += HOLD_MS;
    const pass = await controller.change(apps);
    expect(world.backends(KEY)).toEqual([`${A1} w1`, `${A2} w1`]);
    expect([pass.held, pass.largeRemoval]).toEqual([null, null]);
    expect(controller.nextDue()).toBeNull();
    expect(pass.decisions?.has(KEY)).toBe(false);
  });

  test('with slow start, left-out backends do not grow, and get full weight at once when they take over', async () => {
    const { world, controller } = started();
    const labels = { ...ZONE, IPVS_SLOW_START_SECONDS: '9' };
    await controller.resync(said(labels, A1, A2));
    const slow = said(labels, A1, A2, B1, C1);
    const pass = await controller.change(slow);
    expect(world.backends(KEY)).toEqual([`${A1} w100`, `${A2} w100`]);
    expect(pass).toMatchObject({ slowStarts: 0 });
    expect(pass.decisions?.has(KEY)).toBe(false);
    await controller.change(unhealthy(slow, A1, A2));
    expect(world.backends(KEY)).toEqual([`${A1} w0`, `${A2} w0`, `${B1} w100`, `${C1} w100`]);
  });

  test('does not follow a zone that flaps', async () => {
    const { world, controller } = started();
    await controller.resync(apps);
    await controller.change(unhealthy(apps, A1, A2));
    for (let i = 0; i < 10; i += 1) {
      world.now += HOLD_MS / 2;
      await controller.change(i % 2 === 0 ? apps : unhealthy(apps, A1, A2));
      expect(world.backends(KEY)).toEqual(expect.arrayContaining([`${B1} w1`, `${C1} w1`]));
    }
  });

  test('drains a backend of another zone before it is removed', async () => {
    const { world, controller } = started();
    await controller.resync(unhealthy(apps, A1, A2));
    await controller.change(apps);
    const kernel = new Map(world.kernel);
    const service = kernel.get(KEY);
    const had = service?.backends.get(B1);
    if (service === undefined || had === undefined) throw new Error('no backend');
    kernel.set(KEY, {
      ...service,
      backends: new Map([...service.backends, [B1, { ...had, activeConnections: 3 }]]),
    });
    world.kernel = kernel;
    world.now += HOLD_MS;
    await controller.resync(apps);
    expect(world.backends(KEY)).toEqual([`${A1} w1`, `${A2} w1`, `${B1} w0`]);
  });

  test('is no removal by a source: the brake holds nothing of it, beside a loss that it holds', async () => {
    const many = Array.from({ length: 30 }, (_, i) =>
      placed(
        web(
          `/${i}`,
          { ...ZONE, VIP_0: `11.0.1.${i}:80` },
          `10.1.${i}.1:80`,
          `10.2.${i}.1:80`,
          `10.3.${i}.1:80`,
        ),
      ),
    );
    const gone = (list: readonly App[]) =>
      unhealthy(snapshot(...list), ...list.map((_, i) => `10.1.${i}.1:80`));
    const { world, controller } = started();
    await controller.resync(gone(many));
    await controller.change(snapshot(...many));
    world.now += HOLD_MS;
    const pass = await controller.change(snapshot(...many.slice(0, 10)));
    for (let i = 0; i < 10; i += 1)
      expect(world.backends(`tcp/11.0.1.${i}:80`)).toEqual([`10.1.${i}.1:80 w1`]);
    for (let i = 10; i < 30; i += 1) expect(world.backends(`tcp/11.0.1.${i}:80`)).toHaveLength(3);
    expect(pass.held).toMatchObject({ vips: 20, backends: 60 });
    expect(pass.largeRemoval).toBeNull();
  });

  test('leaves a zone in which no backend answers, although the sources report them as healthy', async () => {
    const target = (key: TargetKey): Ejection => ({
      target: { key, protocol: 'tcp', address: '', port: 80, agent: '', task: '' },
      ...{ since: 5, cause: 'timed out', reason: 'no reply', nextProbe: null },
    });
    const ejections = new Map<TargetKey, Ejection>();
    let changed = new Set<TargetKey>();
    const facts = { ejections, takeChanged: () => changed };
    const { world, controller } = started(undefined, [], { ejections: facts });
    await controller.resync(apps);
    for (const key of [`tcp/${A1}`, `tcp/${A2}`]) ejections.set(key, target(key));
    changed = new Set(ejections.keys());
    await controller.change(apps);
    expect(world.backends(KEY)).toEqual([`${A1} w0`, `${A2} w0`, `${B1} w1`, `${C1} w1`]);
  });

  test('is the same in the tables where it is the default and no label says otherwise', async () => {
    const { world, controller } = started(undefined, [], { trafficDistribution: 'PreferSameZone' });
    const { VIP_0 } = ZONE;
    await controller.resync(said({ VIP_0 }, A1, B1));
    expect(world.backends(KEY)).toEqual([`${A1} w1`]);
    await controller.change(said({ VIP_0, IPVS_TRAFFIC_DISTRIBUTION: 'Cluster' }, A1, B1));
    expect(world.backends(KEY)).toEqual([`${A1} w1`, `${B1} w1`]);
  });
});

describe('PreferSameNode', () => {
  test('takes this host, then its zone, then all', async () => {
    const { world, controller } = started(undefined, ['10.1.0.1']);
    const apps = said(NODE, A1, A2, B1);
    await controller.resync(apps);
    expect(world.backends(KEY)).toEqual([`${A1} w1`]);
    await controller.change(said(NODE, A2, B1), A1);
    expect(world.backends(KEY)).toEqual([`${A2} w1`]);
    await controller.change(said(NODE, B1), A2);
    expect(world.backends(KEY)).toEqual([`${B1} w1`]);
  });
});

describe('the place of this host', () => {
  test('is that of the tasks on it where nobody gives one, and stays so when the last of them ends', async () => {
    const { world, controller } = started({}, ['10.1.0.2']);
    await controller.resync(said(ZONE, A1, A2, B1));
    expect(world.backends(KEY)).toEqual([`${A1} w1`, `${A2} w1`]);
    await controller.change(said(ZONE, A1, B1), A2);
    expect(world.backends(KEY)).toEqual([`${A1} w1`]);
  });

  test('is that of its agent where a list of agents tells it', async () => {
    const { world, controller } = started({}, ['10.9.0.9']);
    await controller.resync({ ...said(ZONE, A1, B1), places: { '10.9.0.9': { region: 'eu', zone: 'b' } } });
    expect(world.backends(KEY)).toEqual([`${B1} w1`]);
  });

  test('moves all VIPs at once when it is another one', async () => {
    const { world, controller } = started({}, ['10.9.0.9']);
    const apps = said(ZONE, A1, B1);
    const listed = (zone: string) => ({ ...apps, places: { '10.9.0.9': { region: 'eu', zone } } });
    await controller.resync(listed('a'));
    await controller.change(listed('b'));
    expect(world.backends(KEY)).toEqual([`${B1} w1`]);
  });

  test('if unknown, causes one warning, and every backend gets connections', async () => {
    const { world, controller } = started({});
    const apps = ['/a', '/b', '/c', '/d'].map((id, i) =>
      web(id, { ...ZONE, VIP_0: `11.0.1.${i}:80` }, A1, B1),
    );
    const { desired } = await controller.resync(snapshot(...apps));
    expect(world.backends('tcp/11.0.1.0:80')).toEqual([`${A1} w1`, `${B1} w1`]);
    expect(desired.warnings).toEqual([
      'the zone of this host is not known: no task or agent on it reports one, and --node-zone is not set. So connections go to all backends, whatever IPVS_TRAFFIC_DISTRIBUTION says: 11.0.1.0:80, 11.0.1.1:80, 11.0.1.2:80 and 1 more',
    ]);
  });

  test('that nobody knows, where its region is known, is told with the backends that get connections', async () => {
    const { world, controller } = started({ region: 'eu' });
    const abroad = web('/web', ZONE, A1, B1, C1);
    const [task, ...others] = placed(abroad).tasks;
    const us = placeOf({ region: 'us', zone: 'a' });
    const { desired } = await controller.resync(
      snapshot({ ...abroad, tasks: [...others, ...(task && us ? [{ ...task, place: us }] : [])] }),
    );
    expect(world.backends(KEY)).toEqual([`${B1} w1`, `${C1} w1`]);
    expect(desired.warnings).toEqual([
      'the zone of this host is not known: no task or agent on it reports one, and --node-zone is not set. So connections go to the backends in the region of this host, whatever IPVS_TRAFFIC_DISTRIBUTION says: 11.0.0.1:80',
    ]);
  });

  test('if set to a zone that no source reports, causes a warning with a suggestion', async () => {
    const { controller } = started({ region: 'eu', zone: 'us-eats-1a' });
    const zones = { '10.1': 'us-east-1a', '10.2': 'us-east-1b', '10.3': 'us-west-2' };
    const apps = snapshot(placed(web('/web', ZONE, A1, B1, C1), zones));
    expect((await controller.resync(apps)).desired.warnings).toEqual([
      '--node-zone us-eats-1a: no source reports a task or agent in that zone; known: us-east-1a, us-east-1b, us-west-2; did you mean us-east-1a?',
    ]);
  });

  test.each<[string, Place, Snapshot]>([
    [
      'an agent there is listed',
      { zone: 'd' },
      { ...said(ZONE, A1, B1), places: { '10.9.0.9': { zone: 'd' } } },
    ],
    ['no VIP asks for near backends', { zone: 'd' }, said({ VIP_0: ZONE.VIP_0 }, A1, B1)],
  ])('is given with a zone without backends: nothing is told where %s', async (_why, given, apps) => {
    const { controller } = started(given);
    expect((await controller.resync(apps)).desired.warnings).toEqual([]);
  });

  test('if set to a region that no source reports, causes a warning', async () => {
    const { controller } = started({ region: 'moon', zone: 'a' });
    expect((await controller.resync(said(ZONE, A1, B1))).desired.warnings).toEqual([
      '--node-region moon: no source reports a task or agent in that region; known: eu',
    ]);
  });

  test('has no effect if no source reports the zone of a backend, which causes a warning', async () => {
    const { world, controller } = started();
    const { desired } = await controller.resync(snapshot(web('/web', ZONE, A1, B1)));
    expect(world.backends(KEY)).toEqual([`${A1} w1`, `${B1} w1`]);
    expect(desired.warnings).toEqual([
      'no source reports the zone of a backend. So connections go to all backends, whatever IPVS_TRAFFIC_DISTRIBUTION says: 11.0.0.1:80',
    ]);
  });
});

test('apps that share a VIP and disagree: the first decides, and the places of all count', async () => {
  const { world, controller } = started();
  const { VIP_0 } = ZONE;
  const pass = await controller.resync(
    snapshot(placed(web('/blue', ZONE, A1, B1)), placed(web('/green', { VIP_0 }, A2, C1))),
  );
  expect(world.backends(KEY)).toEqual([`${A1} w1`, `${A2} w1`]);
  expect(pass.desired.warnings.join()).toContain('IPVS_TRAFFIC_DISTRIBUTION Cluster here, but /blue decides');
});
