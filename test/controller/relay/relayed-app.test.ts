import { expect, test } from '@jest/globals';
import { PLACES_ANNOTATION, readPlaces } from '../../../controller/kubernetes/relayed.ts';
import { marathonAppOf, slicesOf } from '../../../controller/relay/relayed-app.ts';
import { invalidInSlice } from '../../../controller/relay/slice-address.ts';
import { app, port, task, taskPort, web } from '../../support/builders.ts';

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

/** A task with so many ports, which its own host reaches at other endpoints. */
function taskWithLocals(id: string, address: string, count: number) {
  const local = [{ address: 'fd00:1111:2222:3333:4444:5555:6666:7777', port: 31_000 }];
  const ports = Array.from({ length: count }, (_, i) =>
    taskPort(port({}, { at: `ports[${i}]` }), `${address}:${1_000 + i}`),
  );
  return task(
    id,
    ports.map((one) => ({ ...one, local })),
  );
}

const annotationBytes = (annotations: Readonly<Record<string, string>>) =>
  Object.entries(annotations)
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
const tasksIn = (slices: ReturnType<typeof slicesOf>) =>
  slices.map(({ content }) =>
    (content['endpoints'] as { targetRef: { name: string } }[]).map(({ targetRef }) => targetRef.name),
  );

test('tasks whose annotations would be larger than the server allows are spread over more slices, and stay there', () => {
  const tasks = Array.from({ length: 100 }, (_, i) => taskWithLocals(`web.${i}-é`, `10.0.0.${i + 1}`, 100));
  const slices = slicesOf(app('/web', { tasks }), 'default', () => undefined);
  expect(slices.length).toBeGreaterThan(2);
  for (const { annotations } of slices) expect(annotationBytes(annotations)).toBeLessThan(256 * 1_024);
  expect(tasksIn(slices).flat().sort()).toEqual(tasks.map(({ id }) => id).sort());

  const members = new Map(
    slices.map(({ name, content }) => [
      name,
      (content['endpoints'] as { addresses: string[]; targetRef: { name: string } }[]).map(
        ({ addresses, targetRef }) => `${targetRef.name} ${addresses[0]}`,
      ),
    ]),
  );
  const fewer = app('/web', { tasks: tasks.slice(1) });
  const after = slicesOf(fewer, 'default', (name) => members.get(name));
  const texts = new Set(slices.map((slice) => JSON.stringify(slice)));
  expect(after.filter((slice) => !texts.has(JSON.stringify(slice)))).toHaveLength(1);
});

test('a task whose annotations alone are too large is left out with its size, and the others are published', () => {
  const tasks = [taskWithLocals('web.1', '10.0.0.1', 4_000), taskWithLocals('web.2', '10.0.0.2', 4)];
  const large = app('/web', { tasks });
  expect(tasksIn(slicesOf(large, 'default', () => undefined))).toEqual([['web.2']]);
  const { relayed } = marathonAppOf(large, 'default').content['spec'] as { relayed: { warnings: string[] } };
  expect(relayed.warnings).toEqual([
    expect.stringMatching(
      /^task web\.1 is left out, its annotations would have \d{6} bytes, and those of an EndpointSlice at most 245760; declare fewer ports$/,
    ),
  ]);
});
