import { expect, test } from '@jest/globals';
import { DEFAULT_PORT_OPTIONS, readPortOptions } from '../../../controller/desired/port-options.ts';

test('a port without IPVS labels has scheduler wlc, no persistence, weight 1 and drains for five minutes', () => {
  const { options, problems } = readPortOptions({ VIP_0: '/web:80', OTHER: 'x' });
  expect(options).toEqual({ scheduler: 'wlc', persistenceSeconds: 0, weight: 1, drainSeconds: 300 });
  expect(problems).toEqual([]);
});

test.each('rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos'.split(' '))(
  'the kernel has the scheduler %s',
  (scheduler) => {
    expect(readPortOptions({ IPVS_SCHEDULER: scheduler }).options.scheduler).toBe(scheduler);
  },
);

test.each([
  ['IPVS_PERSISTENCE_SECONDS', '360', { persistenceSeconds: 360 }],
  ['IPVS_PERSISTENCE_SECONDS', '0', { persistenceSeconds: 0 }],
  ['IPVS_PERSISTENCE_SECONDS', '2678400', { persistenceSeconds: 2_678_400 }],
  ['IPVS_WEIGHT', '0', { weight: 0 }],
  ['IPVS_WEIGHT', '65535', { weight: 65_535 }],
  ['IPVS_DRAIN_SECONDS', '0', { drainSeconds: 0 }],
  ['IPVS_DRAIN_SECONDS', '86400', { drainSeconds: 86_400 }],
])('%s may be %s', (key, value, expected) => {
  expect(readPortOptions({ [key]: value })).toEqual({
    options: { ...DEFAULT_PORT_OPTIONS, ...expected },
    problems: [],
  });
});

test.each([
  [
    'IPVS_SCHEDULER',
    'wlcc',
    'expected one of rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos',
  ],
  [
    'IPVS_SCHEDULER',
    'RR',
    'expected one of rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos',
  ],
  ['IPVS_PERSISTENCE_SECONDS', '2678401', 'expected a whole number from 0 to 2678400'],
  ['IPVS_PERSISTENCE_SECONDS', '-1', 'expected a whole number from 0 to 2678400'],
  ['IPVS_WEIGHT', '65536', 'expected a whole number from 0 to 65535'],
  ['IPVS_WEIGHT', '1.5', 'expected a whole number from 0 to 65535'],
  ['IPVS_WEIGHT', '', 'expected a whole number from 0 to 65535'],
  ['IPVS_DRAIN_SECONDS', '86401', 'expected a whole number from 0 to 86400'],
  ['IPVS_DRAIN_SECONDS', '5m', 'expected a whole number from 0 to 86400'],
])('%s = "%s" takes the default and says what is known', (key, value, reason) => {
  expect(readPortOptions({ [key]: value })).toEqual({
    options: DEFAULT_PORT_OPTIONS,
    problems: [{ key, value, reason }],
  });
});

test('a bad value leaves the others as they are', () => {
  const { options, problems } = readPortOptions({ IPVS_SCHEDULER: 'best', IPVS_WEIGHT: '7' });
  expect(options).toEqual({ ...DEFAULT_PORT_OPTIONS, weight: 7 });
  expect(problems).toHaveLength(1);
});

test('a label that is no option of ours is told with those that are', () => {
  expect(readPortOptions({ IPVS_SHEDULER: 'rr' }).problems).toEqual([
    {
      key: 'IPVS_SHEDULER',
      value: 'rr',
      reason:
        'expected one of the labels IPVS_SCHEDULER, IPVS_PERSISTENCE_SECONDS, IPVS_WEIGHT, IPVS_DRAIN_SECONDS; did you mean IPVS_SCHEDULER?',
    },
  ]);
});
