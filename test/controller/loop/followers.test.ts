import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../../controller/model/app.ts';
import type { Step } from '../../../controller/model/kernel.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import { snapshot, web } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type Controller, World } from '../../support/world.ts';

const VIP = 'tcp/11.134.217.55:5555';
const mine = (...endpoints: readonly string[]) =>
  web('/my-service', { VIP_0: '/my-service:5555' }, ...endpoints);
const many = (count: number): App[] =>
  Array.from({ length: count }, (_, at) => web(`/a${at}`, { VIP_0: `/a${at}:80` }, `10.0.1.${at}:80`));

/** A table besides the host's, and how it is kept. */
interface Pod {
  readonly world: World;
  readonly passes: PassStatus[];
  stop(): Promise<void>;
}

let clock: FakeClock;
let host: World;
let controller: Controller;
let pods: Pod[];

beforeEach(() => {
  clock = new FakeClock();
  host = new World(clock);
  controller = host.start();
  pods = [];
});
afterEach(async () => {
  for (const pod of pods) await pod.stop();
});

function start(world = new World(clock)): Pod {
  const { store: _, ...ports } = world.ports();
  const follower = controller.followers.add(ports);
  const end = new AbortController();
  const passes: PassStatus[] = [];
  const ended = follower.run((pass) => passes.push(pass), end.signal);
  const pod = {
    world,
    passes,
    async stop() {
      controller.followers.delete(follower);
      end.abort();
      await ended;
    },
  };
  pods.push(pod);
  return pod;
}

