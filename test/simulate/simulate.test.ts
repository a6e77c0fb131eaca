/**
 * The property: once sources and kernel stop changing, the kernel becomes as desired and stays so. Then foreign services
 * are as their owners left them, the ledger names exactly what is ours, and an hour later nothing has been written.
 */

import { expect, test } from '@jest/globals';
import { AGENTS, SOURCES } from './cluster.ts';
import { play } from './play.ts';
import { shrink } from './shrink.ts';
import { type StoryStep, storyOf } from './story.ts';

const SEEDS = 25;
/** Drains of the histories take half a minute. */
const SOON = { restMs: [5_000, 75_000, 75_000], quietMs: 65_000 };

test(`after each of ${SEEDS} stories the kernel becomes as desired and stays so`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violations } = await play(seed, storyOf(seed));
    expect({ seed, violations }).toEqual({ seed, violations: [] });
  }
});

test('what another program makes while the ledger cannot be written stays as it made it', async () => {
  const steps: readonly StoryStep[] = [
    deploy('/a', '192.168.7.7:80', 3),
    ...readAll(),
    { what: 'disk', disk: 'hanging' },
    wait(1),
    { what: 'foreign', address: '192.168.7.7' },
  ];
  expect((await play(1, steps)).violations).toEqual([]);
});

test.each(['kill', 'stop'] as const)(
  'an app that cannot be read after a restart stays as it was saved: %s',
  async (how) => {
    const steps: readonly StoryStep[] = [
      deploy('/a', '/web:80', 1, 2),
      deploy('/b', '192.168.7.8:80', 3),
      ...readAll(),
      wait(6_000),
      { what: 'unreadable', id: '/a' },
      { what: how },
      ...readAll(),
      wait(6_000),
      { what: how },
      ...readAll(),
      wait(61_000),
    ];
    const { violations, journal } = await play(1, steps, SOON);
    expect(violations).toEqual([]);
    // Each line of the journal is followed by the table that was there then.
    expect(journal.at(-1)).toBe(journal[2 * steps.findIndex(({ what }) => what === 'unreadable') + 1]);
    expect(
      journal
        .at(-1)
        ?.split('\n')
        .filter((line) => line.startsWith('-a')),
    ).toHaveLength(3);
  },
);

test('a disk that hangs at a restart keeps no VIP from coming', async () => {
  const steps: readonly StoryStep[] = [
    deploy('/a', '/web:80', 1, 2),
    ...readAll(),
    wait(6_000),
    { what: 'disk', disk: 'hanging' },
    { what: 'kill' },
    deploy('/a', '/web:80', 1, 2, 4),
    ...readAll(),
    wait(6_000),
  ];
  const { violations, journal } = await play(1, steps, SOON);
  expect(violations).toEqual([]);
  expect(
    journal
      .at(-1)
      ?.split('\n')
      .filter((line) => line.startsWith('-a')),
  ).toHaveLength(3);
});

test('zones that most tasks leave at once are held for a minute, and then count', async () => {
  const near = deploy('/a', '/web:80', ...Array.from({ length: 24 }, (_, i) => 10 + i));
  const options = { ...near.app.options, IPVS_TRAFFIC_DISTRIBUTION: 'PreferSameZone' };
  const zones = (...names: readonly string[]): StoryStep[] =>
    AGENTS.map((agent, i) => ({ what: 'zone', agent, zone: names[i] ?? null }));
  const steps: readonly StoryStep[] = [
    ...zones('a', 'a', 'a'),
    { ...near, app: { ...near.app, options } },
    ...readAll(),
    wait(6_000),
    ...zones('a', 'b', 'b'),
    ...readAll(),
    wait(55_000),
    wait(10_000),
  ];
  const { violations, journal } = await play(1, steps, SOON);
  expect(violations).toEqual([]);
  const backends = (table = '') => table.split('\n').filter((line) => line.startsWith('-a')).length;
  expect([backends(journal.at(-3)), backends(journal.at(-1))]).toEqual([24, 8]);
});

