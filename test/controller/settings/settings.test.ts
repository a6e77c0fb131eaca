import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Destination, VirtualService } from 'ipvs-netlink-ts';
import { familyOf } from '../../../controller/address.ts';
import { endpointKey } from '../../../controller/model/endpoint.ts';
import { serviceKey } from '../../../controller/model/service.ts';
import { formatStep, parseTable } from '../../../controller/plan/ipvsadm.ts';
import {
  DEFAULT_PORT_OPTIONS,
  OPTIONS,
  type OptionRow,
  type PortOptions,
  readPortOptions,
} from '../../../controller/settings/label-options.ts';
import type { Writable } from '../../../controller/settings/rows.ts';
import { backendFields, serviceFields } from '../../../controller/settings/settings.ts';
import { WEIGHT_1, WLC } from '../../support/builders.ts';

// ---- what each label says ----------------------------------------------------------------------------

test.each('rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos'.split(' '))(
  'the kernel has the scheduler %s',
  (scheduler) => {
    expect(readPortOptions({ IPVS_SCHEDULER: scheduler }).options.scheduler).toBe(scheduler);
  },
);

const mh = { scheduler: 'mh' };
const persistent = { persistenceSeconds: 60 };
/** Labels that others need beside them, and what those say. */
const BESIDE: Readonly<Record<string, readonly [Record<string, string>, Partial<PortOptions>]>> = {
  IPVS_SCHEDULER_FLAGS: [{ IPVS_SCHEDULER: 'mh' }, mh],
  IPVS_PERSISTENCE_PREFIX: [{ IPVS_PERSISTENCE_SECONDS: '60' }, persistent],
};

test.each<[string, string, Partial<PortOptions>]>([
  ['IPVS_PERSISTENCE_SECONDS', '360', { persistenceSeconds: 360 }],
  ['IPVS_PERSISTENCE_SECONDS', '0', { persistenceSeconds: 0 }],
  ['IPVS_PERSISTENCE_SECONDS', '2678400', { persistenceSeconds: 2_678_400 }],
  ['IPVS_WEIGHT', '0', { weight: 0 }],
  ['IPVS_WEIGHT', '65535', { weight: 65_535 }],
  ['IPVS_DRAIN_SECONDS', '0', { drainSeconds: 0 }],
  ['IPVS_DRAIN_SECONDS', '86400', { drainSeconds: 86_400 }],
  ['IPVS_EJECT', 'false', { eject: false }],
  ['IPVS_EJECT', 'true', { eject: true }],
  ['IPVS_SLOW_START_SECONDS', '0', { slowStartSeconds: 0 }],
  ['IPVS_SLOW_START_SECONDS', '3600', { slowStartSeconds: 3_600 }],
  ['IPVS_MAX_CONNECTIONS', '0', { maxConnections: 0 }],
  ['IPVS_MAX_CONNECTIONS', '2147483647', { maxConnections: 2_147_483_647 }],
  ['IPVS_SCHEDULER_FLAGS', 'mh-port', { flags: 'mh-port' }],
  ['IPVS_SCHEDULER_FLAGS', 'mh-port, mh-fallback,mh-port', { flags: 'mh-fallback,mh-port' }],
  ['IPVS_PERSISTENCE_PREFIX', '24', { persistencePrefix: { ipv4: 24, ipv6: 128 } }],
  ['IPVS_PERSISTENCE_PREFIX', '24/64', { persistencePrefix: { ipv4: 24, ipv6: 64 } }],
  ['IPVS_PERSISTENCE_PREFIX', '32/1', { persistencePrefix: { ipv4: 32, ipv6: 1 } }],
])('%s may be %s', (key, value, expected) => {
  const [labels, others] = BESIDE[key] ?? [];
  expect(readPortOptions({ [key]: value, ...labels })).toEqual({
    options: { ...DEFAULT_PORT_OPTIONS, ...others, ...expected },
    problems: [],
  });
});

const SCHEDULERS = 'expected one of rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos';
const FLAGS = 'expected some of mh-port, mh-fallback, sh-port, sh-fallback, separated by commas';
const PREFIX = 'expected a prefix length for IPv4, 1 to 32, or one for IPv4 and one for IPv6, as 24/64';
const upTo = (most: number) => `expected a whole number from 0 to ${most}`;

