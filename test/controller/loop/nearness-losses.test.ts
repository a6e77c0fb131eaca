/** What leaves the rotation because of where sources say that backends, or this host, stand: held as any mass removal (rule 4). */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import type { App } from '../../../controller/model/app.ts';
import { type Place, placeOf } from '../../../controller/model/place.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import { heldText } from '../../../controller/plan/held-text.ts';
import { HOLD_MS } from '../../../controller/plan/tier-choice.ts';
import { snapshot, web } from '../../support/builders.ts';
import { type Controller, World } from '../../support/world.ts';

const VIPS = 10;
const TASKS = 10;
const HOLD = 60_000;
const HOST = '10.9.0.9';
/** Number of a VIP and of its task -> its zone; `us-…` is in another region. */
type Zones = (vip: number, task: number) => string | undefined;

const allHere: Zones = () => 'a';
const twoHere: Zones = (_vip, task) => (task < 2 ? 'a' : 'b');

function said(zones: Zones): Snapshot {
  return snapshot(...Array.from({ length: VIPS }, (_, vip) => placed(vip, zones)));
}

function placed(vip: number, zones: Zones): App {
  const labels = { VIP_0: `11.0.0.${vip}:80`, IPVS_TRAFFIC_DISTRIBUTION: 'PreferSameZone' };
  const app = web(`/${vip}`, labels, ...Array.from({ length: TASKS }, (_, task) => endpoint(vip, task)));
  const tasks = app.tasks.map((each, task) => {
    const zone = zones(vip, task);
    const place = placeOf({ region: zone?.startsWith('us-') ? 'us' : 'eu', zone });
    return { ...each, ...(place && { place }) };
  });
  return { ...app, tasks };
}

const endpoint = (vip: number, task: number) => `10.0.${vip}.${task}:80`;

let world: World;
let controller: Controller;
beforeEach(() => {
  world = new World();
  controller = start();
});

function start(
  given: Place = { region: 'eu', zone: 'a' },
  more: { readonly trafficDistribution?: 'PreferSameZone' } = {},
): Controller {
  const addresses = new Set([HOST]);
  return world.start({ host: { given, addresses: () => addresses }, ...more });
}

function inRotation(): number {
  let count = 0;
  for (const { backends } of world.kernel.values())
    for (const { weight } of backends.values()) if (weight > 0) count += 1;
  return count;
}

/** The sources are read again, and say this. */
async function confirm(now: Snapshot): Promise<number> {
  const { planner } = controller.reconciler.table;
  const confirmed = planner.confirm(planner.due(world.now), Inventory.of([now]), world.now);
  await controller.resync(now);
  return confirmed;
}

describe('most tasks in rotation change their zones at once', () => {
  beforeEach(async () => {
    await controller.resync(said(allHere));
    expect(inRotation()).toBe(100);
  });

  test('they are held, with the reason, as long as the sources report it', async () => {
    const { held, plan } = await controller.resync(said(twoHere));
    expect(inRotation()).toBe(100);
    expect(held).toMatchObject({ backends: 80, ofBackends: 100, vips: 0, reasons: [['not near', 80]] });
    expect(held && heldText(held)).toContain('80 not the nearest, by the zones that the sources now report');
    expect(plan.services[0]?.backends[9]?.reason).toBe(
      'held: others are nearer, by the zones that the sources now report',
    );
    world.now += HOLD / 2;
    expect((await controller.change(said(twoHere))).held).toMatchObject({ backends: 80 });
    expect(inRotation()).toBe(100);
  });

  test('they are removed once the sources, read again, confirm it', async () => {
    await controller.resync(said(twoHere));
    world.now += HOLD;
    expect(await confirm(said(twoHere))).toBe(80);
    expect(inRotation()).toBe(20);
    expect((await controller.resync(said(twoHere))).held).toBeNull();
  });

  test('they wait again if the sources, read again, report other zones', async () => {
    await controller.resync(said(twoHere));
    world.now += HOLD;
    const { planner } = controller.reconciler.table;
    expect(planner.confirm(planner.due(world.now), Inventory.of([said(allHere)]), world.now)).toBe(0);
    expect((await controller.resync(said(twoHere))).held).toMatchObject({ backends: 80 });
    expect(inRotation()).toBe(100);
  });

  test('nothing has happened to them once the zones are as before', async () => {
    await controller.resync(said(twoHere));
    world.done();
    const { held } = await controller.resync(said(allHere));
    expect(held).toBeNull();
    expect(world.done().filter((line) => line.startsWith('kernel'))).toEqual([]);
  });

  test('they are held by a controller that starts only afterwards', async () => {
    controller = start();
    expect((await controller.resync(said(twoHere))).held).toMatchObject({ backends: 80 });
    expect(inRotation()).toBe(100);
  });

  test('they are held also where none is left in this zone, and a few in this region', async () => {
    const abroad: Zones = (_vip, task) => (task < 2 ? 'c' : 'us-1');
    const { held } = await controller.resync(said(abroad));
    expect(held).toMatchObject({ backends: 80, reasons: [['not near', 80]] });
    expect(inRotation()).toBe(100);
  });

  test('they are held also where no zone is told for a while, and then that of a few', async () => {
    await controller.resync(said(() => undefined));
    await controller.resync(said((_vip, task) => (task < 2 ? 'a' : undefined)));
    world.now += HOLD_MS;
    const { held } = await controller.resync(said((_vip, task) => (task < 2 ? 'a' : undefined)));
    expect(held).toMatchObject({ backends: 80, reasons: [['not near', 80]] });
    expect(inRotation()).toBe(100);
    await controller.resync(said(allHere));
    expect(inRotation()).toBe(100);
  });

  test('few of them may go', async () => {
    const few: Zones = (vip, task) => (vip < 9 && task === 0 ? 'b' : 'a');
    expect((await controller.resync(said(few))).held).toBeNull();
    expect(inRotation()).toBe(91);
  });

  test('one whose end a source reports by name is removed', async () => {
    await controller.resync(said(twoHere));
    await controller.change(said(twoHere), endpoint(3, 9));
    expect(inRotation()).toBe(99);
  });
});

