import { describe, expect, test } from '@jest/globals';
import { BOUNDS } from '../../../../controller/input/bounds.ts';
import { shown } from '../../../../controller/input/rejection.ts';
import { readSlice, type Slice } from '../../../../controller/kubernetes/endpoint-slice.ts';
import { jsonLines } from '../../../../controller/kubernetes/json-lines.ts';
import { fits } from '../../../../controller/kubernetes/label-selector.ts';
import { objectName } from '../../../../controller/kubernetes/object-name.ts';
import type { App } from '../../../../controller/model/app.ts';
import { assign } from '../../../../controller/relay/assignment.ts';
import { readDeclaration } from '../../../../controller/source/kubernetes/declaration.ts';
import { referencesOf } from '../../../../controller/source/kubernetes/references.ts';
import { tasksOf } from '../../../../controller/source/kubernetes/tasks.ts';

const metadata = { name: 'web', namespace: 'shop', resourceVersion: '1' };
const endpoints = { service: 'web' };

function declared(spec: object) {
  const found = readDeclaration({ metadata, spec: { endpoints, ...spec } }, 'shop/web');
  if (!('selector' in found)) throw new Error(`${found.at}: ${found.reason}`);
  return found;
}

const bridge = (...portMappings: object[]) => ({
  networks: [{ mode: 'container/bridge' }],
  container: { portMappings },
});

function slice(ports: readonly object[], addresses: readonly string[], what: object = {}): Slice {
  return readSlice({
    metadata: { ...metadata, name: 'web-1' },
    addressType: 'IPv4',
    ports,
    endpoints: addresses.map((address) => ({ addresses: [address] })),
    ...what,
  });
}

/** `10.0.0.1:8080 10.0.0.1:9090` of the ports in order; why, where there is none. */
function reached(spec: object, ...slices: readonly Slice[]): string {
  const [task] = tasksOf(declared(spec), slices, undefined);
  return (task?.ports ?? [])
    .map((port) => port.endpoints.map((one) => `${one.address}:${one.port}`).join(',') || port.unresolved)
    .join(' ');
}

const mapped = (...portMappings: readonly object[]) => ({
  app: { id: '/web', networks: [{ mode: 'container' }], container: { portMappings } },
});