test.each([
  ['IPVS_SCHEDULER', ['wlcc', 'RR', ''], SCHEDULERS],
  ['IPVS_PERSISTENCE_SECONDS', ['2678401', '-1'], upTo(2_678_400)],
  ['IPVS_WEIGHT', ['65536', '1.5', ''], upTo(65_535)],
  ['IPVS_DRAIN_SECONDS', ['86401', '5m'], upTo(86_400)],
  ['IPVS_EJECT', ['no', 'False', ''], 'expected true or false'],
  ['IPVS_SLOW_START_SECONDS', ['3601', '30s', '-1', ''], upTo(3_600)],
  [
    'IPVS_TRAFFIC_DISTRIBUTION',
    ['PreferClose', 'prefersamezone', ''],
    'expected one of Cluster, PreferSameZone, PreferSameNode',
  ],
  ['IPVS_MAX_CONNECTIONS', ['2147483648', 'many', '-1', ''], upTo(2_147_483_647)],
  ['IPVS_SCHEDULER_FLAGS', ['fast', 'flag-1', 'mh-port,', 'MH-PORT', 'one-packet', ''], FLAGS],
  ['IPVS_SCHEDULER_FLAGS', ['mh-port'], 'mh-port is not a flag of the scheduler wlc'],
  ['IPVS_PERSISTENCE_PREFIX', ['0', '33', '24/0', '24/129', '24/', '/64', '255.255.255.0', ''], PREFIX],
  ['IPVS_PERSISTENCE_PREFIX', ['24'], 'has no effect without IPVS_PERSISTENCE_SECONDS'],
])('%s of %j takes the default and says what is known', (key, values, reason) => {
  for (const value of values)
    expect(readPortOptions({ [key]: value })).toEqual({
      options: DEFAULT_PORT_OPTIONS,
      problems: [{ key, value, reason }],
    });
});

test('a flag of another scheduler is refused, and the scheduler stays', () => {
  const labels = { IPVS_SCHEDULER: 'sh', IPVS_SCHEDULER_FLAGS: 'sh-port,mh-port' };
  const { options, problems } = readPortOptions(labels);
  expect(options).toMatchObject({ scheduler: 'sh', flags: '' });
  expect(problems.map(({ reason }) => reason)).toEqual(['mh-port is not a flag of the scheduler sh']);
});

test('slow start is refused where the scheduler does not share connections by weight', () => {
  const asked = (scheduler: string) =>
    readPortOptions({ IPVS_SLOW_START_SECONDS: '30', IPVS_SCHEDULER: scheduler });
  for (const scheduler of ['wlc', 'wrr', 'sed', 'nq', 'mh', 'twos']) {
    expect(asked(scheduler)).toMatchObject({ options: { slowStartSeconds: 30 }, problems: [] });
  }
  for (const scheduler of ['rr', 'lc', 'dh', 'sh', 'fo', 'ovf', 'lblc', 'lblcr']) {
    const { options, problems } = asked(scheduler);
    const reason = `has no effect with the scheduler ${scheduler}, only with wlc, wrr, sed, nq, mh, twos`;
    expect(options.slowStartSeconds).toBe(0);
    expect(problems).toEqual([{ key: 'IPVS_SLOW_START_SECONDS', value: '30', reason }]);
  }
  const heavy = readPortOptions({ IPVS_SLOW_START_SECONDS: '30', IPVS_WEIGHT: '656' });
  expect(heavy.problems[0]?.reason).toBe('has no effect with an IPVS_WEIGHT above 655');
});

test('a label that says the default says nothing', () => {
  for (const { label, unset, read, text = String } of Object.values(OPTIONS) as OptionRow<unknown>[])
    if (text(unset) !== '') expect([label, read(text(unset))]).toEqual([label, unset]);
});

test('a backend comes back by the rule that the kernel itself has for three quarters', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_147_483_647 }), fc.nat(), (maxConnections, connections) => {
      const asked = { ...DEFAULT_PORT_OPTIONS, maxConnections };
      const { upperThreshold, lowerThreshold } = backendFields.of(asked, 'ipv4');
      expect(upperThreshold).toBe(maxConnections);
      expect(lowerThreshold >= 1 && lowerThreshold <= upperThreshold).toBe(true);
      expect(connections < lowerThreshold).toBe(4 * connections < 3 * upperThreshold);
    }),
  );
});

