/** A backend that comes into rotation beside others grows to its weight, pass by pass. */

import { describe, expect, test } from '@jest/globals';
import type { Ejection } from '../../../controller/model/ejection.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import { app, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import { World } from '../../support/world.ts';

const KEY = 'tcp/11.0.0.1:80';
const LABELS = { VIP_0: '11.0.0.1:80', IPVS_SLOW_START_SECONDS: '9' };
const [A, B, C, D] = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', '10.0.0.4:80'] as const;
const STEP_MS = 1_000;

function started(...endpoints: readonly string[]) {
  const world = new World();
  world.now = 1_000_000;
  const controller = world.start();
  const apps = (...now: readonly string[]) => snapshot(web('/web', LABELS, ...now));
  return { world, controller, apps, first: () => controller.resync(apps(...endpoints)) };
}

/** An app whose second task has a health check that fails. */
function withOneUnhealthy(): Snapshot {
  const declared = port(LABELS);
  const healths = ['healthy', 'unhealthy', 'healthy'] as const;
  const tasks = [A, B, C].map((where, i) =>
    task(`web.${i}`, [taskPort(declared, where)], { health: healths[i] ?? 'healthy' }),
  );
  return snapshot(app('/web', { ports: [declared], tasks }));
}

describe('slow start', () => {
  test('the first backends of a VIP have their full weight, which is scaled, at once', async () => {
    const { world, first } = started(A, B);
    const pass = await first();
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w100`]);
    expect(pass).toMatchObject({ shortfall: [], slowStarts: 0 });
  });

  test('a later one grows with one pass per step, and reports the reason and the end', async () => {
    const { world, controller, apps, first } = started(A, B);
    await first();
    const pass = await controller.change(apps(A, B, C));
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w100`, `${C} w10`]);
    expect(pass).toMatchObject({ shortfall: [], slowStarts: 1 });
    expect(pass.desired.services.get(KEY)?.backends.get(C)?.reason).toBe('slow start: 10 %');
    const began = world.now;
    expect(pass.decisions?.get(KEY)?.get(C)).toEqual({
      rule: 'slow start',
      since: began,
      endsWhen: 'it has its full weight',
      endsAt: began + 9_000,
    });
    world.done();
    for (let step = 1; step <= 9; step += 1) {
      expect(controller.nextDue()).toBe(began + step * STEP_MS);
      world.now = began + step * STEP_MS;
      const next = await controller.change(apps(A, B, C));
      expect(world.backends(KEY)[2]).toBe(`${C} w${10 + 10 * step}`);
      expect(next.shortfall).toEqual([]);
    }
    expect(world.done().filter((line) => line.startsWith('kernel'))).toHaveLength(9);
    expect(controller.nextDue()).toBeNull();
    const last = await controller.resync(apps(A, B, C));
    expect(last.decisions?.get(KEY)).toBeUndefined();
    expect(last).toMatchObject({ made: [], slowStarts: 0 });
  });

  test('one that was unhealthy grows again', async () => {
    const { world, controller, apps, first } = started(A, B, C);
    await first();
    await controller.change(withOneUnhealthy());
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w0`, `${C} w100`]);
    await controller.change(apps(A, B, C));
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w10`, `${C} w100`]);
  });

  test('one that was ejected grows again, and is at weight 0 while it is ejected', async () => {
    const world = new World();
    const target = {
      key: `tcp/${B}`,
      protocol: 'tcp',
      address: '10.0.0.2',
      port: 80,
      agent: '',
      task: '',
    } as const;
    const ejection = { target, since: 5, cause: 'timed out', reason: 'no reply', nextProbe: null } as const;
    const ejections = new Map<string, Ejection>();
    const facts = { ejections, takeChanged: () => new Set([target.key]) };
    const controller = world.start({ ejections: facts });
    const apps = snapshot(web('/web', LABELS, A, B, C));
    await controller.resync(apps);
    ejections.set(target.key, ejection);
    const pass = await controller.change(apps);
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w0`, `${C} w100`]);
    expect(pass.desired.services.get(KEY)?.backends.get(B)?.reason).toBe('ejected: no reply');
    ejections.delete(target.key);
    await controller.change(apps);
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w10`, `${C} w100`]);
  });

  test('a restart continues slow start, and lowers no weight', async () => {
    const { world, controller, apps, first } = started(A, B);
    await first();
    await controller.change(apps(A, B, C));
    world.now += 3 * STEP_MS;
    await controller.change(apps(A, B, C));
    const again = world.start();
    world.done();
    const pass = await again.resync(apps(A, B, C));
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w100`, `${C} w40`]);
    expect(pass.made).toEqual([]);
    world.now += 6 * STEP_MS;
    await again.change(apps(A, B, C));
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w100`, `${C} w100`]);
  });

  test('a weight that someone else set is put right, of one that grows too', async () => {
    const { world, controller, apps, first } = started(A, B);
    await first();
    await controller.change(apps(A, B, C));
    for (const [address, weight] of [
      ['10.0.0.1', 55],
      ['10.0.0.3', 90],
    ] as const) {
      const service = { protocol: 'tcp', address: '11.0.0.1', port: 80 } as const;
      const was = world.kernel.get(KEY)?.backends.get(`${address}:80`);
      if (was === undefined) throw new Error('no backend');
      world.meddle({ op: 'update-backend', service, backend: { ...was, weight } });
    }
    const pass = await controller.resync(apps(A, B, C));
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w100`, `${C} w10`]);
    expect(pass.drift).toHaveLength(2);
  });

  test('weights are scaled while and only while a VIP has it', async () => {
    const { world, controller, apps, first } = started(A, B);
    await first();
    const without = snapshot(web('/web', { VIP_0: '11.0.0.1:80' }, A, B, C));
    await controller.change(without);
    expect(world.backends(KEY)).toEqual([`${A} w1`, `${B} w1`, `${C} w1`]);
    await controller.change(apps(A, B, C, D));
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w100`, `${C} w100`, `${D} w10`]);
  });

  test('is no removal, so that the brake holds none of it', async () => {
    const world = new World();
    const controller = world.start({ brake: { share: 0.5, holdMs: 60_000 } });
    const many = (...endpoints: readonly string[]) =>
      snapshot(
        ...Array.from({ length: 30 }, (_, i) =>
          web(`/${i}`, { ...LABELS, VIP_0: `11.0.1.${i}:80` }, ...endpoints),
        ),
      );
    await controller.resync(many(A));
    const pass = await controller.change(many(A, B));
    expect(pass).toMatchObject({ held: null, slowStarts: 30 });
    world.now += 9_000;
    expect(await controller.change(many(A, B))).toMatchObject({ held: null, slowStarts: 0 });
  });

  test('a step that the kernel refuses is tried again, at what has been come to by then', async () => {
    const { world, controller, apps, first } = started(A, B);
    await first();
    await controller.change(apps(A, B, C));
    world.refuse = () => 'no memory';
    world.now += STEP_MS;
    const refused = await controller.change(apps(A, B, C));
    expect(refused.shortfall).toHaveLength(1);
    world.refuse = () => null;
    world.now += 2 * STEP_MS;
    await controller.change(apps(A, B, C));
    expect(world.backends(KEY)[2]).toBe(`${C} w40`);
  });

  test('a backend that the kernel does not take begins to grow when it does, and wakes nobody before', async () => {
    const { world, controller, apps, first } = started(A, B);
    world.refusedBackends = ['10.0.0.3'];
    await first();
    await controller.change(apps(A, B, C));
    expect(controller.nextDue()).toBeGreaterThan(world.now + STEP_MS);
    world.refusedBackends = [];
    world.now += 3_600_000;
    await controller.change(apps(A, B, C));
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w100`, `${C} w10`]);
  });

  test('one pass alone, after which nobody makes the next step, gives full weight at once', async () => {
    const { world, apps, first } = started(A, B);
    await first();
    const once = world.start({ fullWeightAtOnce: true });
    await once.resync(apps(A, B, C));
    expect(world.backends(KEY)).toEqual([`${A} w100`, `${B} w100`, `${C} w100`]);
  });
});
