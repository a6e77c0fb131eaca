/** What is ours and no source declares, while a part of a source could not be read since the start (rule 2). */

import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import { SavedEndpoints } from '../../../controller/loop/saved-endpoints.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import { createFileSource } from '../../../controller/source/file/source.ts';
import { createStateStore, savedIn } from '../../../controller/state/store.ts';
import { DEFAULT_LIMITS, readyz } from '../../../controller/status/checks.ts';
import type { Status } from '../../../controller/status/status.ts';
import { systemClock } from '../../../controller/time.ts';
import { type Controller, World } from '../../support/world.ts';
import { namesOf, silent } from '../source/support.ts';

const never = new AbortController().signal;

let directory: string;
let state: string;
let world: World;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'unknown-'));
  state = await mkdtemp(join(tmpdir(), 'unknown-state-'));
  world = new World();
});
afterEach(async () => {
  for (const each of [directory, state]) await rm(each, { recursive: true });
});

const path = (name: string) => join(directory, `${name}.json`);
const write = (name: string, json: unknown) =>
  writeFile(path(name), typeof json === 'string' ? json : JSON.stringify(json));
const app = (name: string, ports: readonly number[], vip = name) => ({
  id: `/${name}`,
  cmd: 'x',
  portDefinitions: [{ labels: { VIP_0: `${vip}:80` } }],
  tasks: ports.map((port) => ({
    id: `${name}.${port}`,
    host: '10.0.0.1',
    state: 'TASK_RUNNING',
    ports: [port],
  })),
});

/** A controller that has just started, with the files' source; `saved` as with a directory for its state. */
class Process {
  readonly controller: Controller;
  readonly #store = createStateStore(state, systemClock, silent);
  readonly #source;