// ---- what follows from the rows ----------------------------------------------------------------------

const labels: fc.Arbitrary<Record<string, string>> = fc.record({
  IPVS_SCHEDULER: fc.constantFrom('wlc', 'mh', 'sh', 'rr'),
  IPVS_SCHEDULER_FLAGS: fc.constantFrom('mh-port', 'mh-port,mh-fallback', 'sh-port', 'sh-fallback', 'none'),
  IPVS_PERSISTENCE_SECONDS: fc.constantFrom('0', '1', '60', '2678400'),
  IPVS_PERSISTENCE_PREFIX: fc.constantFrom('1', '24', '24/64', '32/128', '32/1'),
  IPVS_WEIGHT: fc.constantFrom('0', '1', '65535'),
  IPVS_MAX_CONNECTIONS: fc.constantFrom('0', '1', '2', '3', '100', '2147483647'),
  IPVS_DRAIN_SECONDS: fc.constantFrom('0', '30'),
  IPVS_EJECT: fc.constantFrom('true', 'false'),
  IPVS_SLOW_START_SECONDS: fc.constantFrom('0', '30'),
  IPVS_TRAFFIC_DISTRIBUTION: fc.constantFrom('Cluster', 'PreferSameZone', 'PreferSameNode'),
});
const options: fc.Arbitrary<PortOptions> = labels.map((given) => readPortOptions(given).options);
const addresses = fc.constantFrom('10.1.0.1', 'fd00::1');

test('every label is among those that are tried here', () => {
  const tried = fc.sample(labels, 1).flatMap((given) => Object.keys(given));
  expect(tried.sort()).toEqual(
    Object.values(OPTIONS)
      .map(({ label }) => label)
      .sort(),
  );
});

test('what labels ask for is the same from the kernel, and from an ipvsadm line, as it was written', () => {
  fc.assert(
    fc.property(options, addresses, (asked, address) => {
      const family = familyOf(address);
      const [service, backend] = [serviceFields.of(asked, family), backendFields.of(asked, family)];
      const id = { protocol: 'tcp', address, port: 80 } as const;
      const place = { address, port: 8080 };

      const kernelService: Writable<VirtualService> = { ...id, scheduler: '' };
      serviceFields.write(service, kernelService);
      expect(serviceFields.fromKernel(kernelService, family, { ...WLC })).toEqual(service);
      const destination: Writable<Destination> = { ...place, weight: 7, forwardingMethod: 'tunnel' };
      backendFields.write(backend, destination);
      expect(backendFields.fromKernel(destination, family, { ...WEIGHT_1 })).toEqual(backend);

      const lines = [
        formatStep({ op: 'add-service', service: { ...id, ...service } }),
        formatStep({ op: 'add-backend', service: id, backend: { ...place, ...backend } }),
      ];
      const read = parseTable(lines.join('\n')).get(serviceKey(id));
      expect(read).toMatchObject(service);
      expect(read?.backends.get(endpointKey(place))).toMatchObject(backend);
    }),
  );
});

test('a person is told what labels changed, and of a backend nothing where they did not', () => {
  const words = (given: Record<string, string>, family: 'ipv4' | 'ipv6' = 'ipv4') => {
    const asked = readPortOptions(given).options;
    return [serviceFields, backendFields].map((fields) =>
      fields.describe(fields.of(asked, family) as never, family),
    );
  };
  const all = {
    IPVS_SCHEDULER: 'mh',
    IPVS_SCHEDULER_FLAGS: 'mh-port',
    IPVS_PERSISTENCE_SECONDS: '60',
    IPVS_PERSISTENCE_PREFIX: '24',
    IPVS_MAX_CONNECTIONS: '100',
  };
  expect(words({})).toEqual(['wlc', '']);
  expect(words(all)).toEqual(['mh, persistent 60 s, clients by /24, mh-port', 'at most 100 connections']);
  expect(words(all, 'ipv6')).toEqual(['mh, persistent 60 s, mh-port', 'at most 100 connections']);
});
