import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CalledVip } from '../../../controller/model/desired.ts';
import type { Table } from '../../../controller/model/kernel.ts';
import { type Service, type ServiceKey, serviceKey } from '../../../controller/model/service.ts';
import type { Ownership } from '../../../controller/plan/diff.ts';
import { formatStep } from '../../../controller/plan/ipvsadm.ts';
import type { Plan } from '../../../controller/plan/plan.ts';
import { backendFields, serviceFields } from '../../../controller/settings/settings.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf, observedBackend, observedService, tableOf } from '../../support/observed.ts';
import { afterSteps, createDiff } from '../../support/planning.ts';

const unnamed = { name: null, framework: null, fqdn: null };
const ofWeb = { name: 'web', framework: 'marathon', fqdn: 'web.marathon.l4lb.thisdcos.directory' };
const inPool = (address: string) => address.startsWith('11.') || address.startsWith('fd01:c:');

function owning(...services: readonly (Service | ServiceKey)[]): Ownership {
  const keys = services.map((one) => (typeof one === 'string' ? one : serviceKey(one)));
  return { owned: new Map(keys.map((key) => [key, unnamed])), inPool, adopt: false };
}

function lines({ growing, shrinking }: Plan): string[] {
  return [...growing, ...shrinking].map(formatStep);
}

const nobody = owning();

describe('a service that the kernel lacks', () => {
  test('is added before its backends', () => {
    const web = service('11.0.0.1', 80, [
      backend('10.0.0.1', 31000),
      backend('10.0.0.2', 31001, { weight: 0 }),
    ]);
    const plan = createDiff()(desiredOf(web), new Map(), nobody);
    expect(lines(plan)).toEqual([
      '-A -t 11.0.0.1:80 -s wlc',
      '-a -t 11.0.0.1:80 -r 10.0.0.1:31000 -m -w 1',
      '-a -t 11.0.0.1:80 -r 10.0.0.2:31001 -m -w 0',
    ]);
    expect(plan.summary).toEqual({ add: 1, change: 0, remove: 0, keep: 0 });
    expect([...plan.owned.keys()]).toEqual(['tcp/11.0.0.1:80']);
  });
});

