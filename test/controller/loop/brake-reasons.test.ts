/** What a mass removal is held for, and what is never held since the source said it by name (rule 4). */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import { Sources } from '../../../controller/loop/sources.ts';
import { type App, appKey, type Health, type TaskState } from '../../../controller/model/app.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import { heldText } from '../../../controller/plan/held-text.ts';
import { largeRemovalText } from '../../../controller/plan/large-removal.ts';
import { Feed } from '../../../controller/source/feed.ts';
import { app, port, snapshot, task, taskPort } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { SILENT_OBSERVER } from '../../support/silent-observer.ts';
import { type Controller, World } from '../../support/world.ts';

const APPS = 20;

interface Shape {
  readonly labels?: Record<string, string>;
  readonly state?: TaskState;
  readonly health?: Health;
  readonly framework?: string;
  readonly protocols?: readonly string[];
  readonly tasks?: readonly number[];
}

/** App number `i` with tasks at 10.0.i.1 and 10.0.i.2 unless told otherwise. */
function one(i: number, shape: Shape = {}): App {
  const {
    labels = { VIP_0: `/a${i}:80` },
    state = 'running',
    health = 'unchecked',
    framework = 'marathon',
  } = shape;
  const declared = port(labels, { protocols: shape.protocols ?? ['tcp'] });
  const tasks = (shape.tasks ?? [1, 2]).map((t) =>
    task(`a${i}.${t}`, [taskPort(declared, `10.0.${i}.${t}:80`)], { state, health }),
  );
  return app(`/a${i}`, { framework, ports: [declared], tasks });
}

const all = (shape: (i: number) => Shape | null = () => ({})): Snapshot => {
  const shapes = Array.from({ length: APPS }, (_, i) => shape(i));
  return snapshot(...shapes.flatMap((each, i) => (each === null ? [] : [one(i, each)])));
};

let world: World;
let clock: FakeClock;
let sources: Sources;
let feed: Feed;
let controller: Controller;

/** The process starts. */
function start(): void {
  controller = world.start();
  feed = new Feed();
  sources = new Sources(
    [{ name: 'marathon', follow: async () => undefined, read: async () => snapshot() }],
    SILENT_OBSERVER,
    controller.reconciler.inventory,
  );
}

beforeEach(async () => {
  clock = new FakeClock();
  world = new World(clock);
  start();
  await list(all());
  expect(inRotation()).toBe(2 * APPS);
});

/** The source was read as a whole, and a pass made of it. */
async function list(now: Snapshot): Promise<PassStatus> {
  sources.read('marathon', feed.list(now, 0));
  return await pass();
}

/** The app of each event was read by itself, one after the other, and a pass made of all. */
async function events(now: Snapshot): Promise<PassStatus> {
  const keys = new Map(now.apps.map((each) => [each.id, each]));
  for (const app of controller.reconciler.inventory.apps.values()) {
    const delta = feed.read(feed.begin(), appKey(app), keys.get(app.id) ?? null, 0);
    if (delta !== null) sources.read('marathon', delta);
  }
  return await pass();
}

async function pass(): Promise<PassStatus> {
  const gone = sources.takeEnded().endpoints;
  return await controller.reconciler.pass({ full: true, complete: true, changesSince: [], gone });
}

function inRotation(): number {
  return [...world.kernel.values()]
    .flatMap(({ backends }) => [...backends.values()])
    .filter(({ weight }) => weight > 0).length;
}

/** After the hold, the sources are read anew and say this. */
async function askAgain(answer: Snapshot): Promise<PassStatus> {
  await clock.advance(60_000);
  const { planner } = controller.reconciler.table;
  planner.confirm(planner.due(clock.monotonic()), Inventory.of([answer]), clock.monotonic());
  return await pass();
}

