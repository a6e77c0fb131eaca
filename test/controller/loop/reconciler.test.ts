import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Task } from '../../../controller/model/app.ts';
import type { Step } from '../../../controller/model/kernel.ts';
import {
  app,
  backend,
  port,
  service,
  snapshot,
  task,
  taskPort,
  WEIGHT_1,
  WLC,
  web,
} from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { observedService, tableOf } from '../../support/observed.ts';
import { list } from '../../support/telling.ts';
import { World } from '../../support/world.ts';

const HOUR = 3_600_000;
const VIP = 'tcp/11.134.217.55:5555';
const mine = (...endpoints: readonly string[]) =>
  web('/my-service', { VIP_0: '/my-service:5555' }, ...endpoints);
const literal = (...endpoints: readonly string[]) =>
  web('/literal', { VIP_0: '192.168.7.7:80' }, ...endpoints);

let world: World;
let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
  world = new World(clock);
});

describe('the order of writes (rule 7)', () => {
  test('names and ledger are saved first, then service and backends are added, then the address is made reachable', async () => {
    await world.start().resync(snapshot(literal('10.0.0.1:31000')));
    expect(world.done()).toEqual([
      'memory',
      'ledger tcp/192.168.7.7:80',
      'kernel -A -t 192.168.7.7:80 -s wlc',
      'kernel -a -t 192.168.7.7:80 -r 10.0.0.1:31000 -m -w 1',
      'reach 192.168.7.7',
    ]);
  });

  test('removal runs in reverse: unreachable, removed from the kernel, dropped from the ledger', async () => {
    const controller = world.start();
    await controller.resync(snapshot(literal('10.0.0.1:31000'), mine('10.0.0.1:31001')));
    world.done();
    await controller.change(snapshot(mine('10.0.0.1:31001')));
    expect(world.done()).toEqual(['memory', 'reach', 'kernel -D -t 192.168.7.7:80', `ledger ${VIP}`]);
  });

  test('an address is not made reachable while its service cannot be added', async () => {
    world.refuse = ({ op }) => (op === 'add-service' ? 'no scheduler' : null);
    const pass = await world.start().resync(snapshot(literal('10.0.0.1:31000')));
    expect(world.done()).toContain('reach');
    expect(pass.failures[0]).toEqual({ step: '-A -t 192.168.7.7:80 -s wlc', message: 'no scheduler' });
  });

  test('nor is that of a VIP whose backends are all of weight 0', async () => {
    world.refuse = ({ op }) => (op === 'add-service' ? 'no memory' : null);
    const declared = port({ VIP_0: '192.168.7.7:80' });
    const ill = task('ill.1', [taskPort(declared, '10.0.0.1:31000')], { health: 'unhealthy' });
    await world.start().resync(snapshot(app('/ill', { ports: [declared], tasks: [ill] })));
    expect(world.done()).toContain('reach');
  });

  test('an old backend stays when the one that replaces it cannot be added', async () => {
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    world.refuse = ({ op }) => (op === 'add-backend' ? 'no memory' : null);
    await controller.change(snapshot(mine('10.0.0.2:31000')));
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });
});

describe('a VIP whose new backend cannot be added (better an old one than none)', () => {
  const declared = port({ VIP_0: '/my-service:5555' });
  const running = task('my-service.1', [taskPort(declared, '10.0.0.1:31000')]);
  const replacement = task('my-service.2', [taskPort(declared, '10.0.0.2:31000')]);
  const deployed = (...tasks: readonly Task[]) => snapshot(app('/my-service', { ports: [declared], tasks }));

  test.each<[string, Task]>([
    ['being killed', { ...running, state: 'killing' }],
    ['failing its check', { ...running, health: 'unhealthy' }],
    ['on an agent that cannot be reached', { ...running, state: 'unreachable' }],
  ])('keeps one that is %s in rotation', async (_what, leaving) => {
    const controller = world.start();
    await controller.resync(deployed(running));
    world.refuse = ({ op }) => (op === 'add-backend' ? 'no memory' : null);
    await controller.resync(deployed(leaving, replacement));
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);

    world.refuse = () => null;
    await clock.advance(1_000);
    await controller.resync(deployed(leaving, replacement));
    expect(world.backends(VIP)).toContain('10.0.0.2:31000 w1');
    expect(world.backends(VIP)).not.toContain('10.0.0.1:31000 w1');
  });
});

