import { beforeEach, describe, expect, test } from '@jest/globals';
import { snapshot, WLC, web } from '../../support/builders.ts';
import { type Controller, World } from '../../support/world.ts';

const FULL = 'no space is left on the file system';
let world: World;
let controller: Controller;
beforeEach(() => {
  world = new World();
  controller = world.start();
});

const old = (...places: readonly string[]) => web('/old', { VIP_0: '/old:80' }, ...places);
const fresh = () => web('/new', { VIP_0: '/new:80' }, '10.0.1.1:80');
const keyOf = (name: string) =>
  [...world.ledgerEntries].find(([, entry]) => entry.name === name)?.[0] ?? 'not in the ledger';

describe('a disk that does not answer', () => {
  test('holds back no pass: the memory of names is saved in the background, and as it is then', async () => {
    await controller.resync(snapshot(old('10.0.0.1:80')));
    let answer = () => {};
    const { saveMemory } = world.store;
    world.store.saveMemory = async (memory) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      await saveMemory(memory);
    };
    await controller.change(snapshot(old('10.0.0.2:80'), fresh()), '10.0.0.1:80');
    await controller.change(
      snapshot(old('10.0.0.2:80'), fresh(), web('/newer', { VIP_0: '/newer:80' }, '10.0.2.1:80')),
    );
    expect(world.backends(keyOf('old'))).toEqual(['10.0.0.2:80 w1']);
    expect(world.kernel.size).toBe(3);
    expect([...world.memory.addresses.keys()]).toEqual(['old.marathon']);
    answer();
    await new Promise(setImmediate);
    answer();
    await controller.reconciler.settled();
    expect([...world.memory.addresses.keys()].sort()).toEqual([
      'new.marathon',
      'newer.marathon',
      'old.marathon',
    ]);
  });
});

describe('a name that the disk does not remember', () => {
  const ledgerSays = (name: string, ...keys: readonly string[]) => {
    world.ledgerEntries = new Map(
      keys.map((key) => [
        key,
        { name, framework: 'marathon', fqdn: `${name}.marathon.l4lb.thisdcos.directory` },
      ]),
    );
  };
  const addresses = () => [...world.kernel.values()].map(({ address }) => address);

  test('keeps the address that it has in the kernel, as the ledger tells', async () => {
    ledgerSays('old', 'tcp/11.9.9.9:80');
    await controller.resync(snapshot(old('10.0.0.1:80')));
    expect(addresses()).toEqual(['11.9.9.9']);
    expect(world.memory.addresses.get('old.marathon')?.ipv4).toBe('11.9.9.9');
  });

  test('has it rather than another name to which the disk gives it', async () => {
    ledgerSays('old', 'tcp/11.9.9.9:80');
    world.memory = { addresses: new Map([['new.marathon', { ipv4: '11.9.9.9' }]]), labels: new Map() };
    await controller.resync(snapshot(old('10.0.0.1:80'), fresh()));
    expect(world.memory.addresses.get('old.marathon')?.ipv4).toBe('11.9.9.9');
    expect(world.memory.addresses.get('new.marathon')?.ipv4).not.toBe('11.9.9.9');
  });

  test.each([
    ['one outside the pools is none', ['tcp/172.16.0.1:80']],
    ['of two neither is known to be right', ['tcp/11.9.9.9:80', 'tcp/11.9.9.8:81']],
  ])('has what the disk remembers where the ledger has no answer: %s', async (_what, keys) => {
    ledgerSays('old', ...keys);
    world.memory = { addresses: new Map([['old.marathon', { ipv4: '11.1.1.1' }]]), labels: new Map() };
    await controller.resync(snapshot(old('10.0.0.1:80')));
    expect(addresses()).toEqual(['11.1.1.1']);
  });
});

test('the ledger is given the services that changed, however many it has', async () => {
  await controller.resync(snapshot(old('10.0.0.1:80'), web('/other', { VIP_0: '/other:80' }, '10.0.3.1:80')));
  const goneKey = keyOf('other');
  const saved: (readonly string[] | null)[] = [];
  const { save } = world.ledger;
  world.ledger.save = async (entries, changed) => {
    saved.push(changed === null ? null : [...changed]);
    await save(entries, changed);
  };
  await controller.change(snapshot(fresh(), old('10.0.0.1:80')), '10.0.3.1:80');
  expect(saved).toEqual([[keyOf('new')], [goneKey]]);
});