describe('ports are paired', () => {
  const ports = [
    { name: 'admin', port: 9090, protocol: 'TCP' },
    { name: 'http', port: 8080, protocol: 'TCP' },
    { name: 'dns', port: 53, protocol: 'UDP' },
  ];
  const one = slice(ports, ['10.0.0.1']);

  test.each([
    ['by name, whatever the number', [{ name: 'http', containerPort: 9090 }], '10.0.0.1:8080'],
    ['by container port where no name fits', [{ name: 'web', containerPort: 8080 }], '10.0.0.1:8080'],
    ['by place where neither does', [{ name: 'web', containerPort: 1 }], '10.0.0.1:9090'],
    [
      'not by the place of a port that is surely another one',
      [{ containerPort: 1 }, { name: 'admin' }],
      /^no tcp port .* place 0 10\.0\.0\.1:9090$/,
    ],
    ['only where the protocol is one of theirs', [{ name: 'dns', protocol: 'tcp' }], '10.0.0.1:9090'],
    ['for udp too', [{ name: 'dns', protocol: 'udp' }], '10.0.0.1:53'],
    ['of both protocols with whichever there is', [{ name: 'dns', protocol: 'udp,tcp' }], '10.0.0.1:53'],
  ])('%s', (_name, given, expected) => {
    expect(reached(mapped(...given), one)).toMatch(expected);
  });

  const all = (port: object, spec: readonly object[]) =>
    reached(mapped(...spec), slice([port, { name: 'admin', port: 9090 }], ['10.0.0.1']));

  test('a port without a number is not one that is missing', () => {
    const why = 'has no number, which means all ports: a backend needs a port number';
    const named = `the tcp port http of its EndpointSlices ${why}`;
    expect(all({ name: 'http' }, [{ name: 'http', containerPort: 1 }])).toBe(named);
    expect(all({ name: 'http', port: null }, [{ name: 'admin' }, { name: 'http' }])).toBe(
      `10.0.0.1:9090 ${named}`,
    );
    expect(all({}, [{ containerPort: 1 }, { name: 'admin' }])).toBe(
      `the tcp port without a name of its EndpointSlices ${why} 10.0.0.1:9090`,
    );
    expect(all({ name: 'http', protocol: 'UDP' }, [{ name: 'http', containerPort: 1 }])).toBe(
      '10.0.0.1:9090',
    );
  });

  test.each([70_000, 0, -1, 80.5, '80', {}])(
    '%j as the number of a port is refused where it is',
    (number) => {
      const why = `EndpointSlice web-1: ports[0].port is ${JSON.stringify(shown(number))}, expected a port number from 1 to 65535`;
      expect(all({ name: 'http', port: number }, [{ name: 'http', containerPort: 1 }])).toBe(why);
      expect(all({ port: number }, [{ containerPort: 1 }, { name: 'admin' }])).toBe(`${why} 10.0.0.1:9090`);
      // Another port of the slice is not meant instead.
      expect(all({ port: number }, [{ containerPort: 1 }])).toBe(why);
      expect(all({ name: 'http', port: number }, [{ containerPort: 9090 }])).toBe('10.0.0.1:9090');
    },
  );

  test('a port number that is refused in one of two slices is reported, and the other slice counts', () => {
    const good = slice([{ name: 'http', port: 8080 }], ['10.0.0.1']);
    const wrong = slice([{ name: 'http', port: 70_000 }], ['fd00::1'], {
      addressType: 'IPv6',
      metadata: { ...metadata, name: 'web-2' },
      endpoints: [{ addresses: ['fd00::1'], targetRef: { name: '10.0.0.1' } }],
    });
    const [task] = tasksOf(declared(mapped({ name: 'http', containerPort: 1 })), [good, wrong], undefined);
    expect(task?.ports).toMatchObject([
      {
        endpoints: [{ address: '10.0.0.1', port: 8080 }],
        unresolved: expect.stringContaining('EndpointSlice web-2: ports[0].port is "70000"'),
      },
    ]);
  });

  test.each(['010.1.0.1', '10.1', ' 10.1.0.2', '', 'host', '10.1.0.4/24', 'fe80::1%eth0', '1::2::3'])(
    'the address %j cannot be read, which is said, and not that a port is missing',
    (address) => {
      expect(reached(mapped({ containerPort: 8080 }), slice(ports, [address]))).toBe(
        `EndpointSlice web-1: endpoints[0].addresses[0] is ${JSON.stringify(address)}, expected an IPv4 address of four decimal numbers without leading zeros, or an IPv6 address without zone`,
      );
    },
  );

  test('an endpoint without a name and without an address is named by its place', () => {
    const two = slice(ports, ['', '10.0.0.1', '']);
    expect(two.endpoints.map(({ target }) => target)).toEqual([
      'web-1 endpoints[0]',
      '10.0.0.1',
      'web-1 endpoints[2]',
    ]);
  });

  test('a port without a number has no place among those that have one', () => {
    expect(all({ name: 'http' }, [{ name: 'web', containerPort: 1 }])).toBe('10.0.0.1:9090');
    expect(all({ name: 'http' }, [{ name: 'http', containerPort: 9090 }])).toBe('10.0.0.1:9090');
  });

  test('on the host network by name and by place', () => {
    const app = { id: '/web', portDefinitions: [{ name: 'http' }, { port: 0 }] };
    expect(
      reached(
        { app },
        slice(
          [
            { name: 'x', port: 1 },
            { name: 'y', port: 2 },
            { name: 'http', port: 3 },
          ],
          ['10.0.0.1'],
        ),
      ),
    ).toBe('10.0.0.1:3 10.0.0.1:2');
  });

  test("the endpoints of a pod's containers by name", () => {
    const pod = {
      id: '/pod',
      containers: [{ name: 'c', endpoints: [{ name: 'http', containerPort: 80, protocol: ['tcp'] }] }],
    };
    expect(reached({ pod }, one)).toBe('10.0.0.1:8080');
  });

  test('vip_PORT1 of the old form with the second port', () => {
    const app = { id: '/web', portDefinitions: [], labels: { vip_PORT1: 'tcp://web:80' } };
    expect(reached({ app }, one)).toBe('10.0.0.1:8080');
  });

  test('vip_PORT0 of the old form with the first port, whatever that is paired by', () => {
    const labels = { vip_PORT0: 'tcp://web:80' };
    for (const mapping of [{ name: 'http', containerPort: 1 }, { containerPort: 8080 }])
      expect(reached({ app: { id: '/web', labels, ...bridge(mapping) } }, one)).toBe(
        '10.0.0.1:8080 10.0.0.1:8080',
      );
  });
});