/** What most of a source may turn into at once. How many are in rotation once it is accepted. */
const TURNS: readonly (readonly [string, (i: number) => Shape | null, number, string])[] = [
  ['every app is missing', () => null, 0, 'missing'],
  ['every app has no task', () => ({ tasks: [] }), 0, 'missing'],
  ['no app has a VIP label any more', () => ({ labels: {} }), 0, 'labels no longer declare the VIP'],
  [
    'most labels name another VIP',
    (i) => ({ labels: { VIP_0: i < 12 ? `/b${i}:80` : `/a${i}:80` } }),
    40,
    '24 whose labels no longer declare the VIP',
  ],
  ['all ports have another protocol', () => ({ protocols: ['udp'] }), 40, 'labels no longer declare the VIP'],
  [
    'the framework has another name',
    () => ({ framework: 'marathon-2' }),
    40,
    'labels no longer declare the VIP',
  ],
  [
    'every label asks for weight 0',
    (i) => ({ labels: { VIP_0: `/a${i}:80`, IPVS_WEIGHT: '0' } }),
    0,
    'weight 0',
  ],
  ['every task is unhealthy', () => ({ health: 'unhealthy' }), 0, 'unhealthy'],
];
/** Of these nobody knows how they are, whoever tells. */
const OUT_OF_SIGHT: typeof TURNS = [
  ['every task is unreachable', () => ({ state: 'unreachable' }), 0, 'unreachable'],
  ['every task is staging', () => ({ state: 'staging' }), 0, 'staging'],
  ['every health result is lost', () => ({ health: 'unknown' }), 0, 'without the health results'],
];

describe.each([...TURNS, ...OUT_OF_SIGHT])('%s in one list', (_what, shape, left, why) => {
  test('is held, with the reason, until the source, read again, confirms it', async () => {
    const turned = all(shape);
    const held = await list(turned);
    expect(held.held && heldText(held.held)).toContain(why);
    expect(held.plan.services.filter((service) => service.held).length).toBeGreaterThanOrEqual(12);
    const before = inRotation();
    expect(before).toBeGreaterThanOrEqual(2 * APPS);
    expect(controller.reconciler.table.planner.due(clock.monotonic() + 59_999).size).toBe(0);
    // The same list again is no other word.
    expect((await list(all(shape))).held).not.toBeNull();
    expect(inRotation()).toBe(before);

    const done = await askAgain(all(shape));
    expect(done.held).toBeNull();
    expect(inRotation()).toBe(left);
  });

  test('changes nothing if the source returns to the old state', async () => {
    await list(all(shape));
    expect((await list(all())).held).toBeNull();
    expect(inRotation()).toBe(2 * APPS);
    expect([...world.kernel.values()]).toHaveLength(APPS);
  });

  test('waits again if the source, read again, had returned to the old state', async () => {
    await list(all(shape));
    expect((await askAgain(all())).held).not.toBeNull();
    expect((await list(all())).held).toBeNull();
    expect(inRotation()).toBe(2 * APPS);
  });
});

describe.each(TURNS)('%s, each told by an event about its app', (_what, shape, left) => {
  test('is not held if the source reported it by name', async () => {
    expect((await events(all(shape))).held).toBeNull();
    expect(inRotation()).toBe(left);
  });
});

test.each(OUT_OF_SIGHT)(
  '%s, told by events, is held all the same: nobody knows how they are',
  async (_what, shape) => {
    expect((await events(all(shape))).held).not.toBeNull();
    expect(inRotation()).toBe(2 * APPS);
  },
);

test.each<TaskState>(['killing', 'gone'])(
  'every task is %s: is not held, also in one list',
  async (state) => {
    expect((await list(all(() => ({ state })))).held).toBeNull();
    expect(inRotation()).toBe(0);
  },
);

test('a scale-down of all apps that events report is not held', async () => {
  expect((await events(all(() => ({ tasks: [1] })))).held).toBeNull();
  expect(inRotation()).toBe(APPS);
});

test('a deployment that replaces every task is not held, whether events or lists tell of it', async () => {
  expect((await events(all(() => ({ tasks: [1, 2, 3, 4] })))).held).toBeNull();
  expect((await events(all(() => ({ tasks: [3, 4] })))).held).toBeNull();
  expect((await list(all(() => ({ tasks: [5, 6] })))).held).toBeNull();
  expect(inRotation()).toBe(2 * APPS);
});

test('an event about an app does not allow a list to drop the app minutes later', async () => {
  // Each app was told of by an event: its labels changed, and then changed back.
  await events(all((i) => ({ labels: { VIP_0: `/a${i}:80`, other: 'x' } })));
  await events(all());
  await clock.advance(60_000);
  expect((await list(snapshot())).held).toMatchObject({ vips: APPS });
  expect(inRotation()).toBe(2 * APPS);
});