describe('only services that the controller owns (rule 1)', () => {
  test('services of other programs are never touched', async () => {
    const foreign = observedService(service('172.16.0.1', 443, [backend('172.16.0.2', 443)]));
    world.kernel = tableOf(foreign);
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await controller.resync(snapshot());
    expect(world.kernel.get('tcp/172.16.0.1:443')).toBe(foreign);
    expect([...world.kernel.keys()]).toEqual(['tcp/172.16.0.1:443']);
  });

  describe('a service that another program adds while the ledger is being written', () => {
    const foreign = (address: string, port: number) => {
      const made = observedService(service(address, port, [backend('172.16.0.2', 443)]));
      const { save } = world.ledger;
      world.ledger.save = async (entries, changed) => {
        await save(entries, changed);
        if (world.kernel.size === 0) world.kernel = tableOf(made);
      };
      return made;
    };

    test('is a conflict outside the pools, and is dropped from the ledger at once', async () => {
      const made = foreign('192.168.7.7', 80);
      const controller = world.start();
      const all = snapshot(literal('10.0.0.1:31000'));
      const first = await controller.resync(all);
      expect(first.failures).toMatchObject([{ message: 'EEXIST' }]);
      expect([...world.ledgerEntries.keys()]).toEqual([]);

      await clock.advance(200);
      const { plan, failures } = await controller.change(all);
      expect(plan.conflicts).toMatchObject([{ key: 'tcp/192.168.7.7:80' }]);
      expect(failures).toEqual([]);
      expect(world.kernel.get('tcp/192.168.7.7:80')).toBe(made);
      expect(controller.nextDue()).toBeNull();
    });

    test('is not claimed even if the pass then ends with an error', async () => {
      const made = foreign('192.168.7.7', 80);
      const controller = world.start();
      const { ensure } = world.reachability;
      world.reachability.ensure = () => Promise.reject(new Error('the interface cannot be made'));
      const all = snapshot(literal('10.0.0.1:31000'));
      expect((await controller.resync(all)).error).toBe('the interface cannot be made');
      world.reachability.ensure = ensure;
      await clock.advance(200);
      expect((await controller.resync(all)).plan.conflicts).toMatchObject([{ key: 'tcp/192.168.7.7:80' }]);
      expect(world.kernel.get('tcp/192.168.7.7:80')).toBe(made);
    });

    test.each<[string, string, number, boolean, ReturnType<typeof web>]>([
      ['in the pool', '11.134.217.55', 5555, false, mine('10.0.0.1:31000')],
      ['anywhere, with --adopt', '192.168.7.7', 80, true, literal('10.0.0.1:31000')],
    ])('is adopted %s', async (_where, address, number, adopt, wanted) => {
      const made = foreign(address, number);
      const controller = world.start({ adopt });
      await controller.resync(snapshot(wanted));
      const key = `tcp/${address}:${number}`;
      expect(world.kernel.get(key)).toBe(made);

      await clock.advance(200);
      const { plan } = await controller.change(snapshot(wanted));
      expect(plan.services).toMatchObject([{ key, adopted: true }]);
      expect(world.backends(key)).toEqual(['10.0.0.1:31000 w1']);
      expect([...world.ledgerEntries.keys()]).toEqual([key]);
    });
  });

  test('what would be adopted once every source is read is reachable no more where the source then wants it no more', async () => {
    const foreign = observedService(service('192.168.7.7', 80, [backend('172.16.0.2', 443)]));
    world.kernel = tableOf(foreign);
    const controller = world.start({ adopt: true });
    await controller.resync(snapshot(literal('10.0.0.1:31000')), false);
    expect(world.done()).toContain('reach 192.168.7.7');
    await controller.resync(snapshot(mine('10.0.0.1:31001')));
    expect(world.done()).toContain('reach');
    expect(world.kernel.get('tcp/192.168.7.7:80')).toBe(foreign);
  });

  test('no service is added before it is in the ledger', async () => {
    world.ledgerBroken = 'disk full';
    const pass = await world.start().resync(snapshot(mine('10.0.0.1:31000')));
    expect(pass.failures.map(({ message }) => message)).toEqual(['disk full']);
    expect(world.kernel.size).toBe(0);
  });

  test('ledger entries that the kernel lacks at the start are dropped: a later service there belongs to another program', async () => {
    world.ledgerEntries = new Map([['tcp/11.9.9.9:80', { name: 'old', framework: 'marathon', fqdn: null }]]);
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    world.meddle({
      op: 'add-service',
      service: { protocol: 'tcp', address: '11.9.9.9', port: 80, ...WLC, scheduler: 'rr' },
    });
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    expect(world.kernel.has('tcp/11.9.9.9:80')).toBe(true);
  });

  test('an entry that one start dropped stays dropped at the next', async () => {
    world.ledgerEntries = new Map([['tcp/11.9.9.9:80', { name: 'old', framework: 'marathon', fqdn: null }]]);
    await world.start().resync(snapshot());
    world.kernel = tableOf(observedService(service('11.9.9.9', 80)));
    await world.start().resync(snapshot());
    expect(world.kernel.has('tcp/11.9.9.9:80')).toBe(true);
  });

  test('a service that another program added outside the pool since the kernel was read is a conflict and is not written', async () => {
    const controller = world.start();
    await controller.resync(snapshot());
    world.kernel = tableOf(observedService(service('192.168.7.7', 80, [backend('172.16.0.2', 443)])));
    const pass = await controller.change(snapshot(literal('10.0.0.1:31000')));
    expect(pass.plan.conflicts).toHaveLength(1);
    expect(world.backends('tcp/192.168.7.7:80')).toEqual(['172.16.0.2:443 w1']);
  });

  test('a service added before a restart is still owned after it, and removed when no app declares it', async () => {
    await world.start().resync(snapshot(mine('10.0.0.1:31000')));
    await world.start().resync(snapshot());
    expect(world.kernel.size).toBe(0);
    expect(world.ledgerEntries.size).toBe(0);
  });
});

