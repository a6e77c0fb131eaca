import { expect, test } from '@jest/globals';
import { PLACES_ANNOTATION, readPlaces } from '../../../controller/kubernetes/relayed.ts';
import { marathonAppOf, slicesOf } from '../../../controller/relay/relayed-app.ts';
import { invalidInSlice } from '../../../controller/relay/slice-address.ts';
import { web } from '../../support/builders.ts';

const labelled = (labels: Readonly<Record<string, string>>) => web('/web', labels, '10.0.0.1:80');

test('the names of slices do not depend on the order of labels', () => {
  const one = labelled({ VIP_0: 'web:80', IPVS_WEIGHT: '2', owner: 'me' });
  const other = labelled({ owner: 'me', IPVS_WEIGHT: '2', VIP_0: 'web:80' });
  const namesOf = (of: typeof one) => slicesOf(of, 'default', () => undefined).map(({ name }) => name);
  expect(namesOf(one)).toEqual(namesOf(other));
  expect(JSON.stringify(marathonAppOf(one, 'default'))).toBe(JSON.stringify(marathonAppOf(other, 'default')));
});

test('an address that is invalid in an EndpointSlice is left out, with a warning', () => {
  const addresses = [
    '10.0.0.1',
    '127.0.0.1',
    '169.254.3.4',
    '0.0.0.0',
    '224.0.0.7',
    'fe80::1',
    '::1',
    'fd00::1',
  ];
  const places = addresses.map((address) => (address.includes(':') ? `[${address}]:80` : `${address}:80`));
  const placed = web('/web', { VIP_0: 'web:80' }, ...places);
  const slices = slicesOf(placed, 'default', () => undefined);
  const published = slices.flatMap(({ content }) => content['endpoints'] as { addresses: string[] }[]);
  expect(published.flatMap((endpoint) => endpoint.addresses).sort()).toEqual(['10.0.0.1', 'fd00::1']);
  const { relayed } = marathonAppOf(placed, 'default').content['spec'] as { relayed: { warnings: string[] } };
  expect(relayed.warnings).toContain(
    'task web.2: 169.254.3.4 is left out, an EndpointSlice cannot contain link-local addresses',
  );
  expect(relayed.warnings).toHaveLength(6);
});

test('zone and region of tasks survive slices, whatever Mesos calls them, and are absent if unknown', () => {
  const places = [{ region: 'aws/eu', zone: 'aws/eu-1a' }, { zone: 'b' }, undefined, { zone: 'b' }];
  const app = web('/web', { VIP_0: 'web:80' }, ...places.map((_, i) => `10.0.0.${i + 1}:80`));
  const tasks = app.tasks.map((task, i) => ({ ...task, ...(places[i] && { place: places[i] }) }));
  const read = slicesOf({ ...app, tasks }, 'default', () => undefined).flatMap(({ annotations }) => [
    ...readPlaces({ annotations }),
  ]);
  expect(Object.fromEntries(read)).toEqual({ 'web.0': places[0], 'web.1': places[1], 'web.3': places[3] });
  for (const { annotations } of slicesOf(app, 'default', () => undefined))
    expect(annotations).not.toHaveProperty([PLACES_ANNOTATION]);
});

test.each(['no JSON', '[]', '[["eu"]]', '{"a":1}', '[["eu","a","web.1"]]'])(
  'a note of places that cannot be read, %s, is none',
  (text) => {
    expect(readPlaces({ annotations: { [PLACES_ANNOTATION]: text } }).size).toBe(0);
  },
);

test.each([
  ['127.8.9.1', 'loopback'],
  ['::1', 'loopback'],
  ['169.254.0.1', 'link-local'],
  ['febf::1', 'link-local'],
  ['224.0.0.251', 'link-local multicast'],
  ['ff02::fb', 'link-local multicast'],
  ['0.0.0.0', 'unspecified'],
  ['::', 'unspecified'],
  ['::ffff:10.0.0.1', 'IPv4-mapped'],
  ['224.0.1.1', null],
  ['10.0.0.1', null],
  ['fd00::1', null],
])('%s in an EndpointSlice: %s', (address, why) => {
  expect(invalidInSlice(address)).toBe(why);
});
