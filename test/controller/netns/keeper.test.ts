/** A namespace with a helper, which is joined by pipes here as it is by its standard streams. */

import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Turns } from '../../../controller/loop/turns.ts';
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
    starts: new Turns(1),
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

test("a namespace gets the host's VIPs through its helper, and is reported as in sync", async () => {
  expect(keeper.report).toMatchObject({ id: 'pod', path: '/run/netns/pod', isInSync: false, vips: 0 });
  await controller.resync(mine('10.0.0.1:31000'));
  await rest();
  expect(pod.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  expect(keeper.report).toMatchObject({ isInSync: true, reason: null, vips: 1 });
});

test('a helper that ends is replaced, and the new one catches up', async () => {
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

test('a namespace that cannot be entered is retried less and less often, and logged once', async () => {
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

test('a failed write is reported with the reason', async () => {
  pod.refuse = () => 'EPERM';
  await controller.resync(mine('10.0.0.1:31000'));
  await rest();
  expect(keeper.report).toMatchObject({
    isInSync: false,
    reason: '-A -t 11.134.217.55:5555 -s wlc: EPERM',
  });
});

test('the end of the controller removes nothing', async () => {
  await controller.resync(mine('10.0.0.1:31000'));
  await rest();
  stop.abort();
  await ended;
  expect(pod.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
});

describe('many namespaces at once', () => {
  let starts: Turns;
  let keepers: Promise<void>[];
  /** Pipes of the helpers that were started, by namespace; none answers by itself. */
  let started: Map<string, { readonly toHelper: PassThrough; readonly fromHelper: PassThrough }>;

  function keepSilent(id: string): void {
    const silent = new NamespaceKeeper(
      { ...POD, id },
      {
        enter() {
          const pipes = { toHelper: new PassThrough(), fromHelper: new PassThrough() };
          started.set(id, pipes);
          const kill = () => void pipes.toHelper.end();
          return new RemoteNamespace({ input: pipes.toHelper, output: pipes.fromHelper, kill }, clock);
        },
        ledger: pod.ledger,
        followers: controller.followers,
        starts,
        clock,
        log: pod.log,
      },
    );
    keepers.push(silent.run(stop.signal));
  }

  beforeEach(() => {
    starts = new Turns(2);
    keepers = [];
    started = new Map();
    for (const id of ['a', 'b', 'c', 'd']) keepSilent(id);
  });

  test('start a few helpers at a time', async () => {
    await rest();
    expect([...started.keys()]).toEqual(['a', 'b']);
    const { toHelper, fromHelper } = started.get('b') ?? fail();
    void serveCalls(pod, toHelper, fromHelper);
    await rest();
    expect([...started.keys()]).toEqual(['a', 'b', 'c']);
  });

  test('do not wait long for one that is silent', async () => {
    await rest();
    await clock.advance(5_000);
    await rest();
    expect([...started.keys()]).toEqual(['a', 'b', 'c', 'd']);
  });

  test('start no helpers once they are no longer needed', async () => {
    await rest();
    stop.abort();
    await Promise.all(keepers);
    expect([...started.keys()]).toEqual(['a', 'b']);
  });
});

function fail(): never {
  throw new Error('it was not started');
}
