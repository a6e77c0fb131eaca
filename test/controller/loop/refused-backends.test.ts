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

test('a backend that the kernel refuses is left out, its VIP works on, and one without any other has no service', async () => {
  const all = snapshot(GOOD, BAD, MIXED);
  const first = await controller.resync(all);
  expect(first.failures).toEqual([]);
  expect(controller.nextLook()).toBeLessThanOrEqual(world.clock.monotonic());

  world.now += 1_000;
  const second = await controller.change(all);
  expect(kernelHas()).toEqual(['10.0.0.1:31000', '10.0.0.2:31001']);
  expect(second.desired.warnings).toEqual([
    "/bad portDefinitions[0]: task bad.0 is no backend: the agent's address 10.9.0.255 is an address that this host's kernel takes for no destination (EINVAL)",
    "/mixed portDefinitions[0]: task mixed.0 is no backend: the agent's address 10.9.0.255 is an address that this host's kernel takes for no destination (EINVAL)",
  ]);
  expect(kernelCheck(second)).toEqual({
    name: 'kernel',
    ok: true,
    message: '1 backend address left out, since the kernel takes none as a destination: 10.9.0.255',
  });
});

test('it is tried again after a minute, and less often each time, and taken as soon as the kernel takes it', async () => {
  const all = snapshot(GOOD, BAD);
  const passTwice = async () => {
    await controller.change(all);
    const learntAt = world.now;
    world.now += 1_000;
    await controller.change(all);
    return learntAt;
  };
  const first = await passTwice();
  expect(controller.nextLook()).toBe(first + 60_000);
  world.now += 60_000;
  const second = await passTwice();
  expect(controller.nextLook()).toBe(second + 120_000);
  world.refusedBackends = [];
  world.now += 120_000;
  await controller.change(all);
  expect(kernelHas()).toEqual(['10.0.0.1:31000', '10.9.0.255:31000']);
  expect(controller.nextLook()).toBeNull();
});

test('where the kernel refuses every backend, writing fails, and nothing is taken away for it', async () => {
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
