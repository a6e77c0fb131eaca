import { beforeEach, expect, test } from '@jest/globals';
import { isLater, Serials } from '../../../controller/dns/serials.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { World } from '../../support/world.ts';

let clock: FakeClock;
let world: World;
beforeEach(() => {
  clock = new FakeClock();
  world = new World(clock);
});

const open = () => Serials.open(world.store, clock, world.log);
const seconds = () => Math.floor(clock.epoch() / 1_000);

async function take(serials: Serials, count: number): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < count; i += 1) {
    taken.push(serials.next());
    await settled();
  }
  return taken;
}

test.each([
  [2, 1, true],
  [1, 1, false],
  [1, 2, false],
  [0, 2 ** 32 - 1, true],
  [2 ** 32 - 1, 0, false],
  [2 ** 31 - 1, 0, true],
  [2 ** 31, 0, false],
])('serials wrap: is %d later than %d? %s', (a, b, expected) => {
  expect(isLater(a, b)).toBe(expected);
});

test('without a saved one, serials begin at the time of the clock', async () => {
  expect((await open()).next()).toBe(seconds());
});

test('each serial is reserved on disk before it is taken, with few writes', async () => {
  let writes = 0;
  const { saveSerial } = world.store;
  world.store.saveSerial = async (serial) => {
    writes += 1;
    await saveSerial(serial);
  };
  const serials = await open();
  for (let i = 0; i < 1_000; i += 1) {
    const [serial = 0] = await take(serials, 1);
    expect(isLater(world.serial ?? 0, serial)).toBe(true);
  }
  expect(writes).toBeLessThan(10);
});

test.each([
  ['within a second', 0],
  ['with the clock set back by years', -100_000_000_000],
])('a restart %s continues after all that were taken', async (_when, step) => {
  const before = await take(await open(), 300);
  clock.step(step);
  const [after = 0] = await take(await open(), 1);
  expect(isLater(after, before.at(-1) ?? 0)).toBe(true);
});

test('they continue over the end of 32 bits', async () => {
  clock.step((2 ** 32 - 100) * 1_000 - clock.epoch());
  world.serial = 2 ** 32 - 2;
  expect(await take(await open(), 4)).toEqual([2 ** 32 - 2, 2 ** 32 - 1, 0, 1]);
});

test('a disk that is full is logged once, keeps no serial back, and is tried again', async () => {
  const { saveSerial } = world.store;
  world.store.saveSerial = async () => {
    throw new Error('no space is left');
  };
  const serials = await open();
  const first = seconds();
  expect(await take(serials, 3)).toEqual([first, first + 1, first + 2]);
  expect(world.logged.map(({ message }) => message)).toEqual(['DNS serial could not be saved']);
  world.store.saveSerial = saveSerial;
  await take(serials, 1);
  expect(isLater(world.serial ?? 0, first + 3)).toBe(true);
});
