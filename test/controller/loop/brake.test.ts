import { beforeEach, describe, expect, test } from '@jest/globals';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import type { App } from '../../../controller/model/app.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import type { Names } from '../../../controller/ports.ts';
import { app, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { World } from '../../support/world.ts';

const apps = (...numbers: readonly number[]): readonly App[] =>
  numbers.map((n) => web(`/app-${n}`, { VIP_0: `/app-${n}:80` }, `10.0.0.${n}:80`));
const few = snapshot(...apps(1, 2, 3));
const nothing = snapshot();

let world: World;
let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
  world = new World(clock);
});

/** Asks the brake what is due, and answers it with what the sources say. */
function askAgain(controller: ReturnType<World['start']>, answer: Snapshot): number {
  const { planner } = controller.reconciler.table;
  return planner.confirm(planner.due(clock.monotonic()), Inventory.of([answer]), clock.monotonic());
}

describe('the mass-removal brake (rule 4)', () => {
  test('holds missing backends until the sources, read again, still lack them', async () => {
    const controller = world.start();
    await controller.resync(few);
    const held = await controller.resync(nothing);
    expect(held.held).toMatchObject({
      vips: 3,
      backends: 3,
      since: clock.monotonic(),
      until: clock.monotonic() + 60_000,
    });
    expect(world.kernel.size).toBe(3);

    await clock.advance(59_000);
    expect(controller.reconciler.table.planner.due(clock.monotonic()).size).toBe(0);
    await clock.advance(1_000);
    expect((await controller.resync(nothing)).held).not.toBeNull();
    expect(askAgain(controller, nothing)).toBe(3);
    expect((await controller.resync(nothing)).held).toBeNull();
    expect(world.kernel.size).toBe(0);
  });

  test('waits again for backends that returned meanwhile', async () => {
    const controller = world.start();
    await controller.resync(few);
    await controller.resync(nothing);
    await clock.advance(60_000);
    expect(askAgain(controller, few)).toBe(0);
    expect((await controller.resync(nothing)).held).toMatchObject({ until: clock.monotonic() + 60_000 });
    expect((await controller.resync(few)).held).toBeNull();
    expect(world.kernel.size).toBe(3);
  });

  test('keeps backends that returned, even few, until the source lists them too', async () => {
    const controller = world.start();
    await controller.resync(few);
    await controller.resync(nothing);
    await clock.advance(60_000);
    expect(askAgain(controller, snapshot(...apps(3)))).toBe(2);
    const pass = await controller.resync(nothing);
    expect(pass.held).toMatchObject({ vips: 1, backends: 1, until: clock.monotonic() + 60_000 });
    expect([...world.kernel.keys()].flatMap((key) => world.backends(key))).toEqual(['10.0.0.3:80 w1']);
    expect((await controller.resync(snapshot(...apps(3)))).held).toBeNull();
  });

  test('also holds services that an earlier run of the controller added', async () => {
    await world.start().resync(few);
    const pass = await world.start().resync(nothing);
    expect(pass.held).toMatchObject({ vips: 3 });
    expect(world.kernel.size).toBe(3);
    expect([...world.ledgerEntries.values()].map(({ name }) => name)).toEqual(['app-1', 'app-2', 'app-3']);
  });

  test('does not hold removals that a source named', async () => {
    const controller = world.start();
    await controller.resync(few);
    const pass = await controller.change(nothing, '10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80');
    expect(pass.held).toBeNull();
    expect(world.kernel.size).toBe(0);
  });

  test('applies a named end only to that task: a later task at the same endpoint is another one', async () => {
    const controller = world.start();
    await controller.resync(few);
    await controller.change(snapshot(...apps(2, 3)), '10.0.0.1:80');
    await controller.change(few);
    expect((await controller.resync(nothing)).held).toMatchObject({ vips: 3 });
  });

  test('keeps names and addresses of what it holds', async () => {
    const published: (string | undefined)[] = [];
    const names: Names = {
      publish: (changes) => {
        published.push([...changes.values()].map((service) => service?.fqdn ?? 'none').join());
        return [];
      },
    };
    const ports = world.ports();
    world.ports = () => ({ ...ports, names });
    const controller = world.start();
    await controller.resync(few);
    await controller.resync(nothing);
    expect(published[0]).toContain('app-1.marathon');
    expect(published[1]).toBe('');
    expect([...world.memory.addresses.keys()]).toEqual([
      'app-1.marathon',
      'app-2.marathon',
      'app-3.marathon',
    ]);
    world.done();
    await controller.resync(nothing);
    expect(world.done()).toEqual(['reach']);
  });

  test('keeps the address of what it holds from an IP VIP', async () => {
    const controller = world.start();
    await controller.resync(few);
    const [address] = [...world.memory.addresses.values()].map(({ ipv4 }) => ipv4);
    const literal = web('/literal', { VIP_0: `${address}:443` }, '10.0.0.9:80');
    const pass = await controller.resync(snapshot(literal));
    expect(pass.held).toMatchObject({ vips: 3 });
    expect(pass.desired.rejected).toMatchObject([{ reason: expect.stringContaining('of the named VIP') }]);
    await clock.advance(60_000);
    askAgain(controller, snapshot(literal));
    await controller.resync(snapshot(literal));
    expect([...(await controller.resync(snapshot(literal))).desired.services.keys()]).toEqual([
      `tcp/${address}:443`,
    ]);
  });

  test('keeps the address of an IP VIP reachable while it is held', async () => {
    const literal = web('/literal', { VIP_0: '192.168.7.7:80' }, '10.0.0.9:80');
    const controller = world.start();
    await controller.resync(snapshot(literal, ...apps(1)));
    world.done();
    await controller.resync(nothing);
    expect(world.done()).toEqual(['memory', 'reach 192.168.7.7']);
  });

  test('holds the weights when the health results of all are lost, or all are unhealthy in one list', async () => {
    const checked = (health: 'healthy' | 'unknown' | 'unhealthy') =>
      snapshot(
        ...[1, 2].map((n) => {
          const declared = port({ VIP_0: `/app-${n}:80` });
          return app(`/app-${n}`, {
            ports: [declared],
            tasks: [task(`t-${n}`, [taskPort(declared, `10.0.0.${n}:80`)], { health })],
          });
        }),
      );
    const controller = world.start();
    await controller.resync(checked('healthy'));
    const weights = () => [...world.kernel.keys()].flatMap((key) => world.backends(key));
    expect((await controller.resync(checked('unknown'))).held).toMatchObject({ backends: 2 });
    expect(weights()).toEqual(['10.0.0.1:80 w1', '10.0.0.2:80 w1']);
    expect((await controller.resync(checked('unhealthy'))).held).toMatchObject({ backends: 2 });
    expect(weights()).toEqual(['10.0.0.1:80 w1', '10.0.0.2:80 w1']);

    await controller.resync(checked('healthy'));
    await controller.resync(checked('unknown'));
    await clock.advance(60_000);
    expect(askAgain(controller, checked('unknown'))).toBe(2);
    expect((await controller.resync(checked('unknown'))).held).toBeNull();
    expect(weights()).toEqual(['10.0.0.1:80 w0', '10.0.0.2:80 w0']);
    await controller.resync(checked('healthy'));
    expect((await controller.resync(checked('unknown'))).held).toMatchObject({ backends: 2 });
  });

  test('a confirmed removal keeps its last backend in rotation if the replacement cannot be added, since no source named its end', async () => {
    const replaced = snapshot(
      ...[1, 2, 3].map((n) => web(`/app-${n}`, { VIP_0: `/app-${n}:80` }, `10.0.1.${n}:80`)),
    );
    const controller = world.start();
    await controller.resync(few);
    await controller.resync(nothing);
    await clock.advance(60_000);
    expect(askAgain(controller, nothing)).toBe(3);
    world.refuse = ({ op }) => (op === 'add-backend' ? 'no memory' : null);
    await controller.resync(replaced);
    const backends = () => [...world.kernel.keys()].flatMap((key) => world.backends(key));
    expect(backends()).toEqual(['10.0.0.1:80 w1', '10.0.0.2:80 w1', '10.0.0.3:80 w1']);

    world.refuse = () => null;
    await clock.advance(1_000);
    await controller.resync(replaced);
    expect(backends()).toEqual(['10.0.1.1:80 w1', '10.0.1.2:80 w1', '10.0.1.3:80 w1']);
  });

  test('holds nothing where the operator allows it', async () => {
    const controller = world.start({ brake: null });
    await controller.resync(few);
    expect((await controller.resync(nothing)).held).toBeNull();
    expect(world.kernel.size).toBe(0);
  });
});