describe('never on partial knowledge (rules 2 and 3)', () => {
  test('a kernel that cannot be read is not written', async () => {
    world.unreadable = 'the dump was interrupted';
    const pass = await world.start().resync(snapshot(mine('10.0.0.1:31000')));
    expect(pass.error).toBe('the dump was interrupted');
    expect(world.done()).toEqual([]);
  });

  test('with saved state alone nothing is removed and nothing in the kernel is changed', async () => {
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000'), literal('10.0.0.1:1')));
    world.done();
    const restarted = world.start();
    await restarted.resync(snapshot(mine('10.0.0.1:31000', '10.0.0.9:31000')), false);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1', '10.0.0.2:31000 w1']);
    expect(world.kernel.has('tcp/192.168.7.7:80')).toBe(true);
  });

  test('with saved state alone another program’s service is not adopted, so it stays when no app declares it', async () => {
    const foreign = observedService(service('11.134.217.55', 5555, [backend('172.16.0.2', 443)]));
    world.kernel = tableOf(foreign);
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')), false);
    expect(world.ledgerEntries.size).toBe(0);
    await controller.resync(snapshot());
    expect(world.kernel.get(VIP)).toBe(foreign);
  });

  test('with saved state alone it first checks whether another program has added the service meanwhile', async () => {
    const controller = world.start();
    await controller.resync(snapshot(), false);
    const foreign = observedService(service('11.134.217.55', 5555, [backend('172.16.0.2', 443)]));
    world.kernel = tableOf(foreign);
    list(controller.reconciler.inventory, 'one', snapshot(mine('10.0.0.1:31000')));
    await controller.reconciler.pass({ full: false, complete: false, changesSince: [], gone: [] });
    expect(world.kernel.get(VIP)).toBe(foreign);
    expect(world.ledgerEntries.size).toBe(0);
  });

  test('with saved state alone an empty kernel table (after a reboot) is filled again', async () => {
    await world.start().resync(snapshot(mine('10.0.0.1:31000')), false);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });
});

test('names that could not be saved are saved by a later pass, even without a change', async () => {
  world.memoryBroken = 'disk full';
  const controller = world.start();
  await controller.resync(snapshot(mine('10.0.0.1:31000')));
  expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  expect(world.memory.addresses.size).toBe(0);

  world.memoryBroken = null;
  await controller.resync(snapshot(mine('10.0.0.1:31000')));
  expect([...world.memory.addresses.keys()]).toEqual(['my-service.marathon']);
  world.done();
  await controller.resync(snapshot(mine('10.0.0.1:31000')));
  expect(world.done()).not.toContain('memory');
});

