import { beforeEach, expect, test } from '@jest/globals';
import type { PassStatus } from '../../../controller/pass-status.ts';
import { DEFAULT_LIMITS, readyz } from '../../../controller/status/checks.ts';
import { snapshot, web } from '../../support/builders.ts';
import { type Controller, World } from '../../support/world.ts';

// One app's data never makes the host not ready; a failing write does.
const GOOD = web('/good', { VIP_0: '/good:80' }, '10.0.0.1:31000');
const BAD = web('/bad', { VIP_0: '/bad:80' }, '10.9.0.255:31000');
const MIXED = web('/mixed', { VIP_0: '/mixed:80' }, '10.9.0.255:31001', '10.0.0.2:31001');

let world: World;
let controller: Controller;
beforeEach(() => {
  world = new World();
  world.refusedBackends = ['10.9.0.255'];
  controller = world.start();
});

function kernelCheck(lastPass: PassStatus) {
  const status = { lastPass, sources: [], dryRun: false, movedAt: 0 } as unknown as Parameters<
    typeof readyz
  >[0];
  return readyz(status, lastPass.finishedAt, DEFAULT_LIMITS).find(({ name }) => name === 'kernel');
}
const kernelHas = () =>
  [...world.kernel.values()].map(({ backends }) => [...backends.keys()].join(' ')).sort();

const decisionsIn = ({ decisions = new Map() }: PassStatus) =>
  [...decisions.values()].flatMap((backends) => [...backends]);

test('a backend that the kernel refuses is no failure, its VIP works on, and one without any other has none', async () => {
  const all = snapshot(GOOD, BAD, MIXED);
  const pass = await controller.resync(all);
  expect(pass.failures).toEqual([]);
  expect(kernelHas()).toEqual(['', '10.0.0.1:31000', '10.0.0.2:31001']);
  const [since, endsAt] = [world.now, world.now + 60_000];
  const decision = {
    rule: 'refused',
    since,
    endsWhen: 'the kernel accepts its address; it is retried',
    endsAt,
  };
  expect(decisionsIn(pass)).toEqual([
    ['10.9.0.255:31000', decision],
    ['10.9.0.255:31001', decision],
  ]);
  const reason = "this host's kernel does not accept the address as a destination (EINVAL)";
  expect(pass.refused).toEqual([{ address: '10.9.0.255', since, endsAt, reason }]);
  expect(kernelCheck(pass)).toEqual({
    name: 'kernel',
    ok: true,
    message: '1 backend address left out, since the kernel refuses them as destinations: 10.9.0.255',
  });
});

test('it is retried after a minute, less often each time, and added once the kernel accepts it', async () => {
  const all = snapshot(GOOD, BAD);
  await controller.change(all);
  expect(controller.nextDue()).toBe(world.now + 60_000);
  world.now += 60_000;
  await controller.change(all);
  expect(controller.nextDue()).toBe(world.now + 120_000);
  world.refusedBackends = [];
  world.now += 120_000;
  await controller.change(all);
  expect(kernelHas()).toEqual(['10.0.0.1:31000', '10.9.0.255:31000']);
  expect(controller.nextDue()).toBeNull();
});

test('a VIP whose backends are all refused stays in the kernel without any, whenever they are tried again', async () => {
  const all = snapshot(GOOD, BAD);
  await controller.resync(all);
  expect(world.done()).toContain('kernel -A -t 11.226.99.213:80 -s wlc');
  for (let tries = 0; tries < 4; tries += 1) {
    world.now = controller.nextDue() ?? Number.NaN;
    await controller.change(all);
    await controller.resync(all);
  }
  expect(world.done().filter((line) => line.startsWith('kernel'))).toEqual([]);
  expect(kernelHas()).toEqual(['', '10.0.0.1:31000']);
});

test('an address that no app declares any more is forgotten', async () => {
  await controller.resync(snapshot(GOOD, BAD));
  const pass = await controller.change(snapshot(GOOD));
  expect(pass.refused).toEqual([]);
  expect(controller.nextDue()).toBeNull();
});

test('a backend whose task ended is removed even if its replacements are refused', async () => {
  await controller.resync(snapshot(GOOD, web('/bad', { VIP_0: '/bad:80' }, '10.0.0.3:31000')));
  await controller.change(snapshot(GOOD, BAD));
  expect(kernelHas()).toEqual(['', '10.0.0.1:31000']);
});

test('if the kernel refuses every backend, writing fails, and nothing is removed', async () => {
  world.refusedBackends = ['10.9.0.255', '10.0.0.1', '10.0.0.2'];
  const pass = await controller.resync(snapshot(GOOD, BAD, MIXED));
  expect(pass.failures.length).toBeGreaterThan(0);
  expect(kernelCheck(pass)).toMatchObject({ ok: false });
});

test('a backend of the other family in the kernel does not make it the fault of one app', async () => {
  world.refusedBackends = ['10.9.0.255'];
  const six = web('/six', { VIP_0: '/six:80' }, '[fd01:a::1]:31000');
  const pass = await controller.resync(snapshot(BAD, six));
  expect(kernelHas()).toContain('[fd01:a::1]:31000');
  expect(pass.failures).toMatchObject([{ message: 'EINVAL' }]);
});

test('a write that fails for another reason makes the host not ready', async () => {
  world.refuse = (step) =>
    step.op === 'add-backend' && step.backend.address === '10.0.0.2' ? 'ENOMEM' : null;
  const pass = await controller.resync(snapshot(GOOD, MIXED));
  expect(pass.failures).toMatchObject([{ message: 'ENOMEM' }]);
  expect(kernelCheck(pass)).toMatchObject({ ok: false });
});

test('a retry that is due, but that something else still postpones, does not keep the loop busy', async () => {
  // Alone its step fails; beside another backend its address is refused, which is retried later.
  await controller.resync(snapshot(BAD));
  const all = snapshot(BAD, MIXED);
  await controller.change(all);
  for (let pass = 0; pass < 3; pass += 1) {
    world.now = controller.nextDue() ?? Number.NaN;
    await controller.change(all);
    expect(controller.nextDue()).toBeGreaterThan(world.now);
  }
});
