import { beforeEach, describe, expect, test } from '@jest/globals';
import { snapshot, web } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { World } from '../../support/world.ts';

const labelled = (scheduler: string, ...endpoints: readonly string[]) =>
  web('/a', { VIP_0: '/a:80', IPVS_SCHEDULER: scheduler }, ...endpoints);
const plain = (...endpoints: readonly string[]) => web('/ok', { VIP_0: '/ok:80' }, ...endpoints);

let world: World;
let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
  world = new World(clock);
});

/** Name of the app's service -> its scheduler and backends, in the kernel. */
const kernelOf = (name: string) => {
  const key = [...world.ledgerEntries].find(([, entry]) => entry.name === name)?.[0] ?? '';
  return [world.kernel.get(key)?.scheduler, ...world.backends(key)];
};
const REJECTED = [
  {
    app: '/a',
    at: 'portDefinitions[0].labels.IPVS_SCHEDULER',
    value: 'twos',
    reason: expect.stringMatching(/kernel lacks this scheduler \(module ip_vs_twos\), so the VIP has wlc/),
  },
];

describe('a label with a scheduler that the kernel lacks', () => {
  test('gives the service the default scheduler in the same pass, with the reason and without an error', async () => {
    world.lacking.add('twos');
    const pass = await world.start().resync(snapshot(labelled('twos', '10.0.0.1:1'), plain('10.0.0.1:2')));
    expect(kernelOf('a')).toEqual(['wlc', '10.0.0.1:1 w1']);
    expect(kernelOf('ok')).toEqual(['wlc', '10.0.0.1:2 w1']);
    expect(pass.desired.rejected).toEqual(REJECTED);
    expect(pass).toMatchObject({ failures: [], waiting: 0, error: null });
    expect(pass.plan.summary).toEqual({ add: 2, change: 0, remove: 0, keep: 0 });
    expect(pass.plan.services.find(({ name }) => name === 'a')?.scheduler).toBe('wlc');
  });

  test('leaves a service that has another one working: it gets the default, as for a label of no known scheduler', async () => {
    world.lacking.add('twos');
    const controller = world.start();
    await controller.resync(snapshot(labelled('rr', '10.0.0.1:1')));
    const pass = await controller.change(snapshot(labelled('twos', '10.0.0.2:1')));
    expect(kernelOf('a')).toEqual(['wlc', '10.0.0.2:1 w1']);
    expect(pass.desired.rejected).toEqual(REJECTED);
    expect(pass).toMatchObject({ failures: [], waiting: 0 });
  });

  test('is tried once, however many services declare it', async () => {
    world.lacking.add('twos');
    let asked = 0;
    world.refuse = (step) => {
      if ('scheduler' in step.service && step.service.scheduler === 'twos') asked += 1;
      return null;
    };
    const many = Array.from({ length: 50 }, (_, i) =>
      web(`/a${i}`, { VIP_0: `/a${i}:80`, IPVS_SCHEDULER: 'twos' }, '10.0.0.1:1'),
    );
    await world.start().resync(snapshot(...many));
    expect(asked).toBe(1);
    expect([...world.kernel.values()].map(({ scheduler }) => scheduler)).toEqual(Array(50).fill('wlc'));
  });

  test('is retried without writing to working services, and without a log line', async () => {
    world.lacking.add('twos');
    const controller = world.start();
    const all = snapshot(labelled('twos', '10.0.0.1:1'));
    await controller.resync(all);
    world.done();
    for (let tries = 0; tries < 10; tries += 1) {
      const next = controller.nextDue() ?? Number.NaN;
      expect(next).toBeGreaterThan(clock.monotonic());
      expect(next).toBeLessThanOrEqual(clock.monotonic() + 72_000);
      await clock.advance(next - clock.monotonic());
      const pass = await controller.change(all);
      expect(pass).toMatchObject({ failures: [], waiting: 0, error: null, drift: [] });
      expect(pass.plan.summary).toEqual({ add: 0, change: 0, remove: 0, keep: 1 });
      expect(pass.desired.rejected).toEqual(REJECTED);
    }
    expect(world.done().filter((line) => line.startsWith('kernel'))).toEqual([]);
  });

  test('takes effect once the module is there', async () => {
    world.lacking.add('twos');
    const controller = world.start();
    const all = snapshot(labelled('twos', '10.0.0.1:1'));
    await controller.resync(all);
    world.lacking.clear();
    world.done();
    await clock.advance(60_000);
    const pass = await controller.change(all);
    expect(kernelOf('a')).toEqual(['twos', '10.0.0.1:1 w1']);
    expect(pass.desired.rejected).toEqual([]);
    expect(controller.nextDue()).toBeNull();
  });

  test('is forgotten with the label', async () => {
    world.lacking.add('twos');
    const controller = world.start();
    await controller.resync(snapshot(labelled('twos', '10.0.0.1:1')));
    await clock.advance(60_000);
    const pass = await controller.resync(snapshot(labelled('rr', '10.0.0.1:1')));
    expect(pass.desired.rejected).toEqual([]);
    expect(kernelOf('a')[0]).toBe('rr');
    expect(controller.nextDue()).toBeNull();
  });
});

describe('--default-scheduler', () => {
  test('is what VIPs without a label get', async () => {
    await world
      .start({ defaultScheduler: 'sed' })
      .resync(snapshot(plain('10.0.0.1:1'), labelled('rr', '10.0.0.1:2')));
    expect(kernelOf('ok')[0]).toBe('sed');
    expect(kernelOf('a')[0]).toBe('rr');
  });

  test('if the kernel lacks it too, gives wlc and a warning', async () => {
    world.lacking.add('twos').add('sed');
    const pass = await world
      .start({ defaultScheduler: 'sed' })
      .resync(snapshot(plain('10.0.0.1:1'), labelled('twos', '10.0.0.1:2')));
    expect(kernelOf('ok')[0]).toBe('wlc');
    expect(kernelOf('a')[0]).toBe('wlc');
    expect(pass.desired.rejected).toEqual(REJECTED);
    expect(pass.desired.warnings).toEqual([
      expect.stringMatching(/^--default-scheduler sed: .*so the VIP has wlc/),
    ]);
    expect(pass.failures).toEqual([]);
  });

  test('that is wlc, and lacking, is an error: there is nothing to take instead', async () => {
    world.lacking.add('wlc');
    const pass = await world.start().resync(snapshot(plain('10.0.0.1:1')));
    expect(pass.failures).toHaveLength(1);
    expect(pass.waiting).toBe(1);
  });
});

test('nothing is tried that the refusal of a service makes impossible', async () => {
  world.refuse = ({ op }) => (op === 'add-service' ? 'no memory' : null);
  const pass = await world.start().resync(snapshot(plain('10.0.0.1:1', '10.0.0.2:1')));
  expect(pass.failures.map(({ message }) => message)).toEqual(['no memory']);
  expect(pass.waiting).toBe(2);
});
