/** Which backends are near this host. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Tier } from '../../../controller/model/place.ts';
import type { Backend, Service } from '../../../controller/model/service.ts';
import { serviceIn } from '../../../controller/plan/nearest.ts';
import { backendsIn, type HostPlace, tiersInRotation, wantsNear } from '../../../controller/plan/tiers.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf, observedService, tableOf } from '../../support/observed.ts';
import { afterSteps, createDiff } from '../../support/planning.ts';

const HOST: HostPlace = { region: 'eu', zone: 'a', node: 'node-1', addresses: new Set(['10.0.0.1']) };
const OWNERSHIP = { owned: new Map(), inPool: () => true, adopt: false };

function near(distribution: Service['trafficDistribution'], ...backends: readonly Backend[]) {
  const made = service('11.0.0.1', 80, backends, distribution && { trafficDistribution: distribution });
  if (!wantsNear(made)) throw new Error('no near service');
  return made;
}

const addresses = (tier: Tier, host: HostPlace, ...backends: readonly Backend[]) =>
  [
    ...backendsIn(tier, { backends: new Map(backends.map((each, i) => [String(i), each])) }, host).values(),
  ].map(({ address }) => address);

describe('a backend is on this host', () => {
  test.each<[string, Partial<Backend>]>([
    ['by its own address', { address: '10.0.0.1' }],
    ['by the address of its agent', { address: '9.0.0.7', agent: '10.0.0.1' }],
    ['by its host port', { address: '172.17.0.2', hostPort: { address: '10.0.0.1', port: 31000 } }],
    ['by the name of its node', { address: '10.9.0.1', place: { node: 'node-1' } }],
  ])('%s, and then it is in its zone and region too', (_, { address = '', ...what }) => {
    const one = backend(address, 80, what);
    for (const tier of ['node', 'zone', 'region', 'all'] as const)
      expect(addresses(tier, HOST, one)).toEqual([address]);
  });

  test('by none of them where another agent has it', () => {
    expect(
      addresses('node', HOST, backend('9.0.0.7', 80, { agent: '10.0.0.2', place: { node: 'node-2' } })),
    ).toEqual([]);
  });
});

describe('zones', () => {
  const at = (address: string, place?: Backend['place']) => backend(address, 80, place && { place });

  test('of two regions may have one name, and are two zones', () => {
    const found = addresses(
      'zone',
      HOST,
      at('1.1.1.1', { region: 'eu', zone: 'a' }),
      at('1.1.1.2', { region: 'us', zone: 'a' }),
    );
    expect(found).toEqual(['1.1.1.1']);
  });

  test('are known by their names alone where no region is told', () => {
    expect(
      addresses('zone', HOST, at('1.1.1.1', { zone: 'a' }), at('1.1.1.2', { zone: 'b' }), at('1.1.1.3')),
    ).toEqual(['1.1.1.1']);
  });

  test('of this region are in the tier of the region', () => {
    expect(
      addresses('region', HOST, at('1.1.1.1', { region: 'eu', zone: 'b' }), at('1.1.1.2', { region: 'us' })),
    ).toEqual(['1.1.1.1']);
  });

  test('are none where this host does not know its own', () => {
    const lost: HostPlace = { addresses: HOST.addresses };
    expect(addresses('zone', lost, at('1.1.1.1', { zone: 'a' }), at('10.0.0.1'))).toEqual([]);
  });
});

test('PreferSameZone does not prefer this host, PreferSameNode goes on from it to the zone', () => {
  const backends = [
    backend('10.0.0.1', 80, { place: { region: 'eu', zone: 'a' } }),
    backend('10.0.0.2', 80, { place: { region: 'us', zone: 'a' } }),
  ];
  expect(tiersInRotation(near('PreferSameZone', ...backends), HOST)).toEqual(['zone', 'region', 'all']);
  expect(tiersInRotation(near('PreferSameNode', ...backends), HOST)).toEqual([
    'node',
    'zone',
    'region',
    'all',
  ]);
});

test('a tier in which every backend has weight 0 does not count', () => {
  const dead = backend('10.0.0.1', 80, { weight: 0, place: { zone: 'a' } });
  expect(tiersInRotation(near('PreferSameNode', dead, backend('10.0.0.9', 80)), HOST)).toEqual(['all']);
});

// ---- properties -------------------------------------------------------------------------------------

const aPlace = fc.record(
  {
    region: fc.constantFrom('eu', 'us'),
    zone: fc.constantFrom('a', 'b', 'c'),
    node: fc.constantFrom('node-1', 'node-2'),
  },
  { requiredKeys: [] },
);
const backends = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom(0, 1, 5), fc.option(aPlace)), {
    maxLength: 9,
  })
  .map((list) =>
    list.map(([n, weight, place]) => backend(`10.0.0.${n}`, 80, { weight, ...(place && { place }) })),
  );
const distribution = fc.constantFrom('PreferSameZone' as const, 'PreferSameNode' as const);
const host = aPlace.map((place): HostPlace => ({ ...place, addresses: new Set(['10.0.0.1']) }));
const inRotation = ({ backends: all }: Pick<Service, 'backends'>) =>
  [...all.values()].filter(({ weight }) => weight > 0).length;
const planOf = createDiff();

test('a VIP never has nothing in rotation where all of its backends together have something, in any tier that counts', () => {
  fc.assert(
    fc.property(backends, distribution, host, (list, wanted, here) => {
      const all = near(wanted, ...list);
      for (const tier of tiersInRotation(all, here)) {
        const left = serviceIn(tier, all, here);
        expect(inRotation(left) > 0).toBe(inRotation(all) > 0);
        expect(left.nearness?.all).toBe(all.backends);
      }
    }),
  );
});

test('each tier is part of the next', () => {
  fc.assert(
    fc.property(backends, host, (list, here) => {
      const keys = (tier: Tier) => new Set(backendsIn(tier, near('PreferSameNode', ...list), here).keys());
      const zoneOrWider = here.zone === undefined ? [] : [['node', 'zone'] as const];
      const regionOrWider = here.region === undefined ? [] : [['zone', 'region'] as const];
      for (const [inner, outer] of [...zoneOrWider, ...regionOrWider, ['region', 'all'] as const])
        expect(keys(inner).isSubsetOf(keys(outer))).toBe(true);
    }),
  );
});

/** The plan that brings a kernel with the backends of one tier to those of another, and the kernel after each step. */
function moved(before: Service, after: Service) {
  const table = tableOf(observedService(before));
  const owned = new Map([...table.keys()].map((key) => [key, { name: null, framework: null, fqdn: null }]));
  const plan = planOf(desiredOf(after), table, { ...OWNERSHIP, owned });
  const steps = [...plan.growing, ...plan.shrinking];
  const kernels = steps.map((_, i) => [...afterSteps(table, steps.slice(0, i + 1)).values()]);
  return { plan, steps, kernels };
}

test('from any tier to any other, backends come before others go, some are in rotation after each step, and the same again is no step', () => {
  fc.assert(
    fc.property(backends, distribution, host, fc.nat(3), fc.nat(3), (list, wanted, here, from, to) => {
      const all = near(wanted, ...list);
      const tiers = tiersInRotation(all, here);
      const [before, after] = [from, to].map((i) => serviceIn(tiers[i % tiers.length] ?? 'all', all, here));
      fc.pre(before !== undefined && after !== undefined && after.backends.size > 0);
      const { plan, steps, kernels } = moved(before as Service, after as Service);
      expect(plan.growing.every(({ op }) => op === 'add-backend')).toBe(true);
      expect(plan.shrinking.every(({ op }) => op === 'remove-backend')).toBe(true);
      if (before?.nearness?.tier === after?.nearness?.tier) expect(steps).toEqual([]);
      for (const [kernel] of kernels)
        expect([...(kernel?.backends.values() ?? [])].some(({ weight }) => weight > 0)).toBe(
          inRotation(all) > 0,
        );
    }),
  );
});
