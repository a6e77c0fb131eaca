import { expect, test } from '@jest/globals';
import { DEFAULT_PORT_OPTIONS, readPortOptions } from '../../../controller/settings/label-options.ts';

test('a port without IPVS labels has scheduler wlc, no persistence, weight 1 and drains for five minutes', () => {
  expect(readPortOptions({ VIP_0: '/web:80', OTHER: 'x' })).toEqual({
    options: DEFAULT_PORT_OPTIONS,
    problems: [],
  });
  const asDcos = { scheduler: 'wlc', persistenceSeconds: 0, weight: 1, drainSeconds: 300 };
  expect(DEFAULT_PORT_OPTIONS).toMatchObject(asDcos);
});

test('a bad value leaves the others as they are', () => {
  const { options, problems } = readPortOptions({ IPVS_SCHEDULER: 'best', IPVS_WEIGHT: '7' });
  expect(options).toEqual({ ...DEFAULT_PORT_OPTIONS, weight: 7 });
  expect(problems).toHaveLength(1);
});

test('a label that is no option of ours is a problem, whatever its value', () => {
  expect(readPortOptions({ IPVS_SHEDULER: 'rr' }).problems).toEqual([{ key: 'IPVS_SHEDULER', value: 'rr' }]);
});

test('what only follows from another bad label is not told a second time', () => {
  const lacks = (scheduler: string) => scheduler === 'mh';
  const flags = { IPVS_SCHEDULER: 'mh', IPVS_SCHEDULER_FLAGS: 'mh-port' };
  const lacking = readPortOptions(flags, DEFAULT_PORT_OPTIONS, lacks);
  expect(lacking.problems.map(({ key }) => key)).toEqual(['IPVS_SCHEDULER']);
  expect(lacking.options).toEqual(DEFAULT_PORT_OPTIONS);
  const seconds = readPortOptions({ IPVS_PERSISTENCE_SECONDS: 'x', IPVS_PERSISTENCE_PREFIX: '24' });
  expect(seconds.problems.map(({ key }) => key)).toEqual(['IPVS_PERSISTENCE_SECONDS']);
  expect(seconds.options).toEqual(DEFAULT_PORT_OPTIONS);
});