test.each([[[{ id: 'web.1', ports: ['x'] }]], [[{ id: 'web.1', labels: { VIP_0: '/web:80' } }]], [7]])(
  'tasks in a definition are not used, whatever is wrong in them: %j',
  (tasks) => {
    const { app } = mapped({ containerPort: 8080, labels: { VIP_0: '/web:80' } });
    const { ports, rejected, warnings } = declared({ app: { ...app, tasks } });
    expect(ports).toMatchObject([{ containerPort: 8080, port: { labels: { VIP_0: '/web:80' } } }]);
    expect(rejected).toEqual([]);
    expect(warnings).toEqual(['tasks is not used: its tasks are the endpoints that spec.endpoints selects']);
    expect(declared({ app: { ...app, tasks: [] } }).warnings).toEqual([]);
  },
);

test('instances in the status of a pod are not used', () => {
  const spec = { containers: [{ name: 'c', endpoints: [{ name: 'http', containerPort: 80 }] }] };
  const { ports, warnings } = declared({ pod: { id: '/pod', spec, instances: [7] } });
  expect(ports).toMatchObject([{ name: 'http' }]);
  expect(warnings).toEqual([
    'instances is not used: its instances are the endpoints that spec.endpoints selects',
  ]);
});

test('the references of an object report which port has no number', () => {
  const labels = { VIP_0: '/web:80' };
  const object = declared(mapped({ name: 'http', labels }, { name: 'dns', labels }));
  expect(referencesOf(object, 'shop', [slice([{ name: 'http' }], ['10.0.0.1'])])).toEqual({
    reason: 'PortMismatch',
    message:
      'container.portMappings[0]: the tcp port http of its EndpointSlices has no number, which means all ports: a backend needs a port number; ' +
      'container.portMappings[1]: no tcp port of its EndpointSlices has the name dns, or place 1',
  });
  const both = [slice([{ name: 'http' }], ['10.0.0.1']), slice([{ name: 'http', port: 80 }], ['10.0.0.2'])];
  const http = declared(mapped({ name: 'http', labels }));
  expect(referencesOf(http, 'shop', both).reason).toBe('ResolvedRefs');
});

test('a target in two slices is one task, by its better condition', () => {
  const ports = [{ name: '', port: 8080 }];
  const unready = {
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false }, targetRef: { name: 'a' } }],
  };
  const ready = {
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true }, targetRef: { name: 'a' } }],
  };
  const two = [
    slice(ports, [], unready),
    slice(ports, [], { ...ready, metadata: { ...metadata, name: 'web-2' } }),
  ];
  const tasks = tasksOf(declared(mapped({ containerPort: 8080 })), two, undefined);
  expect(tasks).toMatchObject([{ id: 'a', state: 'running', health: 'healthy' }]);
  expect(tasks[0]?.ports[0]?.endpoints).toHaveLength(1);
});

test.each([
  [{}, 'running healthy'],
  [{ ready: true, serving: true, terminating: false }, 'running healthy'],
  [{ ready: false }, 'running unhealthy'],
  [{ ready: false, serving: true, terminating: true }, 'killing healthy'],
  [{ ready: false, serving: false, terminating: true }, 'killing unhealthy'],
  [{ ready: null, serving: null, terminating: null }, 'running healthy'],
])('conditions %j mean %s', (conditions, expected) => {
  const one = slice([{ port: 80 }], [], { endpoints: [{ addresses: ['10.0.0.1'], conditions }] });
  const [task] = tasksOf(declared(mapped({ containerPort: 80 })), [one], undefined);
  expect(`${task?.state} ${task?.health}`).toBe(expected);
});