describe('a service that the kernel has', () => {
  const web = service('11.0.0.1', 80, [backend('10.0.0.1', 31000)]);

  test('as desired needs no step, whatever the kernel counted meanwhile', () => {
    const counted = observedBackend(backend('10.0.0.1', 31000), {
      activeConnections: 7,
      inactiveConnections: 9,
    });
    const plan = createDiff()(
      desiredOf(web),
      tableOf(observedService(web, { backends: new Map([['10.0.0.1:31000', counted]]) })),
      owning(web),
    );
    expect(lines(plan)).toEqual([]);
    expect(plan.summary).toEqual({ add: 0, change: 0, remove: 0, keep: 1 });
  });

  test('a replaced backend is added before the old one is removed', () => {
    const old = observedService(service('11.0.0.1', 80, [backend('10.0.0.9', 31009)]));
    const plan = createDiff()(desiredOf(web), tableOf(old), owning(web));
    expect(lines(plan)).toEqual([
      '-a -t 11.0.0.1:80 -r 10.0.0.1:31000 -m -w 1',
      '-d -t 11.0.0.1:80 -r 10.0.0.9:31009',
    ]);
  });

  test('a backend comes into rotation before another goes out of it', () => {
    const before = [backend('10.0.0.1', 1), backend('10.0.0.2', 2, { weight: 0 })];
    const after = [backend('10.0.0.1', 1, { weight: 0 }), backend('10.0.0.2', 2)];
    const plan = createDiff()(
      desiredOf(service('11.0.0.1', 80, after)),
      tableOf(observedService(service('11.0.0.1', 80, before))),
      owning(web),
    );
    expect(plan.growing.map(formatStep)).toEqual(['-e -t 11.0.0.1:80 -r 10.0.0.2:2 -m -w 1']);
    expect(plan.shrinking.map(formatStep)).toEqual(['-e -t 11.0.0.1:80 -r 10.0.0.1:1 -m -w 0']);
  });

  test('all additions come before all removals', () => {
    const first = service('11.0.0.1', 80, [backend('10.0.0.1', 1)]);
    const second = service('11.0.0.2', 80, [backend('10.0.0.2', 2)]);
    const table = tableOf(observedService(service('11.0.0.1', 80, [backend('10.0.0.9', 9)])));
    const plan = createDiff()(desiredOf(first, second), table, owning(first));
    expect(plan.shrinking.map(formatStep)).toEqual(['-d -t 11.0.0.1:80 -r 10.0.0.9:9']);
    expect(plan.growing).toHaveLength(3);
  });

  test('a weight is edited, not removed and added', () => {
    const draining = service('11.0.0.1', 80, [
      backend('10.0.0.1', 31000, { weight: 0, reason: 'being killed' }),
    ]);
    const plan = createDiff()(desiredOf(draining), tableOf(observedService(web)), owning(web));
    expect(lines(plan)).toEqual(['-e -t 11.0.0.1:80 -r 10.0.0.1:31000 -m -w 0']);
    expect(plan.services[0]?.backends[0]).toMatchObject({
      op: 'change',
      reason: 'being killed',
      changes: [{ field: 'weight', was: 1, becomes: 0 }],
    });
  });

  const otherThan = (value: string | number) => (typeof value === 'number' ? value + 1 : `${value}x`);

  test.each(serviceFields.names)('a %s that someone changed is put back', (field) => {
    const changed = { [field]: otherThan(web[field]) };
    const plan = createDiff()(desiredOf(web), tableOf(observedService(web, changed)), owning(web));
    expect(lines(plan)).toEqual(['-E -t 11.0.0.1:80 -s wlc']);
    expect(plan.services[0]?.changes.map((change) => change.field)).toEqual([field]);
  });

  test.each(backendFields.names)('a backend whose %s someone changed is put right', (field) => {
    const desired = backend('10.0.0.1', 31000);
    const other = observedBackend(desired, { [field]: otherThan(desired[field]) });
    const table = tableOf(observedService(web, { backends: new Map([['10.0.0.1:31000', other]]) }));
    const plan = createDiff()(desiredOf(web), table, owning(web));
    expect(lines(plan)).toEqual(['-e -t 11.0.0.1:80 -r 10.0.0.1:31000 -m -w 1']);
    expect(plan.services[0]?.backends[0]?.changes.map((change) => change.field)).toEqual([field]);
  });
});

describe('ownership (rule 1)', () => {
  const web = service('11.0.0.1', 80, [backend('10.0.0.1', 31000)], { name: 'web' });
  const literal = service('192.168.5.5', 80, [backend('10.0.0.1', 31000)]);
  const foreign = observedService(service('11.0.0.1', 80, [backend('10.9.9.9', 9)]), { scheduler: 'rr' });

  test('a service that is not ours and not desired is never touched', () => {
    const plan = createDiff()(desiredOf(), tableOf(foreign), nobody);
    expect(lines(plan)).toEqual([]);
    expect(plan.services).toEqual([]);
    expect(plan.owned.size).toBe(0);
  });

  test('one of another program inside the pool that is desired is adopted and brought to the desired state', () => {
    const plan = createDiff()(desiredOf(web), tableOf(foreign), nobody);
    expect(plan.services[0]).toMatchObject({ op: 'change', adopted: true });
    expect(lines(plan)).toEqual([
      '-E -t 11.0.0.1:80 -s wlc',
      '-a -t 11.0.0.1:80 -r 10.0.0.1:31000 -m -w 1',
      '-d -t 11.0.0.1:80 -r 10.9.9.9:9',
    ]);
    expect(plan.owned.has('tcp/11.0.0.1:80')).toBe(true);
  });

  test('one outside the pool is a conflict and left alone', () => {
    const plan = createDiff()(
      desiredOf(literal),
      tableOf(observedService(literal, { scheduler: 'rr' })),
      nobody,
    );
    expect(lines(plan)).toEqual([]);
    expect(plan.conflicts).toMatchObject([{ key: 'tcp/192.168.5.5:80', apps: ['/app'] }]);
    expect(plan.owned.size).toBe(0);
  });

  test('one outside the pool is taken over with --adopt', () => {
    const table = tableOf(observedService(literal, { scheduler: 'rr' }));
    const plan = createDiff()(desiredOf(literal), table, { ...nobody, adopt: true });
    expect(lines(plan)).toEqual(['-E -t 192.168.5.5:80 -s wlc']);
    expect(plan.conflicts).toEqual([]);
  });

  test('an owned service that no app declares any more is removed, and keeps its name in the diff', () => {
    const owned = { ...nobody, owned: new Map([[serviceKey(web), ofWeb]]) };
    const plan = createDiff()(desiredOf(), tableOf(observedService(web)), owned);
    expect(lines(plan)).toEqual(['-D -t 11.0.0.1:80']);
    expect(plan.services[0]).toMatchObject({
      op: 'remove',
      name: 'web',
      reason: 'no app declares it any more',
    });
  });

  test('an owned service without backends is distinguished from one that no app declares', () => {
    const declares = ({ protocol, name, framework, port }: CalledVip) =>
      `${protocol} ${name}.${framework}:${port}` === 'tcp web.marathon:80';
    const desired = { ...desiredOf(), declares };
    const owned = { ...nobody, owned: new Map([[serviceKey(web), ofWeb]]) };
    const plan = createDiff()(desired, tableOf(observedService(web)), owned);
    expect(plan.services[0]?.reason).toBe('has no backend left');
  });
});

