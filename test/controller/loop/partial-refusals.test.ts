import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endpointKey } from '../../../controller/model/endpoint.ts';
import type { Step } from '../../../controller/model/kernel.ts';
import { app, port, snapshot, task, taskPort } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { World } from '../../support/world.ts';
import '../../properties.ts';

const declared = port({ VIP_0: '/shared:80' });
const appAt = (id: string, ...endpoints: readonly string[]) =>
  app(id, {
    ports: [declared],
    tasks: endpoints.map((at) => task(`${id.slice(1)}.${at}`, [taskPort(declared, at)])),
  });
const blue = (...endpoints: readonly string[]) => appAt('/blue', ...endpoints);
const green = (...endpoints: readonly string[]) => appAt('/green', ...endpoints);
const BAD = '10.9.9.9:80';

let world: World;
let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
  world = new World(clock);
  world.refuse = (step) =>
    'backend' in step && endpointKey(step.backend) === BAD && step.op !== 'remove-backend' ? 'EINVAL' : null;
});

const inKernel = () => world.backends([...world.kernel.keys()][0] ?? '');

describe('a VIP of which the kernel refuses one backend', () => {
  test('at once loses backends whose end a source reported by name', async () => {
    const controller = world.start();
    await controller.resync(snapshot(blue('10.0.0.1:80', '10.0.0.2:80'), green('10.0.1.1:80')));
    await controller.change(snapshot(blue('10.0.0.1:80', '10.0.0.2:80'), green('10.0.1.1:80', BAD)));
    await controller.change(snapshot(blue('10.0.0.1:80'), green('10.0.1.1:80', BAD)), '10.0.0.2:80');
    expect(inKernel()).toEqual(['10.0.0.1:80 w1', '10.0.1.1:80 w1']);
  });

  test('loses such a backend even if it is the last one, since it cannot answer', async () => {
    const controller = world.start();
    await controller.resync(snapshot(blue('10.0.0.1:80')));
    await controller.change(snapshot(blue(BAD)), '10.0.0.1:80');
    expect(inKernel()).toEqual([]);
  });

  test('at once loses backends that a list lacks, as long as another backend is in rotation', async () => {
    const controller = world.start();
    await controller.resync(snapshot(blue('10.0.0.1:80', '10.0.0.2:80'), green('10.0.1.1:80')));
    await controller.resync(snapshot(blue('10.0.0.1:80'), green('10.0.1.1:80', BAD)));
    expect(inKernel()).toEqual(['10.0.0.1:80 w1', '10.0.1.1:80 w1']);
  });

  test('gets another new one at once, and so as long as the refusal lasts', async () => {
    const controller = world.start();
    await controller.resync(snapshot(blue('10.0.0.1:80', BAD)));
    for (let minute = 1; minute <= 10; minute += 1) {
      await clock.advance(60_000);
      await controller.resync(snapshot(blue('10.0.0.1:80', BAD)));
    }
    const pass = await controller.change(snapshot(blue('10.0.0.1:80', '10.0.0.7:80', BAD)));
    expect(inKernel()).toEqual(['10.0.0.1:80 w1', '10.0.0.7:80 w1']);
    expect(pass.waiting).toBe(1);
  });

  test('keeps one old backend where none of the new ones can be added', async () => {
    const controller = world.start();
    await controller.resync(snapshot(blue('10.0.0.1:80', '10.0.0.2:80')));
    await controller.change(snapshot(blue(BAD)));
    expect(inKernel()).toHaveLength(1);
    await controller.change(snapshot(blue(BAD, '10.0.0.3:80')));
    expect(inKernel()).toEqual(['10.0.0.3:80 w1']);
  });

  test('tries the refused one again after a delay that grows, and no other step', async () => {
    const controller = world.start();
    const all = snapshot(blue('10.0.0.1:80', BAD));
    const first = await controller.resync(all);
    expect(first.failures).toHaveLength(1);
    expect(controller.nextDue()).toBe(clock.monotonic() + 200);
    await clock.advance(200);
    world.done();
    await controller.resync(all);
    expect(world.done()).toEqual(['reach']);
    expect(controller.nextDue()).toBe(clock.monotonic() + 400);

    world.refuse = () => null;
    await clock.advance(400);
    await controller.resync(all);
    expect(inKernel()).toEqual(['10.0.0.1:80 w1', '10.9.9.9:80 w1']);
    expect(controller.nextDue()).toBeNull();
  });
});

/** Where the tasks of one app are, whose ends a source tells by name, and what the kernel refuses. */
const moment = fc.record({
  tasks: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 5 }),
  refused: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  byName: fc.boolean(),
  pauseMs: fc.constantFrom(0, 250, 90_000),
});

test('in any history of refusals, each pass makes all that is not refused, and keeps a last backend only', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 6 }), async (moments) => {
      const time = new FakeClock();
      const kernel = new World(time);
      // A brake that never holds: what is kept is kept for other reasons.
      const controller = kernel.start({ brake: null });
      let before: readonly string[] = [];
      let waiting = new Set<string>();
      for (const { tasks, refused, byName, pauseMs } of moments) {
        await time.advance(pauseMs);
        const wanted = tasks.map((host) => `10.0.0.${host}:80`);
        const bad = new Set(refused.map((host) => `10.0.0.${host}:80`));
        const isRefused = (step: Step) => 'backend' in step && bad.has(endpointKey(step.backend));
        kernel.refuse = (step) => (isRefused(step) && step.op === 'add-backend' ? 'EINVAL' : null);
        const gone = byName ? before.filter((at) => !wanted.includes(at)) : [];
        const all = snapshot(blue(...wanted));
        const _pass = byName ? await controller.change(all, ...gone) : await controller.resync(all);

        const has = new Set(kernel.kernel.get([...kernel.kernel.keys()][0] ?? '')?.backends.keys());
        const missing = wanted.filter((at) => !has.has(at));
        const extra = [...has].filter((at) => !wanted.includes(at));
        // One that was refused a moment ago may still wait; none else is missing.
        waiting = new Set([...waiting].filter((at) => wanted.includes(at) && !has.has(at)));
        const mayWait = (at: string) => pauseMs < 90_000 && waiting.has(at);
        expect(missing.filter((at) => !bad.has(at) && !mayWait(at))).toEqual([]);
        for (const at of missing) waiting.add(at);
        expect(extra.length).toBeLessThanOrEqual(1);
        if (extra.length > 0) {
          expect([...has]).toEqual(extra);
          expect(missing).not.toEqual([]);
          expect(gone).not.toContain(extra[0]);
        }
        before = wanted;
      }
    }),
    { numRuns: 300 },
  );
});