test('tasks whose ports a relay has renamed keep theirs until the names are known', () => {
  const port = {
    at: 'portDefinitions[0]',
    protocols: ['tcp'],
    labels: {},
    mode: 'host',
    backendAddress: 'agent',
  };
  const relayed = { id: '/web', kind: 'app', ports: [port], version: 'v1', versions: [] };
  const of = (version: string) => {
    const labels = { 'marathon-ipvs.io/ports': version };
    return slice([{ name: 'p0', port: 31_000 }], ['10.0.0.1'], { metadata: { ...metadata, labels } });
  };
  const tasks = tasksOf(declared({ relayed }), [of('v1')], undefined);
  expect(tasks[0]?.ports[0]?.endpoints).toEqual([{ address: '10.0.0.1', port: 31_000 }]);
  const previous: App = {
    id: '/web',
    kind: 'app',
    framework: 'marathon',
    ports: [],
    tasks,
    rejected: [],
    warnings: [],
  };
  expect(tasksOf(declared({ relayed }), [of('v2')], previous)[0]?.ports).toEqual(tasks[0]?.ports);
  expect(tasksOf(declared({ relayed }), [of('v2')], undefined)[0]?.ports).toEqual([]);
});

test('a selector fits as in Kubernetes', () => {
  const labels = { app: 'web', tier: 'front' };
  const meets = (key: string, operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', values?: string[]) =>
    fits({ matchExpressions: [{ key, operator, ...(values && { values }) }] }, labels);
  expect(fits({ matchLabels: { app: 'web' } }, labels)).toBe(true);
  expect(fits({ matchLabels: { app: 'web', tier: 'back' } }, labels)).toBe(false);
  expect(fits({ matchLabels: { constructor: 'x' } }, labels)).toBe(false);
  expect([
    meets('tier', 'In', ['front']),
    meets('tier', 'NotIn', ['front']),
    meets('none', 'NotIn', ['x']),
  ]).toEqual([true, false, true]);
  expect([meets('app', 'Exists'), meets('none', 'Exists'), meets('none', 'DoesNotExist')]).toEqual([
    true,
    false,
    true,
  ]);
});

async function all(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const value of values) found.push(value);
  return found;
}

test('lines are whole however the bytes are cut, and an endless one is an error', async () => {
  const bytes = Buffer.from('{"a":"é"}\n\n{"b":1}\n{"half":');
  for (let size = 1; size < bytes.length; size += 1) {
    const chunks = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    expect(await all(jsonLines(chunks(), 100))).toEqual([{ a: 'é' }, { b: 1 }]);
  }
  const endless = async function* () {
    for (;;) yield Buffer.alloc(10, 0x20);
  };
  await expect(all(jsonLines(endless(), 100))).rejects.toThrow(RangeError);
});

test('a line of more values than one object may have is an error, and is not parsed', async () => {
  const chunks = async function* () {
    yield Buffer.from(`{"type":"ADDED","object":[0${',{}'.repeat(BOUNDS.values)}]}\n`);
  };
  await expect(jsonLines(chunks(), 2 ** 24).next()).rejects.toThrow(RangeError);
});

test('a member stays in its slice, and a slice has a hundred at the most', () => {
  const weightless = () => 0;
  const members = Array.from({ length: 201 }, (_, i) => `m${i}`);
  const first = assign(members, () => undefined, weightless);
  expect(first.map((each) => each.members.length)).toEqual([100, 100, 1]);
  const before = (n: number) => first[n]?.members;
  const less = assign(members.slice(1), before, weightless);
  expect(
    less.filter((each, n) => each.members.join() !== first[n]?.members.join()).map(({ n }) => n),
  ).toEqual([0]);
  const more = assign([...members.slice(1), 'new'], before, weightless);
  expect(
    more.filter((each, n) => each.members.join() !== first[n]?.members.join()).map(({ n }) => n),
  ).toEqual([0]);
});

test('names of objects are readable, fit in a label, and differ where ids do', () => {
  const name = (id: string, framework = 'marathon') => objectName({ id, framework });
  expect(name('/shop/web')).toMatch(/^shop-web-[0-9a-f]{10}$/);
  expect(
    new Set([name('/shop/web'), name('/shop-web'), name('/Shop/web'), name('/shop/web', 'other')]).size,
  ).toBe(4);
  expect(name(`/${'x'.repeat(500)}`).length).toBeLessThanOrEqual(63);
  expect(name('/…')).toMatch(/^app-/);
});