test('a plan depends on what is compared, not on what was compared before', () => {
  const diff = createDiff();
  const web = service('11.0.0.1', 80, [backend('10.0.0.1', 31000)]);
  const table = tableOf(observedService(web));
  expect(lines(diff(desiredOf(web), table, owning(web)))).toEqual([]);
  expect(lines(diff(desiredOf(web), new Map(), nobody))).toHaveLength(2);
  expect(
    lines(diff(desiredOf(web), tableOf(observedService(web, { scheduler: 'rr' })), owning(web))),
  ).toHaveLength(1);
  expect(lines(diff(desiredOf(web), table, owning(web)))).toEqual([]);
});

const weights = fc.constantFrom(0, 1, 5);
const someBackends = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 6 }), weights), {
  selector: ([host]) => host,
  maxLength: 5,
});
const someServices = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.constantFrom('wlc', 'rr'), someBackends), {
    selector: ([host]) => host,
    maxLength: 5,
  })
  .map((all) =>
    all.map(([host, scheduler, hosts]) =>
      service(
        `11.0.0.${host}`,
        80,
        hosts.map(([at, weight]) => backend(`10.0.0.${at}`, 80, { weight })),
        { scheduler },
      ),
    ),
  );

describe('for any desired and observed tables', () => {
  const observe = (services: readonly Service[]): Table =>
    tableOf(...services.map((one) => observedService(one)));

  test('the steps lead from one to the other, and then there is nothing left to do', () => {
    fc.assert(
      fc.property(someServices, someServices, (want, have) => {
        const table = observe(have);
        const ownership = owning(...have);
        const diff = createDiff();
        const plan = diff(desiredOf(...want), table, ownership);
        const reached = afterSteps(table, [...plan.growing, ...plan.shrinking]);
        const again = diff(desiredOf(...want), reached, { ...ownership, owned: plan.owned });
        expect(lines(again)).toEqual([]);
        expect(new Map([...reached].sort())).toEqual(new Map([...observe(want)].sort()));
      }),
    );
  });

  test('services of other programs stay what they are', () => {
    fc.assert(
      fc.property(someServices, someServices, (want, have) => {
        const moved = have.map((one) => ({ ...one, address: one.address.replace('11.', '172.') }));
        const table = observe(moved);
        const plan = createDiff()(desiredOf(...want), table, nobody);
        const reached = afterSteps(table, [...plan.growing, ...plan.shrinking]);
        for (const [key, foreign] of table) expect(reached.get(key)).toBe(foreign);
      }),
    );
  });

  test('at no step is a VIP without a backend in rotation that it has before and after', () => {
    const inRotation = (backends: Iterable<{ readonly weight: number }> = []) =>
      [...backends].some(({ weight }) => weight > 0);
    fc.assert(
      fc.property(someServices, someServices, (want, have) => {
        let table = observe(have);
        const forwards = (key: string) => inRotation(table.get(key)?.backends.values());
        const plan = createDiff()(desiredOf(...want), table, owning(...have));
        const live = want.filter(({ backends }) => inRotation(backends.values())).map(serviceKey);
        const before = live.filter(forwards);
        for (const step of [...plan.growing, ...plan.shrinking]) {
          table = afterSteps(table, [step]);
          expect(before.filter((key) => !forwards(key))).toEqual([]);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
