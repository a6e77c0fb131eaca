import { beforeEach, describe, expect, test } from '@jest/globals';
import { app, snapshot, task, web } from '../../support/builders.ts';
import { type Controller, World } from '../../support/world.ts';

// Rule 9: what cuts this host off from its own source, or from an agent, goes at once.
const TAKER = web('/taker', { VIP_0: '10.77.0.9:9' }, '10.0.0.7:31000');
const OTHER = web('/other', { VIP_0: '10.8.8.8:80' }, '10.0.0.8:31000');
const NAMED = web('/web', { VIP_0: '/web:80' }, '10.0.0.9:31000');
const BAD = 'tcp/10.77.0.9:9';
const REASON = 'it is the address of the source http://marathon.test:8080';

let world: World;
let controller: Controller;
const learn = (address = '10.77.0.9') => {
  world.taken = (asked) => (asked === address ? REASON : null);
};

/** A client holds a connection to each backend, so that a removal for any other reason would drain. */
function connect(): void {
  world.kernel = new Map(
    [...world.kernel].map(([key, service]) => [
      key,
      {
        ...service,
        backends: new Map(
          [...service.backends].map(([at, backend]) => [at, { ...backend, activeConnections: 1 }]),
        ),
      },
    ]),
  );
}

beforeEach(async () => {
  world = new World();
  controller = world.start();
  await controller.resync(snapshot(TAKER, OTHER, NAMED));
  connect();
  world.done();
});

test('a VIP at the address of a source loses its route and service, without a drain', async () => {
  expect(controller.reconciler.mustWithdraw()).toBe(false);
  learn();
  expect(controller.reconciler.mustWithdraw()).toBe(true);
  const { plan, held } = await controller.resync(snapshot(TAKER, OTHER, NAMED));
  expect(world.done()).toEqual([
    'reach 10.8.8.8',
    'kernel -D -t 10.77.0.9:9',
    expect.stringMatching(/^ledger tcp\/10\.8\.8\.8:80 tcp\/11\./),
  ]);
  expect(held).toBeNull();
  expect(plan.services.find(({ key }) => key === BAD)).toMatchObject({
    op: 'remove',
    reason: `withdrawn: ${REASON}`,
  });
  expect(controller.reconciler.mustWithdraw()).toBe(false);
});

test('a drain that has begun ends when the address turns out to be the source', async () => {
  await controller.resync(snapshot(web('/taker', {}, '10.0.0.7:31000'), OTHER, NAMED));
  expect(world.backends(BAD)).toEqual(['10.0.0.7:31000 w0']);
  learn();
  await controller.resync(snapshot(web('/taker', {}, '10.0.0.7:31000'), OTHER, NAMED));
  expect([...world.kernel.keys()]).not.toContain(BAD);
});

test('it is no mass removal, even if no other VIP is left, and other removals are held as usual', async () => {
  learn();
  const { held } = await controller.resync(snapshot());
  expect([...world.kernel.keys()]).toHaveLength(2);
  expect([...world.kernel.keys()]).not.toContain(BAD);
  expect(held?.vips).toBe(2);
});

test('with saved state alone it is removed too, and nothing else', async () => {
  learn();
  await controller.resync(snapshot(NAMED), false);
  expect(world.done()).toContain('kernel -D -t 10.77.0.9:9');
  expect(world.kernel.size).toBe(2);
});

test('a VIP at the address of an agent is removed at once when every source has been read', async () => {
  const idle = app('/db', { tasks: [task('db.1', [], { agent: { host: 'a', address: '10.77.0.9' } })] });
  await controller.resync(snapshot(TAKER, OTHER, NAMED, idle), false);
  expect(world.done()).not.toContain('kernel -D -t 10.77.0.9:9');
  await controller.resync(snapshot(TAKER, OTHER, NAMED, idle));
  expect(world.done()).toEqual([
    'reach 10.8.8.8',
    'kernel -D -t 10.77.0.9:9',
    expect.stringMatching(/^ledger /),
  ]);
});

test("another program's service at the address of the source is left alone", async () => {
  world.ledgerEntries = new Map([...world.ledgerEntries].filter(([key]) => key !== BAD));
  controller = world.start();
  learn();
  await controller.resync(snapshot(TAKER, OTHER, NAMED));
  expect([...world.kernel.keys()]).toContain(BAD);
});

test('a VIP of a name keeps its address, whoever has it', async () => {
  const [named = ''] = [...world.kernel.keys()].filter((key) => key.startsWith('tcp/11.'));
  learn(named.slice(4, -3));
  expect(controller.reconciler.mustWithdraw()).toBe(false);
  await controller.resync(snapshot(TAKER, OTHER, NAMED));
  expect(world.kernel.size).toBe(3);
});

describe('before any source has been read', () => {
  beforeEach(() => {
    controller = world.start();
  });

  test('the VIP and its route are removed, and nothing else changes', async () => {
    learn();
    await controller.reconciler.withdraw();
    expect(world.done()).toEqual([
      'reach 10.8.8.8',
      'kernel -D -t 10.77.0.9:9',
      expect.stringMatching(/^ledger tcp\/10\.8\.8\.8:80 tcp\/11\./),
    ]);
    expect(world.logged).toContainEqual({
      level: 'warn',
      message: 'VIP withdrawn',
      fields: { vip: BAD, reason: REASON },
    });
    await controller.reconciler.withdraw();
    expect(world.done()).toEqual([]);
  });

  test('a service that the kernel does not remove stays in the ledger, and is retried', async () => {
    learn();
    world.refuse = (step) => (step.op === 'remove-service' ? 'EBUSY' : null);
    await controller.reconciler.withdraw();
    expect([...world.ledgerEntries.keys()]).toContain(BAD);
    expect(world.logged.at(-1)).toMatchObject({ level: 'warn', message: 'VIP not withdrawn' });
    world.refuse = () => null;
    await controller.reconciler.withdraw();
    expect([...world.kernel.keys()]).not.toContain(BAD);
  });

  test('nothing at all is written where no VIP has such an address', async () => {
    await controller.reconciler.withdraw();
    expect(world.done()).toEqual([]);
  });

  test('a kernel that cannot be read is logged, and stops nothing', async () => {
    world.unreadable = 'ENOBUFS';
    await controller.reconciler.withdraw();
    expect(world.logged.at(-1)).toMatchObject({ level: 'warn', fields: { error: 'ENOBUFS' } });
  });

  test('a dry run writes nothing', async () => {
    learn();
    await world.start({ dryRun: true }).reconciler.withdraw();
    expect(world.done()).toEqual([]);
  });
});