  constructor(hasState = false) {
    const endpoints = new SavedEndpoints(savedIn(this.#store));
    this.controller = world.start({ saved: endpoints });
    const saved = hasState ? { saved: endpoints.load } : {};
    this.#source = createFileSource({ path: directory, resolver: namesOf(), log: silent, ...saved });
  }

  read(): Promise<Snapshot> {
    return this.#source.read(never);
  }

  async pass(): Promise<PassStatus> {
    return await this.controller.resync(await this.read());
  }

  async save(): Promise<void> {
    const snapshot = await this.read();
    await this.#store.saveSource(`file=${directory}`, null, () => snapshot);
  }
}

/** `80 31000 w1`, for each backend of the kernel. */
const backends = () =>
  [...world.kernel.keys()].flatMap((key) => world.backends(key).map((one) => one.replace(/^.*:/, ''))).sort();
const removals = (pass: PassStatus) =>
  readyz(
    { sources: [], lastPass: pass, dryRun: false, movedAt: 0 } as unknown as Status,
    0,
    DEFAULT_LIMITS,
  ).find(({ name }) => name === 'removals');

async function threeFiles(): Promise<void> {
  await write('a', app('a', [31000]));
  await write('b', app('b', [31001, 31002]));
  await write('c', app('c', [31003]));
  await new Process().pass();
}

const ALL = ['31000 w1', '31001 w1', '31002 w1', '31003 w1'];

test('the VIP of a file that cannot be read stays after a start without saved state', async () => {
  await threeFiles();
  await write('b', '{');
  const started = new Process();
  const pass = await started.pass();
  expect(backends()).toEqual(ALL);
  expect(pass).toMatchObject({ held: null, shortfall: [], unknown: [{ part: path('b') }] });
  expect(removals(pass)).toMatchObject({ ok: true });
  const message = String(removals(pass)?.message);
  expect(message).toContain('2 backends of 1 VIP stay although no source declares them');
  expect(message).toContain(`file ${path('b')}: not JSON`);
  expect(message).toContain('Correct it, or remove it from its source');
  const [kept] = pass.plan.services.filter(({ held }) => held);
  expect(kept).toMatchObject({ name: 'b', op: 'keep', held: true });
  expect(pass.decisions.get(String(kept?.key))?.get('10.0.0.1:31001')).toMatchObject({
    rule: 'unknown part',
  });
  // And it stays, however many passes are made.
  world.now += 600_000;
  await started.pass();
  expect(backends()).toEqual(ALL);
});

test('the brake does not hold it, so no source is read again', async () => {
  await write('b', app('b', [31001, 31002]));
  await new Process().pass();
  await write('b', '{');
  const started = new Process();
  const pass = await started.pass();
  world.now += 60_000;
  expect(started.controller.reconciler.table.planner.due(world.now).size).toBe(0);
  expect(pass.held).toBeNull();
  expect(backends()).toEqual(['31001 w1', '31002 w1']);
});

test('when the file can be read, undeclared VIPs are removed', async () => {
  await threeFiles();
  await write('b', '{');
  const started = new Process();
  await started.pass();
  await write('b', app('b', [31002]));
  const pass = await started.pass();
  expect(backends()).toEqual(['31000 w1', '31002 w1', '31003 w1']);
  expect(pass).toMatchObject({ unknown: [], kept: new Map() });
  expect(removals(pass)?.message).toBeNull();
});

test('when the file is removed, its backends are removed', async () => {
  await threeFiles();
  await write('b', '{');
  const started = new Process();
  await started.pass();
  await unlink(path('b'));
  await started.pass();
  expect(backends()).toEqual(['31000 w1', '31003 w1']);
});

test('backends that were declared since the start, and new ones, are removed as usual', async () => {
  await threeFiles();
  await write('b', '{');
  const started = new Process();
  await started.pass();
  await write('a', app('a', [31000, 31009]));
  await started.pass();
  expect(backends()).toEqual([...ALL, '31009 w1']);
  await write('a', app('a', [31009]));
  await unlink(path('c'));
  await started.pass();
  expect(backends()).toEqual(['31001 w1', '31002 w1', '31009 w1']);
});

test('a backend of a VIP that another file declares, too, stays', async () => {
  await write('a', app('a', [31000], 'shared'));
  await write('b', app('b', [31001, 31002], 'shared'));
  await new Process().pass();
  await write('b', '{');
  const pass = await new Process().pass();
  expect(backends()).toEqual(['31000 w1', '31001 w1', '31002 w1']);
  expect(removals(pass)?.message).toContain('2 backends of 1 VIP');
});

test('a file of which nothing was saved is still unknown at the next start, although the others were saved', async () => {
  await threeFiles();
  await write('b', '{');
  const started = new Process(true);
  await started.pass();
  await started.save();
  const again = new Process(true);
  expect((await again.pass()).unknown).toMatchObject([{ part: path('b') }]);
  expect(backends()).toEqual(ALL);
});

test('a file that stays broken keeps nothing that the saved state has of other files', async () => {
  await write('a', app('a', [31000, 31001]));
  await write('c', app('c', [31003]));
  await write('b', '{');
  const started = new Process(true);
  await started.pass();
  await started.save();
  // While the controller is down, a task of each app ends.
  await write('a', app('a', [31000]));
  await write('c', app('c', []));
  const again = new Process(true);
  expect((await again.pass()).unknown).toMatchObject([{ part: path('b') }]);
  expect(backends()).toEqual(['31000 w1']);
});

test('what is unknown of one source keeps nothing that the saved state has of another', async () => {
  await write('a', app('a', [31000, 31001]));
  await write('b', '{');
  const one = (name: string) => createFileSource({ path: path(name), resolver: namesOf(), log: silent });
  const store = createStateStore(state, systemClock, silent);
  const readable = await one('a').read(never);
  const unknown = [{ part: path('b'), reason: 'not JSON' }];
  await world.start().resync({ ...readable, unknown });
  await store.saveSource('a', null, () => readable);
  await store.saveSource('b', null, () => ({ apps: [], rejected: [], warnings: [], unknown }));
  await write('a', app('a', [31000]));
  const saved = new SavedEndpoints(savedIn(store));
  await saved.record(['a', 'b']);
  await world.start({ saved }).resync({ ...(await one('a').read(never)), unknown });
  expect(backends()).toEqual(['31000 w1']);
});

test('a file that is new since the state was saved has nothing in the kernel', async () => {
  await threeFiles();
  await new Process(true).save();
  await unlink(path('b'));
  await write('d', '{');
  const { unknown } = await new Process(true).pass();
  expect(unknown).toEqual([]);
});

describe('reading the sources again', () => {
  const told = (unknown: boolean) =>
    Inventory.of([
      {
        apps: [],
        rejected: [],
        warnings: [],
        ...(unknown && { unknown: [{ part: '/b', reason: 'not JSON' }] }),
      },
    ]);

  test.each([
    ['says that it is gone', false, 1],
    ['and finding something that cannot be read says nothing', true, 0],
  ])('%s', async (_what, isUnknown, confirmed) => {
    await write('a', [app('a', [31000]), app('b', [31001])]);
    const started = new Process();
    await started.pass();
    await write('a', []);
    await started.pass();
    world.now += 60_000;
    const { planner } = started.controller.reconciler.table;
    const due = planner.due(world.now);
    expect(due.size).toBe(2);
    expect(planner.confirm(due, told(isUnknown), world.now)).toBe(2 * confirmed);
  });
});