describe('this host suddenly is in another zone', () => {
  const zones: Zones = (_vip, task) => (task < 8 ? 'a' : 'b');
  const listed = (zone: string): Snapshot => ({
    ...said(zones),
    places: { [HOST]: { region: 'eu', zone } },
  });

  beforeEach(async () => {
    controller = start({});
    await controller.resync(listed('a'));
    expect(inRotation()).toBe(80);
  });

  test('near backends are added at once, and formerly near ones are held', async () => {
    const { held } = await controller.resync(listed('b'));
    expect(held).toMatchObject({ backends: 60, ofBackends: 80, reasons: [['not near', 80]] });
    expect(inRotation()).toBe(100);
  });

  test('it goes once the sources, read again, say the same, and waits again where they do not', async () => {
    await controller.resync(listed('b'));
    world.now += HOLD;
    const { planner } = controller.reconciler.table;
    expect(planner.confirm(planner.due(world.now), Inventory.of([listed('a')]), world.now)).toBe(0);
    expect((await controller.resync(listed('b'))).held).not.toBeNull();
    expect(inRotation()).toBe(100);
    world.now += HOLD;
    expect(await confirm(listed('b'))).toBe(80);
    expect(inRotation()).toBe(20);
  });
});

describe('newly requested nearness is no removal by a source', () => {
  const unasked = (zones: Zones): Snapshot => {
    const { apps, ...rest } = said(zones);
    const strip = ({ labels, ...port }: App['ports'][number]) => {
      const { IPVS_TRAFFIC_DISTRIBUTION: _, ...others } = labels;
      return { ...port, labels: others };
    };
    return {
      ...rest,
      apps: apps.map((app) => ({
        ...app,
        ports: app.ports.map(strip),
        tasks: app.tasks.map((task) => ({
          ...task,
          ports: task.ports.map((port) => ({ ...port, ...strip(port) })),
        })),
      })),
    };
  };
  const goesAtOnce = ({ held, largeRemoval }: Awaited<ReturnType<Controller['resync']>>) => {
    expect([held, largeRemoval]).toEqual([null, null]);
    expect(inRotation()).toBe(20);
  };

  test('by an option, with which a controller starts', async () => {
    await controller.resync(unasked(twoHere));
    expect(inRotation()).toBe(100);
    controller = start(undefined, { trafficDistribution: 'PreferSameZone' });
    goesAtOnce(await controller.resync(unasked(twoHere)));
  });

  test('by the option that says where this host is', async () => {
    controller = start({});
    await controller.resync(said(twoHere));
    expect(inRotation()).toBe(100);
    controller = start();
    goesAtOnce(await controller.resync(said(twoHere)));
  });

  test('by a label', async () => {
    await controller.resync(unasked(twoHere));
    goesAtOnce(await controller.resync(said(twoHere)));
  });

  test('and other zones afterwards are one again, also to a controller that starts only then', async () => {
    controller = start(undefined, { trafficDistribution: 'PreferSameZone' });
    await controller.resync(unasked(allHere));
    controller = start(undefined, { trafficDistribution: 'PreferSameZone' });
    expect((await controller.resync(unasked(twoHere))).held).toMatchObject({ backends: 80 });
    expect(inRotation()).toBe(100);
  });
});

test('zones that are told for the first time are waited for, and no removal by a source', async () => {
  await controller.resync(said(() => undefined));
  await controller.resync(said(twoHere));
  expect(inRotation()).toBe(100);
  world.now += HOLD_MS;
  const { held, largeRemoval } = await controller.resync(said(twoHere));
  expect([held, largeRemoval]).toEqual([null, null]);
  expect(inRotation()).toBe(20);
});

test('where as many tasks name one zone for this host as another, what is held for other reasons is let go', async () => {
  const zoneOf = (app: App, zone: string): App => {
    const place = placeOf({ region: 'eu', zone });
    const agent = { host: 'host', address: HOST };
    return { ...app, tasks: app.tasks.map((task) => ({ ...task, agent, ...(place && { place }) })) };
  };
  const inB = zoneOf(web('/b', { VIP_0: '11.0.1.1:80' }, `${HOST}:8001`), 'b');
  const inA = zoneOf(web('/a', { VIP_0: '11.0.1.2:80' }, `${HOST}:8002`), 'a');
  const others = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      web(`/of-${i}`, { VIP_0: `11.0.2.${i}:80` }, `10.0.1.${i}:80`, `10.0.2.${i}:80`),
    );
  controller = start({});
  await controller.resync(snapshot(inB, ...others(20)));
  await controller.change(snapshot(inA, inB, ...others(20)));
  const fewer = snapshot(inA, inB, ...others(2));
  expect((await controller.resync(fewer)).held).toMatchObject({ vips: 18 });
  world.now += HOLD;
  expect(await confirm(fewer)).toBe(36);
  expect((await controller.resync(fewer)).held).toBeNull();
});
