/** A namespace with a helper, which is joined by pipes here as it is by its standard streams. */

import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { serveCalls } from '../../../controller/netns/helper.ts';
import { NamespaceKeeper } from '../../../controller/netns/keeper.ts';
import type { Namespace } from '../../../controller/netns/namespaces.ts';
import { RemoteNamespace } from '../../../controller/netns/remote.ts';
import { snapshot, web } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type Controller, World } from '../../support/world.ts';

const VIP = 'tcp/11.134.217.55:5555';
const POD: Namespace = { id: 'pod', path: '/run/netns/pod', inode: 7n };
const mine = (...endpoints: readonly string[]) =>
  snapshot(web('/my-service', { VIP_0: '/my-service:5555' }, ...endpoints));

let clock: FakeClock;
let controller: Controller;
let pod: World;
let helpers: RemoteNamespace[];
let entering: (remote: RemoteNamespace) => void;
let keeper: NamespaceKeeper;
let stop: AbortController;
let ended: Promise<void>;

beforeEach(() => {
  clock = new FakeClock();
  controller = new World(clock).start();
  pod = new World(clock);
  helpers = [];
  entering = () => undefined;
  stop = new AbortController();
  keeper = new NamespaceKeeper(POD, {
    enter() {
      const [toHelper, fromHelper] = [new PassThrough(), new PassThrough()];
      const kill = () => void toHelper.end();
      const remote = new RemoteNamespace({ input: toHelper, output: fromHelper, kill }, clock);
      void serveCalls(pod, toHelper, fromHelper);
      helpers.push(remote);
      entering(remote);
      return remote;
    },
    ledger: pod.ledger,
    followers: controller.followers,
    clock,
    log: pod.log,
  });
  ended = keeper.run(stop.signal);
});
afterEach(async () => {
  stop.abort();
  await ended;
});

async function rest(): Promise<void> {
  for (let turns = 0; turns < 100; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('a namespace gets the VIPs of the host through its helper, and is told as in sync', async () => {
  expect(keeper.report).toMatchObject({ id: 'pod', path: '/run/netns/pod', isInSync: false, vips: 0 });
  await controller.resync(mine('10.0.0.1:31000'));
  await rest();
  expect(pod.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  expect(keeper.report).toMatchObject({ isInSync: true, reason: null, vips: 1 });
});

test('a helper that ends is followed by another one, which finds what came meanwhile', async () => {
  await controller.resync(mine('10.0.0.1:31000'));
  await rest();
  helpers[0]?.end('the helper was killed');
  await rest();
  expect(keeper.report).toMatchObject({ isInSync: false, reason: 'the helper was killed', vips: 1 });
  await controller.change(mine('10.0.0.1:31000', '10.0.0.2:31000'));
  await rest();
  expect(pod.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  await clock.advance(1_000);
  await rest();
  expect(helpers).toHaveLength(2);
  expect(pod.backends(VIP)).toEqual(['10.0.0.1:31000 w1', '10.0.0.2:31000 w1']);
  expect(keeper.report).toMatchObject({ isInSync: true });
});

test('a namespace that cannot be entered is tried less and less often, and complained of once', async () => {
  helpers[0]?.end('Operation not permitted');
  entering = (remote) => remote.end('Operation not permitted');
  await rest();
  for (let seconds = 0; seconds < 300; seconds += 1) {
    await clock.advance(1_000);
    await rest();
  }
  expect(helpers.length).toBeGreaterThan(5);
  expect(helpers.length).toBeLessThan(14);
  expect(pod.logged.filter(({ level }) => level !== 'debug')).toEqual([
    expect.objectContaining({ fields: { netns: 'pod', reason: 'Operation not permitted' } }),
  ]);
});

test('what cannot be written there is told with the reason', async () => {
  pod.refuse = () => 'EPERM';
  await controller.resync(mine('10.0.0.1:31000'));
  await rest();
  expect(keeper.report).toMatchObject({
    isInSync: false,
    reason: '-A -t 11.134.217.55:5555 -s wlc: EPERM',
  });
});

test('the end of the controller takes nothing away', async () => {
  await controller.resync(mine('10.0.0.1:31000'));
  await rest();
  stop.abort();
  await ended;
  expect(pod.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
});