test('a seed gives the same story, with the same tables and writes, each time', async () => {
  for (const seed of [3, 5, 7]) {
    expect(storyOf(seed)).toEqual(storyOf(seed));
    expect(await play(seed, storyOf(seed))).toEqual(await play(seed, storyOf(seed)));
  }
});

test('a crash before or after any write, to the kernel or to the disk, leaves nothing undone', async () => {
  let crashes = 0;
  for (const history of HISTORIES) {
    const { writes } = await play(1, history, SOON);
    expect(writes).toBeGreaterThan(0);
    for (let write = 1; write <= writes; write += 1) {
      for (const when of ['before', 'after'] as const) {
        const { violations } = await play(1, history, { crash: { write, when }, ...SOON });
        expect({ write, when, violations }).toEqual({ write, when, violations: [] });
        crashes += 1;
      }
    }
  }
  expect(crashes).toBeGreaterThan(50);
});

test('on a machine so slow that everything rests at each look, a story ends as on any other', async () => {
  for (const seed of [3, 5, 7]) {
    const slow = await play(seed, storyOf(seed), { lookMs: 1_000 });
    expect({ seed, ...slow }).toEqual({ seed, ...(await play(seed, storyOf(seed))) });
  }
});

test('a story that fails is told without the steps that it fails without', async () => {
  const steps: StoryStep[] = [1, 2, 3, 4, 5, 6, 7].map((ms) => ({ what: 'wait', ms }));
  const fails = async (some: readonly StoryStep[]) => some.includes(at(2)) && some.includes(at(5));
  const at = (index: number) => steps[index] as StoryStep;
  expect(await shrink(steps, fails)).toEqual([at(2), at(5)]);
});

type Deploy = Extract<StoryStep, { what: 'deploy' }>;

/** A service by name and one by address come, change, lose a backend with connections, and go; another program edits them; one grows slowly. */
const HISTORIES: readonly (readonly StoryStep[])[] = [
  [
    deploy('/a', '/web:80', 1, 2),
    ...readAll(),
    wait(6_000),
    deploy('/b', '192.168.7.8:80', 3),
    ...readAll(),
    wait(6_000),
    { what: 'connect', pick: 0, connections: 1 },
    deploy('/a', '/db:53', 2, 4),
    ...readAll(),
    wait(6_000),
    { what: 'delete', id: '/b' },
    ...readAll(),
    wait(65_000),
  ],
  [
    { what: 'foreign', address: '172.16.0.1' },
    deploy('/a', '/web:80', 1, 2),
    ...readAll(),
    wait(6_000),
    { what: 'edit', edit: 'weight', pick: 1, weight: 7 },
    { what: 'edit', edit: 'scheduler', pick: 1, weight: 0 },
    wait(61_000),
    { what: 'edit', edit: 'remove service', pick: 1, weight: 0 },
    wait(61_000),
  ],
  [
    slowly(deploy('/a', '/web:80', 1, 2)),
    ...readAll(),
    wait(6_000),
    slowly(deploy('/a', '/web:80', 1, 2, 3)),
    ...readAll(),
    wait(3_000),
    { what: 'edit', edit: 'weight', pick: 2, weight: 7 },
    wait(12_000),
  ],
];

function deploy(id: string, vip: string, ...places: readonly number[]): Deploy {
  const tasks = places.map((place) => ({ place, state: 'running' as const, healthy: true }));
  const options = { IPVS_DRAIN_SECONDS: '30' };
  return { what: 'deploy', app: { id, protocol: 'tcp', vip, options, tasks, knownTo: SOURCES } };
}

/** The same, with backends that grow for nine seconds. */
function slowly({ app, ...deploy }: Deploy): StoryStep {
  return { ...deploy, app: { ...app, options: { ...app.options, IPVS_SLOW_START_SECONDS: '9' } } };
}

function readAll(): StoryStep[] {
  return SOURCES.map((source) => ({ what: 'read', source, complete: true, delayMs: 0, times: 1 }));
}

function wait(ms: number): StoryStep {
  return { what: 'wait', ms };
}