describe('a ledger that cannot be written', () => {
  beforeEach(async () => {
    await controller.resync(
      snapshot(old('10.0.0.1:80', '10.0.0.2:80'), web('/other', { VIP_0: '/other:80' }, '10.0.3.1:80')),
    );
    world.ledgerBroken = FULL;
    world.done();
  });

  test('stops what is new to it, and nothing else: backends come and go, and so do services', async () => {
    const pass = await controller.change(
      snapshot(fresh(), old('10.0.0.1:80', '10.0.0.3:80')),
      '10.0.0.2:80',
      '10.0.3.1:80',
    );
    expect(pass.error).toBeNull();
    expect(world.backends(keyOf('old'))).toEqual(['10.0.0.1:80 w1', '10.0.0.3:80 w1']);
    expect([...world.kernel.keys()]).toEqual([keyOf('old')]);
    expect(pass.failures.map(({ message }) => message)).toEqual([FULL]);
    expect(pass.advice).toEqual([FULL]);
  });

  test('is written as soon as it can be, and what waited for it is made', async () => {
    const now = snapshot(fresh(), old('10.0.0.1:80'));
    await controller.change(now, '10.0.0.2:80', '10.0.3.1:80');
    world.ledgerBroken = null;
    world.now = controller.nextDue() ?? Number.NaN;
    const pass = await controller.change(now);
    expect([pass.failures, pass.advice]).toEqual([[], []]);
    expect([...world.kernel.keys()].sort()).toEqual([keyOf('new'), keyOf('old')].sort());
    expect([...world.ledgerEntries.keys()].sort()).toEqual([...world.kernel.keys()].sort());
  });

  test('forgets what was removed meanwhile, also where it was asked for again in between', async () => {
    const other = web('/other', { VIP_0: '/other:80' }, '10.0.3.1:80');
    const gone = ['10.0.0.1:80', '10.0.0.2:80'];
    await controller.change(snapshot(other), ...gone);
    await controller.change(snapshot(other, old('10.0.0.1:80')));
    world.ledgerBroken = null;
    await controller.change(snapshot(other), ...gone);
    expect([...world.ledgerEntries.keys()]).toEqual([...world.kernel.keys()]);
  });

  test('lets no service of another program be changed that was to become ours', async () => {
    world.meddle({
      op: 'add-service',
      service: { protocol: 'tcp', address: '11.8.8.8', port: 80, ...WLC, scheduler: 'rr' },
    });
    const before = world.kernel.get('tcp/11.8.8.8:80');
    const theirs = web('/theirs', { VIP_0: '11.8.8.8:80' }, '10.0.4.1:80');
    await controller.resync(snapshot(old('10.0.0.1:80', '10.0.0.2:80'), theirs));
    expect(world.kernel.get('tcp/11.8.8.8:80')).toEqual(before);
  });

  test('lets a drain begin and end; a restart that lacks its deadline gives it one drain time more at most', async () => {
    const key = keyOf('old');
    const busy = () => {
      const service = world.kernel.get(key);
      const backend = service?.backends.get('10.0.0.2:80');
      if (service === undefined || backend === undefined) return;
      const backends = new Map(service.backends).set('10.0.0.2:80', { ...backend, activeConnections: 1 });
      world.kernel = new Map(world.kernel).set(key, { ...service, backends });
    };
    busy();
    // Its task still runs, and no longer serves this VIP.
    const elsewhere = web('/moved', {}, '10.0.0.2:80');
    const now = snapshot(old('10.0.0.1:80'), elsewhere, web('/other', { VIP_0: '/other:80' }, '10.0.3.1:80'));
    await controller.resync(now);
    expect(world.backends(key)).toContain('10.0.0.2:80 w0');
    const restarted = world.start();
    world.now += 200_000;
    await restarted.resync(now);
    expect(world.backends(key)).toContain('10.0.0.2:80 w0');
    world.now += 300_000;
    await restarted.resync(now);
    expect(world.backends(key)).toEqual(['10.0.0.1:80 w1']);
  });
});