test('labels that events move to other VIPs are applied at once, and those VIPs are held if a list then lacks them', async () => {
  const moved = all((i) => ({ labels: { VIP_0: `/b${i}:80` } }));
  expect((await events(moved)).held).toBeNull();
  expect([...world.ledgerEntries.values()].every(({ name }) => name?.startsWith('b') === true)).toBe(true);
  expect((await list(snapshot())).held).toMatchObject({ vips: APPS });
});

test('a held backend does not drain: its drain time begins when the hold ends', async () => {
  const busy = [...world.kernel].map(([key, service]) => {
    const backends = [...service.backends].map(
      ([at, backend]) => [at, { ...backend, activeConnections: 3 }] as const,
    );
    return [key, { ...service, backends: new Map(backends) }] as const;
  });
  world.kernel = new Map(busy);
  const unlabelled = all(() => ({ labels: {} }));
  expect((await list(unlabelled)).drains.size).toBe(0);
  expect([...world.ledgerEntries.values()].some(({ drains }) => drains !== undefined)).toBe(false);

  const done = await askAgain(unlabelled);
  const deadlines = [...done.drains.values()].flatMap((each) => [...each.values()]);
  expect(new Set(deadlines)).toEqual(new Set([clock.monotonic() + 300_000]));
  expect(deadlines).toHaveLength(2 * APPS);
});

test('names and addresses of another framework are added beside held ones', async () => {
  const before = new Set(world.kernel.keys());
  await list(all(() => ({ framework: 'marathon-2' })));
  expect(world.kernel.size).toBe(2 * APPS);
  expect(before.isSubsetOf(new Set(world.kernel.keys()))).toBe(true);
  expect([...world.memory.addresses.keys()].filter((name) => name.endsWith('.marathon'))).toHaveLength(APPS);
});

describe('why a large removal was not held is in the status of its pass', () => {
  const why = ({ largeRemoval }: PassStatus) =>
    largeRemoval == null ? null : largeRemovalText(largeRemoval);

  test('which source named it', async () => {
    const at = clock.monotonic();
    const pass = await events(all(() => null));
    expect(pass.largeRemoval?.because).toEqual([{ rule: 'named', source: 'marathon', at, backends: 40 }]);
    expect(why(pass)).toBe('20 of 20 VIPs and 40 of 40 backends left the rotation: 40 named by marathon');
  });

  test('that a list says of its tasks that they end', async () => {
    expect(why(await list(all(() => ({ state: 'killing' }))))).toContain(
      '40 whose tasks are ending, according to a list',
    );
  });

  test('that it was held before and confirmed', async () => {
    const held = await list(all(() => null));
    expect(why(held)).toBeNull();
    expect(why(await askAgain(all(() => null)))).toContain('40 held before and confirmed');
  });

  test('that what no source named was too little to hold', async () => {
    const shape = (i: number): Shape =>
      i < 12 ? { state: 'killing' } : i === 12 ? { health: 'unhealthy' } : {};
    expect(why(await list(all(shape)))).toContain(
      '24 whose tasks are ending, according to a list, 2 too few to be held',
    );
  });

  test('but removals of a few backends and replacements are not reported', async () => {
    expect(why(await events(all((i) => (i === 0 ? null : {}))))).toBeNull();
    expect(why(await list(all(() => ({ tasks: [3, 4] }))))).toBeNull();
  });

  test('that the brake is off', async () => {
    const open = new World(clock).start({ brake: null });
    await open.resync(all());
    expect(why(await open.resync(all(() => null)))).toContain('40 with the brake off (--allow-mass-removal)');
  });
});

test('losses of a service that is adopted in this pass count too, as in a migration or after the ledger was lost', async () => {
  world.ledgerEntries = new Map();
  start();
  const pass = await list(all(() => ({ health: 'unknown' })));
  expect(pass.plan.services.every(({ adopted }) => adopted)).toBe(true);
  expect(pass.held).toMatchObject({ backends: 2 * APPS });
  expect(inRotation()).toBe(2 * APPS);
});
