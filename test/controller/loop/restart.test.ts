/** What a restart does to apps that cannot be read: with Marathon's HTTP and a state directory, and the kernel in memory. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from '../../../controller/cli/commands/once.ts';
import { SavedEndpoints } from '../../../controller/loop/saved-endpoints.ts';
import { withLoadTimeout } from '../../../controller/state/load-timeout.ts';
import { createStateStore, savedIn } from '../../../controller/state/store.ts';
import { systemClock } from '../../../controller/time.ts';
import { World } from '../../support/world.ts';
import { app, marathon, never, source, task, useStubMarathon } from '../source/marathon/source-setup.ts';

useStubMarathon();

let directory: string;
let world: World;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'restart-'));
  world = new World();
});
afterEach(() => rmSync(directory, { recursive: true }));

const backends = () =>
  [...world.kernel].flatMap(([key]) =>
    world.backends(key).map((backend) => `${key.split(':').at(-1)} ${backend}`),
  );

/** A process that starts, makes one pass, saves, and ends. */
async function runOnce(stateDirectory = directory): Promise<number> {
  const { log } = world;
  const store = withLoadTimeout(createStateStore(stateDirectory, systemClock, log), systemClock, log);
  Object.assign(world.store, store);
  const saved = new SavedEndpoints(savedIn(store));
  const ports = {
    ...world.ports(),
    sources: [source({ saved: saved.load })],
    reconciler: world.start({ saved }).reconciler,
    print: () => undefined,
    printError: () => undefined,
  };
  const status = await once(ports, { output: 'text', paint: (_colour, text) => text }, never);
  await ports.reconciler.settled();
  return status;
}

const kernelWrites = () => world.done().filter((line) => line.startsWith('kernel'));

test('what can no longer be read after a restart stays in the kernel as it was, restart after restart', async () => {
  marathon.apps.set('/a', app('a:80', { tasks: [task(31000), task(31001)] }));
  marathon.apps.set('/b', app('b:81', { tasks: [task(31002)] }));
  expect(await runOnce()).toBe(0);
  const before = ['80 10.0.0.1:31000 w1', '80 10.0.0.1:31001 w1', '81 10.0.0.1:31002 w1'];
  expect(backends().sort()).toEqual(before);
  kernelWrites();

  marathon.apps.set('/a', app('a:80', { tasks: [task(31000), task(31001, { ports: ['x'] })] }));
  marathon.apps.set('/b', app('b:81', { tasks: [task(31002)], portDefinitions: 7 }));
  expect(await runOnce()).toBe(0);
  expect(await runOnce()).toBe(0);
  expect(backends().sort()).toEqual(before);
  expect(kernelWrites()).toEqual([]);

  marathon.apps.set('/a', app('a:80', { tasks: [task(31000)] }));
  marathon.apps.delete('/b');
  expect(await runOnce()).toBe(0);
  expect(backends()).toEqual(['80 10.0.0.1:31000 w1']);
});

describe('an app that has lost its id', () => {
  const KEPT = 2;
  const b = (fields: object = {}) => app('b:81', { tasks: [task(31002)], ...fields });

  test('keeps nothing that the saved state has of an app that can be read', async () => {
    marathon.apps.set('/a', app('a:80', { tasks: [task(31000), task(31001)] }));
    marathon.apps.set('/b', b());
    await runOnce();
    marathon.apps.set('/b', b({ id: 7 }));
    expect(await runOnce()).toBe(KEPT);
    expect(backends().sort()).toHaveLength(3);
    marathon.apps.set('/a', app('a:80', { tasks: [task(31000)] }));
    expect(await runOnce()).toBe(KEPT);
    expect(backends().sort()).toEqual(['80 10.0.0.1:31000 w1', '81 10.0.0.1:31002 w1']);
  });

  test('keeps its backends, also where the saved state is needed for another app', async () => {
    marathon.apps.set('/a', app('a:80', { tasks: [task(31000)] }));
    marathon.apps.set('/b', b());
    await runOnce();
    marathon.apps.set('/a', app('a:80', { tasks: [task(31000, { ports: ['x'] })] }));
    marathon.apps.set('/b', b({ id: 7 }));
    for (let starts = 0; starts < 2; starts += 1) {
      expect(await runOnce()).toBe(KEPT);
      expect(backends().sort()).toEqual(['80 10.0.0.1:31000 w1', '81 10.0.0.1:31002 w1']);
    }
  });
});
