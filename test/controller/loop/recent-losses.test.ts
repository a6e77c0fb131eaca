import { beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../../controller/model/app.ts';
import { app, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { World } from '../../support/world.ts';

let world: World;
let clock: FakeClock;
let controller: ReturnType<World['start']>;
beforeEach(() => {
  clock = new FakeClock();
  world = new World(clock);
  controller = world.start();
});

const endpoints = (network: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `10.0.${network}.${n + 1}:80`);
const vip = (number: number, backends: readonly string[]): App =>
  web(`/app-${number}`, { VIP_0: `/app-${number}:80` }, ...backends);

/** A pass over these apps, a second after the last one. `named`: endpoints whose end a source reports by name. */
async function pass(apps: readonly App[], named: readonly string[] = []) {
  await clock.advance(1_000);
  return named.length === 0
    ? await controller.resync(snapshot(...apps))
    : await controller.change(snapshot(...apps), ...named);
}

const inRotation = () =>
  [...world.kernel.values()].flatMap(({ backends }) => [...backends.values()]).filter((b) => b.weight > 0)
    .length;

/** Replaces the backends of a VIP one by one, the new one a pass before the old one goes. Returns how many passes held some. */
async function restart(from: readonly string[], to: readonly string[], others: readonly App[] = []) {
  let held = 0;
  for (let n = 1; n <= from.length; n += 1) {
    await pass([vip(1, [...from.slice(n - 1), ...to.slice(0, n)]), ...others]);
    const { held: now } = await pass([vip(1, [...from.slice(n), ...to.slice(0, n)]), ...others]);
    if (now !== null) held += 1;
  }
  return held;
}

describe('what left within the hold time counts as part of a mass removal', () => {
  test.each([6, 8, 12, 20])('but two rolling restarts of a VIP of %d lose nothing', async (size) => {
    const [first, second, third] = [1, 2, 3].map((network) => endpoints(network, size)) as [
      readonly string[],
      readonly string[],
      readonly string[],
    ];
    await pass([vip(1, first)]);
    expect(await restart(first, second)).toBe(0);
    expect(await restart(second, third)).toBe(0);
    expect(inRotation()).toBe(size);
  });

  test('nor do VIPs whose only backend is replaced, however many', async () => {
    const at = (network: number, n: number) => `10.0.${network}.${n}:80`;
    const numbers = Array.from({ length: 30 }, (_, n) => n + 1);
    const place = new Map(numbers.map((n) => [n, [at(1, n)]]));
    const all = () => numbers.map((n) => vip(n, place.get(n) ?? []));
    await pass(all());
    for (const n of numbers) {
      place.set(n, [at(1, n), at(2, n)]);
      await pass(all());
      place.set(n, [at(2, n)]);
      expect((await pass(all())).held).toBeNull();
    }
    expect(inRotation()).toBe(30);
  });

  test('after a rolling restart a removal in small steps is held as before it', async () => {
    const first = endpoints(1, 12);
    const second = endpoints(2, 12);
    const other = vip(2, endpoints(3, 10));
    await pass([vip(1, first), other]);
    await restart(first, second, [other]);
    const held: boolean[] = [];
    for (let left = 11; left >= 0; left -= 1)
      held.push((await pass([vip(1, second.slice(0, left)), other])).held !== null);
    // The surplus of the restart counts as one.
    expect(held.indexOf(true)).toBe(10);
    expect(inRotation()).toBe(12);
  });

  test('VIPs that vanish one by one are one removal, also where others come', async () => {
    const numbers = Array.from({ length: 20 }, (_, n) => n + 1);
    const old = (from: number) => numbers.slice(from).map((n) => vip(n, [`10.0.1.${n}:80`]));
    const other = (to: number) => numbers.slice(0, to).map((n) => vip(100 + n, [`10.0.2.${n}:80`]));
    await pass(old(0));
    const held: boolean[] = [];
    for (let gone = 1; gone <= 20; gone += 1) held.push((await pass(old(gone))).held !== null);
    expect(held.indexOf(true)).toBe(10);
    expect((await pass([...old(10), ...other(5)])).held).toBeNull();
  });

  test('a backend of several VIPs counts in each of them', async () => {
    const shared = (backends: readonly string[]) => {
      const ports = [1, 2].map((n) => port({ VIP_0: `/both-${n}:80` }));
      return app('/both', {
        ports,
        tasks: backends.map((at) =>
          task(
            at,
            ports.map((each) => taskPort(each, at)),
          ),
        ),
      });
    };
    const backends = endpoints(1, 8);
    await pass([shared(backends)]);
    const held: boolean[] = [];
    for (let left = 7; left > 0; left -= 1)
      held.push((await pass([shared(backends.slice(0, left))])).held !== null);
    // 10 of 16 are few, 12 of 16 are not.
    expect(held.indexOf(true)).toBe(5);
  });

  test('counts only what no source named, and forgets it after the hold time', async () => {
    const backends = endpoints(1, 24);
    await pass([vip(1, backends)]);
    for (let left = 23; left >= 14; left -= 1) await pass([vip(1, backends.slice(0, left))]);
    // By name, so these are no loss: 10 of the rest are recent.
    expect((await pass([vip(1, backends.slice(0, 8))], backends.slice(8, 14))).held).toBeNull();
    await clock.advance(60_000);
    for (let left = 7; left >= 4; left -= 1)
      expect((await pass([vip(1, backends.slice(0, left))])).held).toBeNull();
    expect(inRotation()).toBe(4);
  });

  test('what could not be removed is not lost', async () => {
    const backends = endpoints(1, 20);
    await pass([vip(1, backends)]);
    world.refuse = ({ op }) => (op === 'remove-backend' ? 'no memory' : null);
    expect((await pass([vip(1, backends.slice(0, 11))])).held).toBeNull();
    world.refuse = () => null;
    await pass([vip(1, backends)]);
    expect((await pass([vip(1, backends.slice(0, 14))])).held).toBeNull();
    expect(inRotation()).toBe(14);
  });

  test('what came back is not lost', async () => {
    const backends = endpoints(1, 20);
    await pass([vip(1, backends)]);
    for (let round = 0; round < 4; round += 1) {
      expect((await pass([vip(1, backends.slice(0, 12))])).held).toBeNull();
      await pass([vip(1, backends)]);
    }
  });
});