describe('stop, restart and drift (rule 5)', () => {
  test('a start that finds the kernel as desired writes nothing', async () => {
    await world.start().resync(snapshot(mine('10.0.0.1:31000')));
    world.done();
    await world.start().resync(snapshot(mine('10.0.0.1:31000')));
    expect(world.done()).toEqual(['reach']);
  });

  test.each<[string, Step, string]>([
    [
      'weight',
      {
        op: 'update-backend',
        service: { protocol: 'tcp', address: '11.134.217.55', port: 5555 },
        backend: { address: '10.0.0.1', port: 31000, ...WEIGHT_1, weight: 9 },
      },
      'weight',
    ],
    [
      'service removed',
      { op: 'remove-service', service: { protocol: 'tcp', address: '11.134.217.55', port: 5555 } },
      'removed',
    ],
    [
      'scheduler',
      {
        op: 'update-service',
        service: {
          protocol: 'tcp',
          address: '11.134.217.55',
          port: 5555,
          ...WLC,
          scheduler: 'rr',
        },
      },
      'scheduler',
    ],
  ])(
    'what someone changed by hand (%s) is repaired by the next full pass, and named',
    async (_what, meddling, field) => {
      const controller = world.start();
      await controller.resync(snapshot(mine('10.0.0.1:31000')));
      const before = world.kernel;
      world.meddle(meddling);
      const pass = await controller.resync(snapshot(mine('10.0.0.1:31000')));
      expect(pass.drift.map((drift) => drift.field)).toEqual([field]);
      expect(world.kernel).toEqual(before);
      expect((await controller.resync(snapshot(mine('10.0.0.1:31000')))).drift).toEqual([]);
    },
  );

  test("the controller's own changes between two full passes are no drift", async () => {
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    await controller.change(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000'), literal('10.0.0.1:1')));
    expect(
      (await controller.resync(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000'), literal('10.0.0.1:1'))))
        .drift,
    ).toEqual([]);
  });

  test('an event causes exactly the steps that it needs, without reading the kernel', async () => {
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    world.done();
    const reads = world.reads;
    await controller.change(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000')));
    expect(world.done()).toEqual(['kernel -a -t 11.134.217.55:5555 -r 10.0.0.2:31000 -m -w 1']);
    expect(world.reads).toBe(reads);
  });
});

describe('what fails', () => {
  test('does not delay other services, and is retried after growing delays', async () => {
    world.refuse = (step) => (step.service.address === '192.168.7.7' ? 'refused' : null);
    const controller = world.start();
    const all = snapshot(literal('10.0.0.1:1'), mine('10.0.0.1:31000'));
    const first = await controller.resync(all);
    // Without the service the kernel would refuse its backend too: that is not tried.
    expect(first.failures).toHaveLength(1);
    expect(first.waiting).toBe(1);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
    expect(controller.nextDue()).toBe(clock.monotonic() + 200);

    world.done();
    const held = await controller.resync(all);
    expect(held.failures).toEqual([]);
    expect(held.waiting).toBe(2);
    expect(world.done()).toEqual(['reach']);

    await clock.advance(200);
    await controller.resync(all);
    expect(controller.nextDue()).toBe(clock.monotonic() + 400);

    await clock.advance(400);
    world.refuse = () => null;
    await controller.resync(all);
    expect(world.backends('tcp/192.168.7.7:80')).toEqual(['10.0.0.1:1 w1']);
    expect(controller.nextDue()).toBeNull();
  });

  test('in the settings of a service (a scheduler that the kernel lacks) does not hold back its backends', async () => {
    const labelled = (labels: Record<string, string>, ...endpoints: readonly string[]) =>
      snapshot(web('/my-service', { VIP_0: '/my-service:5555', ...labels }, ...endpoints));
    const controller = world.start();
    await controller.resync(labelled({}, '10.0.0.1:31000'));
    world.refuse = ({ op }) => (op === 'update-service' ? 'no scheduler "mh"' : null);
    const pass = await controller.resync(labelled({ IPVS_SCHEDULER: 'mh' }, '10.0.0.2:31000'));
    expect(pass.failures).toHaveLength(1);
    expect(world.backends(VIP)).toEqual(['10.0.0.2:31000 w1']);

    await controller.resync(labelled({ IPVS_SCHEDULER: 'mh' }, '10.0.0.3:31000'));
    expect(world.backends(VIP)).toEqual(['10.0.0.3:31000 w1']);
    expect(controller.nextDue()).toBe(clock.monotonic() + 200);
  });

  test('makes the next pass read that service again, since its state is unknown', async () => {
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    world.refuse = () => 'refused';
    await controller.change(snapshot(mine('10.0.0.2:31000')));
    world.refuse = () => null;
    const reads = world.reads;
    // It was made all the same: only the answer was lost.
    const made = { address: '10.0.0.2', port: 31000, ...WEIGHT_1 };
    const step = (op: 'add-backend' | 'remove-backend', host: string) =>
      ({
        op,
        service: { protocol: 'tcp', address: '11.134.217.55', port: 5555 },
        backend: { ...made, address: host },
      }) as const;
    world.meddle(step('add-backend', '10.0.0.2'), step('remove-backend', '10.0.0.1'));
    world.done();
    await clock.advance(1_000);
    const pass = await controller.change(snapshot(mine('10.0.0.2:31000')));
    expect(world.reads).toBe(reads + 1);
    expect(world.done()).toEqual([]);
    expect(pass.drift).toEqual([]);
  });
});

test('a dry run changes nothing and still sees the difference', async () => {
  const controller = world.start({ dryRun: true });
  const pass = await controller.resync(snapshot(mine('10.0.0.1:31000')));
  expect(pass.plan.summary.add).toBe(1);
  expect(world.done()).toEqual([]);
  expect(world.kernel.size).toBe(0);
});

test('a label that becomes invalid keeps its last valid VIP, with today’s backends, over a restart too (rule 8)', async () => {
  await world.start().resync(snapshot(mine('10.0.0.1:31000')));
  const broken = (...endpoints: readonly string[]) =>
    snapshot(web('/my-service', { VIP_0: 'nocolon' }, ...endpoints), literal('10.0.0.1:1'));
  const pass = await world.start().resync(broken('10.0.0.2:31000'));
  expect(world.backends(VIP)).toEqual(['10.0.0.2:31000 w1']);
  expect(pass.desired.rejected).toMatchObject([{ app: '/my-service', value: 'nocolon' }]);
  expect(world.backends('tcp/192.168.7.7:80')).toEqual(['10.0.0.1:1 w1']);
});

describe('draining (rule 6)', () => {
  const unreachable = (endpoint: string) => {
    const declared = port({ VIP_0: '/my-service:5555' });
    const tasks = [
      task('my-service.1', [taskPort(declared, '10.0.0.1:31000')]),
      task('my-service.2', [taskPort(declared, endpoint)], { state: 'unreachable' }),
    ];
    return snapshot(app('/my-service', { ports: [declared], tasks }));
  };
  const connect = (count: number) => {
    const found = world.kernel.get(VIP);
    if (found === undefined) throw new Error('the VIP is not in the kernel');
    const backends = new Map(
      [...found.backends].map(([key, observed]) => [key, { ...observed, activeConnections: count }]),
    );
    world.kernel = new Map([...world.kernel, [VIP, { ...found, backends }]]);
  };

  test('a task on an agent that cannot be reached keeps its connections: weight 0, not removed', async () => {
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000')));
    connect(2);
    await controller.change(unreachable('10.0.0.2:31000'));
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1', '10.0.0.2:31000 w0']);

    connect(0);
    expect(controller.nextDue()).toBe(clock.monotonic() + 5_000);
    await clock.advance(5_000);
    await controller.resync(unreachable('10.0.0.2:31000'));
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
    expect(controller.nextDue()).toBeNull();
  });

  test('connections opened since the kernel was read count: an event does not remove a backend on stale counts', async () => {
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000')));
    connect(1);
    const reads = world.reads;
    await controller.change(unreachable('10.0.0.2:31000'));
    expect(world.reads).toBe(reads + 1);
    expect(world.backends(VIP)).toContain('10.0.0.2:31000 w0');
  });

  test('the deadline survives a restart', async () => {
    const first = world.start();
    await first.resync(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000')));
    connect(1);
    await first.change(unreachable('10.0.0.2:31000'));
    await clock.advance(200_000);

    const second = world.start();
    await second.resync(unreachable('10.0.0.2:31000'));
    expect(world.backends(VIP)).toContain('10.0.0.2:31000 w0');
    await clock.advance(100_000);
    await second.resync(unreachable('10.0.0.2:31000'));
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });

  const drained = () => world.ledgerEntries.get(VIP)?.drains;

  test.each([-HOUR, HOUR])(
    'lasts as long as ever when the machine’s clock is stepped by %d ms',
    async (step) => {
      const first = world.start();
      await first.resync(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000')));
      connect(1);
      await first.change(unreachable('10.0.0.2:31000'));
      await clock.advance(100_000);
      clock.step(step);
      await first.resync(unreachable('10.0.0.2:31000'));
      expect(world.backends(VIP)).toContain('10.0.0.2:31000 w0');
      expect(drained()).toEqual({ '10.0.0.2:31000': clock.epoch() + 200_000 });

      const second = world.start();
      await clock.advance(199_000);
      await second.resync(unreachable('10.0.0.2:31000'));
      expect(world.backends(VIP)).toContain('10.0.0.2:31000 w0');
      await clock.advance(1_000);
      await second.resync(unreachable('10.0.0.2:31000'));
      expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
    },
  );

  test.each(['pass', 'start'])(
    'does not begin again where the removal fails: the next %s removes',
    async (next) => {
      const first = world.start();
      await first.resync(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000')));
      connect(3);
      await first.change(unreachable('10.0.0.2:31000'));
      await clock.advance(300_000);
      world.refuse = ({ op }) => (op === 'remove-backend' ? 'no memory' : null);
      await first.resync(unreachable('10.0.0.2:31000'));
      expect(world.backends(VIP)).toContain('10.0.0.2:31000 w0');

      world.refuse = () => null;
      await clock.advance(5_000);
      await (next === 'pass' ? first : world.start()).resync(unreachable('10.0.0.2:31000'));
      expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
      expect(drained()).toBeUndefined();
    },
  );

  test('that has ended is forgotten: a backend that returns later gets a full drain time', async () => {
    const controller = world.start();
    const both = snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000'));
    await controller.resync(both);
    connect(3);
    await controller.change(unreachable('10.0.0.2:31000'));
    await clock.advance(300_000);
    await controller.resync(unreachable('10.0.0.2:31000'));
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
    expect(drained()).toBeUndefined();

    await controller.change(both);
    connect(3);
    await controller.change(unreachable('10.0.0.2:31000'));
    expect(drained()).toEqual({ '10.0.0.2:31000': clock.epoch() + 300_000 });
  });

  test('never exceeds the drain time, even if the clock was set back while no controller ran', async () => {
    const first = world.start();
    await first.resync(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000')));
    connect(1);
    await first.change(unreachable('10.0.0.2:31000'));

    clock.step(-HOUR);
    const second = world.start();
    await second.resync(unreachable('10.0.0.2:31000'));
    expect(drained()).toEqual({ '10.0.0.2:31000': clock.epoch() + 300_000 });
    await clock.advance(300_000);
    await second.resync(unreachable('10.0.0.2:31000'));
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });

  test('neither begins nor ends with saved state alone', async () => {
    const both = snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000'));
    await world.start().resync(both);
    connect(1);

    // An old file knows less than the kernel has: the second backend is not weighed down, so it does not drain yet.
    await world.start().resync(unreachable('10.0.0.2:31000'), false);
    expect(drained()).toBeUndefined();

    await world.start().resync(unreachable('10.0.0.2:31000'));
    const deadline = clock.epoch() + 300_000;
    await clock.advance(100_000);
    await world.start().resync(both, false);
    expect(drained()).toEqual({ '10.0.0.2:31000': deadline });
  });

  test('a task that has ended is removed at once, without reading connections', async () => {
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000', '10.0.0.2:31000')));
    connect(5);
    const reads = world.reads;
    await controller.change(snapshot(mine('10.0.0.1:31000')));
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
    expect(world.reads).toBe(reads);
  });

  test('a VIP whose label is removed keeps the connections of running tasks, then is removed', async () => {
    const controller = world.start();
    await controller.resync(snapshot(mine('10.0.0.1:31000')));
    connect(1);
    const plain = web('/my-service', {}, '10.0.0.1:31000');
    await controller.change(snapshot(plain));
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w0']);
    await clock.advance(300_000);
    await controller.resync(snapshot(plain));
    expect(world.kernel.size).toBe(0);
    expect(world.ledgerEntries.size).toBe(0);
  });
});
