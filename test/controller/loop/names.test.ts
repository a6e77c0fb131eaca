import { describe, expect, test } from '@jest/globals';
import type { ReconcilePorts } from '../../../controller/loop/reconciler.ts';
import type { NamedService } from '../../../controller/model/service.ts';
import type { NameChanges } from '../../../controller/ports.ts';
import { backend, service, snapshot, web } from '../../support/builders.ts';
import { observedService } from '../../support/observed.ts';
import { World } from '../../support/world.ts';

/** A world in which names are told of. */
class NamedWorld extends World {
  advice: readonly string[] = [];
  published: ReadonlyMap<string, NamedService> = new Map();

  override ports(): ReconcilePorts {
    const named = new Map<string, NamedService>();
    const publish = (changes: NameChanges) => {
      for (const [key, service] of changes) {
        if (service === null) named.delete(key);
        else named.set(key, service);
      }
      this.published = named;
      this.journal.push(`names ${[...named.keys()].join(' ')}`.trimEnd());
      return this.advice;
    };
    return { ...super.ports(), names: { publish } };
  }
}

const VIP = 'tcp/11.134.217.55:5555';
const mine = (...endpoints: readonly string[]) =>
  web('/my-service', { VIP_0: '/my-service:5555' }, ...endpoints);
const moved = (...endpoints: readonly string[]) =>
  web('/my-service', { VIP_0: '/my-service:5556' }, ...endpoints);

describe('names in the order of writes (rule 7)', () => {
  test('a VIP has a name once it has a backend and its address is reached', async () => {
    const world = new NamedWorld();
    await world.start().resync(snapshot(mine('10.0.0.1:31000')));
    expect(world.done().slice(2)).toEqual([
      `kernel -A -t ${VIP.slice(4)} -s wlc`,
      `kernel -a -t ${VIP.slice(4)} -r 10.0.0.1:31000 -m -w 1`,
      'reach',
      `names ${VIP}`,
    ]);
  });

  // What is kept of it would be the backends of the day when the name came.
  test('of a service only what its name leads to is published', async () => {
    const world = new NamedWorld();
    await world.start().resync(snapshot(mine('10.0.0.1:31000')));
    expect(world.published.get(VIP)).toEqual({
      fqdn: 'my-service.marathon.l4lb.thisdcos.directory',
      protocol: 'tcp',
      address: '11.134.217.55',
      port: 5555,
    });
  });

  test('a VIP that goes has no name any more when the kernel loses it', async () => {
    const world = new NamedWorld();
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    world.done();
    await controller.change(snapshot());
    const done = world.done();
    expect(done.indexOf('names')).toBeGreaterThanOrEqual(0);
    expect(done.indexOf('names')).toBeLessThan(done.indexOf(`kernel -D -t ${VIP.slice(4)}`));
  });

  test('a name that moves to another port is never without one', async () => {
    const world = new NamedWorld();
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    world.done();
    await controller.change(snapshot(moved('10.0.0.1:31000')));
    const names = world.done().filter((line) => line.startsWith('names'));
    expect(names).toEqual([`names ${VIP.slice(0, -1)}6`]);
  });
});

describe('only what forwards has a name', () => {
  test.each(['add-service', 'add-backend'])(
    'not a VIP whose %s fails; it has one once that is made',
    async (op) => {
      const world = new NamedWorld();
      const controller = world.start();
      // Without the service the kernel refuses its backends too.
      world.refuse = (step) => (op === 'add-service' || step.op === op ? 'no memory' : null);
      await controller.resync(snapshot(mine('10.0.0.1:31000')));
      expect([...world.published.keys()]).toEqual([]);
      world.refuse = () => null;
      world.now += 60_000;
      await controller.resync(snapshot(mine('10.0.0.1:31000')));
      expect([...world.published.keys()]).toEqual([VIP]);
    },
  );

  test("not one in whose place another program's service is", async () => {
    const world = new NamedWorld();
    const foreign = observedService(service('192.168.7.7', 80, [backend('172.16.0.2', 80)]));
    world.kernel = new Map([['tcp/192.168.7.7:80', foreign]]);
    await world.start().resync(snapshot(web('/literal', { VIP_0: '192.168.7.7:80' }, '10.0.0.1:31000')));
    expect([...world.published.keys()]).toEqual([]);
  });

  test('after a restart without its source, names come from the disk', async () => {
    const world = new NamedWorld();
    await world.start().resync(snapshot(mine('10.0.0.1:31000')));
    await world.start().resync(snapshot(mine('10.0.0.9:31000')), false);
    expect([...world.published.keys()]).toEqual([VIP]);
  });

  test('nobody is told anything in a dry run, or when the kernel cannot be read', async () => {
    const world = new NamedWorld();
    await world.start({ dryRun: true }).resync(snapshot(mine('10.0.0.1:31000')));
    world.unreadable = 'no netlink';
    await world.start().resync(snapshot(mine('10.0.0.1:31000')));
    expect(world.journal.filter((line) => line.startsWith('names'))).toEqual([]);
  });
});

test('what keeps names from being asked for is told beside the kernel settings', async () => {
  const world = new NamedWorld();
  world.reachable = { changed: [], problems: [], advice: ['set ip_forward'] };
  world.advice = ['--dns-listen 198.51.100.4:53: no such address'];
  const pass = await world.start().resync(snapshot());
  expect(pass.advice).toEqual(['set ip_forward', '--dns-listen 198.51.100.4:53: no such address']);
});