/** Lets passes that are due come to their end. */
async function rest(): Promise<void> {
  for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('the table of another network namespace', () => {
  test('is not touched before the host has made a pass', async () => {
    const pod = start();
    await clock.advance(5_000);
    await rest();
    expect(pod.passes).toEqual([]);
    expect(pod.world.reads).toBe(0);
  });

  test('is read and put right as a whole in its turn with others: all at once each would take as long as all', async () => {
    const gate = Promise.withResolvers<void>();
    let reading = 0;
    const slow = Array.from({ length: 5 }, () => {
      const world = new World(clock);
      const { observe } = world.table;
      world.table.observe = async (only) => {
        reading += 1;
        await gate.promise;
        return await observe(only);
      };
      return start(world);
    });
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await rest();
    expect(reading).toBe(3);
    gate.resolve();
    await rest();
    for (const { world } of slow) expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });

  test('gets the VIPs of the host, in the order of rule 7, with a ledger of its own', async () => {
    const pod = start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await rest();
    expect(pod.world.done()).toEqual([
      `ledger ${VIP}`,
      'kernel -A -t 11.134.217.55:5555 -s wlc',
      'kernel -a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1',
      'reach',
    ]);
    expect(pod.passes.at(-1)?.shortfall).toEqual([]);
  });

  test('that appears later has only the nearest backends too', async () => {
    controller = host.start({
      host: { given: { region: 'eu', zone: 'a' }, addresses: () => new Set<string>() },
    });
    const labels = { VIP_0: '/my-service:5555', IPVS_TRAFFIC_DISTRIBUTION: 'PreferSameZone' };
    const app = web('/my-service', labels, '10.0.0.1:31000', '10.0.0.2:31000');
    const tasks = app.tasks.map((task, at) => ({
      ...task,
      place: { region: 'eu', zone: at === 0 ? 'a' : 'b' },
    }));
    await controller.resync(snapshot({ ...app, tasks }));
    const pod = start();
    await clock.advance(5_000);
    await rest();
    expect(pod.world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
    expect(pod.world.backends(VIP)).toEqual(host.backends(VIP));
  });

  test('gets each change, and nothing is read for it', async () => {
    const pod = start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await rest();
    const { reads } = pod.world;
    pod.world.done();
    await controller.change(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000')));
    await rest();
    expect(pod.world.done()).toEqual(['kernel -a -t 11.134.217.55:5555 -r 10.0.0.2:31000 -m -w 1']);
    expect(pod.world.reads).toBe(reads);
  });

  test('that comes later has only the nearest backends of VIPs that prefer these', async () => {
    controller = host.start({ host: { given: { zone: 'a' }, addresses: () => new Set() } });
    const app = web(
      '/my-service',
      { VIP_0: '/my-service:5555', IPVS_TRAFFIC_DISTRIBUTION: 'PreferSameZone' },
      '10.0.0.1:31000',
      '10.0.0.2:31000',
    );
    const tasks = app.tasks.map((task, at) => ({ ...task, place: { zone: at === 0 ? 'a' : 'b' } }));
    await controller.resync(snapshot({ ...app, tasks }));
    const pod = start();
    await rest();
    expect(pod.world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });

  test('that comes later gets all of them at once', async () => {
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    const pod = start();
    await rest();
    expect(pod.world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });

  test('is corrected if someone changed it, without a pass of the host', async () => {
    const pod = start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await rest();
    const service = { protocol: 'tcp', address: '11.134.217.55', port: 5555 };
    pod.world.meddle({ op: 'remove-service', service } as Step);
    await clock.advance(31_000);
    await rest();
    expect(pod.world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });

  test("keeps another program's services", async () => {
    const pod = new World(clock);
    const foreign = { protocol: 'tcp', address: '10.1.1.1', port: 80, scheduler: 'rr' };
    pod.meddle({ op: 'add-service', service: foreign } as Step);
    start(pod);
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await rest();
    expect([...pod.kernel.keys()].sort()).toEqual(['tcp/10.1.1.1:80', VIP]);
  });

  test('loses nothing while only a disk has spoken', async () => {
    const pod = start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await rest();
    await controller.resync(snapshot(), false);
    await rest();
    expect(pod.world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });
});

describe('a mass removal in the table of another network namespace', () => {
  test('is held there as on the host, and removed once the sources were read again', async () => {
    const pod = start();
    await controller.resync(snapshot(...many(30)));
    await rest();
    expect(pod.world.kernel.size).toBe(30);
    await controller.change(snapshot());
    await rest();
    expect([host.kernel.size, pod.world.kernel.size]).toEqual([30, 30]);
    expect(pod.passes.at(-1)?.held).not.toBeNull();

    await clock.advance(61_000);
    const holder = controller.followers.holder(controller.reconciler.table.planner);
    const now = clock.monotonic();
    expect(holder.confirm(holder.due(now), controller.reconciler.inventory, now)).toBe(30);
    controller.followers.resync();
    await controller.resync(snapshot());
    await rest();
    expect([host.kernel.size, pod.world.kernel.size]).toEqual([0, 0]);
  });

  test('is not held where a source named the tasks that ended', async () => {
    const pod = start();
    const all = many(30);
    await controller.resync(snapshot(...all));
    await rest();
    await controller.change(snapshot(), ...all.map((_, at) => `10.0.1.${at}:80`));
    await rest();
    expect([host.kernel.size, pod.world.kernel.size]).toEqual([0, 0]);
  });
});

describe('one table that fails', () => {
  test('does not hold up the host, nor another one', async () => {
    const broken = new World(clock);
    broken.unreadable = 'the helper ended';
    const pod = start(broken);
    const other = start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await rest();
    expect(pod.passes.at(-1)?.error).toBe('the helper ended');
    expect([host.backends(VIP), other.world.backends(VIP)]).toEqual([
      ['10.0.0.1:31000 w1'],
      ['10.0.0.1:31000 w1'],
    ]);
    broken.unreadable = null;
    await clock.advance(3_000);
    await rest();
    expect(broken.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });

  test('of the host, costs no other table its VIPs, and what came meanwhile is made up for', async () => {
    const pod = start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await rest();
    host.unreadable = 'EIO';
    await controller.resync(snapshot(mine('10.0.0.2:31000')));
    await rest();
    expect(pod.world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
    host.unreadable = null;
    await controller.change(snapshot(mine('10.0.0.2:31000')), '10.0.0.1:31000');
    await rest();
    expect(pod.world.backends(VIP)).toEqual(host.backends(VIP));
  });

  test('of the host, hides the end of no VIP that the host could never make itself', async () => {
    const pod = start();
    const other = web('/other', { VIP_0: '192.168.7.7:80' }, '10.0.0.3:80');
    host.ledgerBroken = 'EROFS';
    await controller.resync(snapshot(mine('10.0.0.1:31000'), other));
    await rest();
    expect([...pod.world.kernel.keys()].sort()).toEqual([VIP, 'tcp/192.168.7.7:80']);
    host.unreadable = 'EIO';
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    host.unreadable = null;
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await rest();
    expect([...pod.world.kernel.keys()]).toEqual([VIP]);
  });
});
