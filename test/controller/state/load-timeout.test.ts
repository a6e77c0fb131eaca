import { expect, test } from '@jest/globals';
import type { StateStore } from '../../../controller/ports.ts';
import { withLoadTimeout } from '../../../controller/state/load-timeout.ts';
import { app, snapshot } from '../../support/builders.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { World } from '../../support/world.ts';

/** A disk that answers when it is told to. */
class SlowDisk {
  readonly clock = new FakeClock();
  readonly world = new World(this.clock);
  readonly begun: string[] = [];
  #answer: (() => void)[] = [];
  readonly store: StateStore = withLoadTimeout(
    {
      ...this.world.store,
      loadSource: async (source) => {
        await this.#asked(`load ${source}`);
        return await this.world.store.loadSource(source);
      },
      loadMemory: async () => {
        await this.#asked('load names');
        return await this.world.store.loadMemory();
      },
      saveSource: async (source, ...rest) => {
        this.begun.push(`save ${source}`);
        await this.world.store.saveSource(source, ...rest);
      },
    },
    this.clock,
    this.world.log,
  );

  #asked(what: string): Promise<void> {
    this.begun.push(what);
    return new Promise((resolve) => this.#answer.push(resolve));
  }

  answer(): void {
    for (const answer of this.#answer.splice(0)) answer();
  }
}

const stored = { snapshot: snapshot(app('/a')), savedAt: 1 };

test('what the disk answers in time is what was saved', async () => {
  const disk = new SlowDisk();
  disk.world.stored.set('marathon', stored);
  const loading = disk.store.loadSource('marathon');
  await disk.clock.advance(2_900);
  disk.answer();
  expect(await loading).toEqual(stored);
  expect(disk.world.logged).toEqual([]);
});

test('a disk that hangs counts as one that has nothing, and is asked one thing at a time', async () => {
  const disk = new SlowDisk();
  disk.world.stored.set('marathon', stored);
  const loading = Promise.all([
    disk.store.loadSource('marathon'),
    disk.store.loadSource('mesos'),
    disk.store.loadMemory(),
  ]);
  await disk.clock.advance(3_000);
  expect(await loading).toEqual([null, null, null]);
  expect(disk.begun).toEqual(['load marathon']);
  const error = 'the file system has not answered for 3 s';
  expect(disk.world.logged.map(({ fields }) => fields)).toEqual([
    { what: 'marathon', error },
    { what: 'mesos', error },
    { what: 'names and labels', error },
  ]);
});

test('a save waits for a load that hangs, so that the load does not end after it', async () => {
  const disk = new SlowDisk();
  const loading = disk.store.loadSource('marathon');
  await disk.clock.advance(3_000);
  expect(await loading).toBeNull();
  const saving = disk.store.saveSource('marathon', null, () => stored.snapshot);
  await settled();
  expect(disk.begun).toEqual(['load marathon']);
  let isSettled = false;
  const settling = disk.store.settled?.().then(() => {
    isSettled = true;
  });
  await settled();
  expect(isSettled).toBe(false);
  disk.answer();
  await Promise.all([saving, settling]);
  expect(disk.begun).toEqual(['load marathon', 'save marathon']);
  expect(disk.world.stored.get('marathon')?.snapshot).toEqual(stored.snapshot);
});
