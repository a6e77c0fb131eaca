import { expect, test } from '@jest/globals';
import type { Rejection } from '../../../../controller/model/app.ts';
import {
  absoluteId,
  type Documents,
  readDocuments,
} from '../../../../controller/source/document/documents.ts';

const app = (id: string, fields: object = {}) => ({ id, cmd: 'sleep 1', ...fields });
const pod = { id: '/pod', containers: [{ name: 'c' }] };
const podStatus = { id: '/pod', spec: { containers: [{ name: 'c' }] }, instances: [] };

test.each<[string, unknown, string[]]>([
  ['an app', app('/a'), ['/a']],
  ['an app without leading slash', app('a'), ['/a']],
  ['an array of apps', [app('/a'), app('/b')], ['/a', '/b']],
  ['{"apps": […]}', { apps: [app('/a'), app('/b')] }, ['/a', '/b']],
  ['an empty list of apps', { apps: [] }, []],
  ['an empty array', [], []],
  ['{"app": {…}}', { app: app('/a') }, ['/a']],
  ['a pod', pod, ['/pod']],
  ['a pod with its status', podStatus, ['/pod']],
  ['an array of pods', [pod, podStatus], ['/pod', '/pod']],
  ['an array of apps and pods', [app('/a'), podStatus], ['/a', '/pod']],
  [
    'a groups tree',
    {
      id: '/',
      apps: [app('/a')],
      groups: [
        { id: '/g', apps: [app('/g/b')], pods: [podStatus], groups: [{ id: '/g/h', apps: [app('/g/h/c')] }] },
      ],
    },
    ['/a', '/g/b', '/g/h/c', '/pod'],
  ],
  [
    'a groups tree with relative ids',
    { id: 'g', apps: [app('b')], groups: [{ id: 'h', apps: [app('../c')] }] },
    ['/g/b', '/g/c'],
  ],
])('is read: %s', (_name, json, ids) => {
  const documents = readDocuments(json, 'test');
  expect([...(documents?.apps ?? []), ...(documents?.pods ?? [])].map(({ id }) => id)).toEqual(ids);
  expect(documents?.rejected).toEqual([]);
});

test.each<[string, unknown]>([
  ['a number', 1],
  ['null', null],
  ['text', 'apps'],
  ['an empty object', {}],
  ['an id alone', { id: '/a' }],
  ['a list of tasks', { tasks: [{ id: 'a.1', appId: '/a' }] }],
  ['a list of deployments', [{ id: 'd', affectedApps: ['/a'], steps: [] }]],
  ['an error of Marathon', { message: 'Object is not valid' }],
  ['{"apps": {…}}', { apps: {} }],
  ['a tree with a group that is none', { groups: ['x'] }],
  ['a tree with apps that are no list', { id: '/', apps: 'x', groups: [] }],
  ['a tree with pods that are no list, further down', { groups: [{ id: 'g', apps: [], pods: {} }] }],
])('is no known shape: %s', (_name, json) => {
  expect(readDocuments(json, 'test')).toBeNull();
});

test('an app with a wrong type is rejected with path and value, and the others work on', () => {
  const documents = readDocuments({ apps: [app('/bad', { portDefinitions: 'http' }), app('/good')] }, 'test');
  expect(documents?.apps.map(({ id, unread }) => [id, unread?.definition])).toEqual([
    ['/bad', { app: '/bad', at: 'portDefinitions', value: 'http', reason: 'expected a list, got text' }],
    ['/good', undefined],
  ]);
});

/** What is wrong with apps, as a whole or in part. */
function told(documents: Documents | null): readonly Rejection[] {
  const unread = documents?.apps.flatMap((each) => each.unread ?? []) ?? [];
  return unread.flatMap(({ definition, rejected }) => [
    ...(definition === null ? [] : [definition]),
    ...rejected,
  ]);
}

const PORT_LABELS = 'expected an object, {"VIP_0": "/my-service:5555"}';

test.each<[string, object, string, string, string]>([
  [
    'a port that is none',
    { container: { portMappings: [{ containerPort: 70000 }] } },
    'container.portMappings[0].containerPort',
    '70000',
    'expected a port number from 0 to 65535',
  ],
  [
    'an unknown mode',
    { networks: [{ mode: 'overlay' }] },
    'networks[0].mode',
    'overlay',
    'expected one of host, container/bridge, container',
  ],
  [
    'labels of a port that are a list',
    { portDefinitions: [{ labels: ['VIP_0'] }] },
    'portDefinitions[0].labels',
    '["VIP_0"]',
    `${PORT_LABELS}, got a list`,
  ],
  [
    'labels of a port that are text, of any length',
    { container: { portMappings: [{ labels: `VIP_0=/web:80${' '.repeat(1_000)}` }] } },
    'container.portMappings[0].labels',
    `VIP_0=/web:80${' '.repeat(86)}…`,
    `${PORT_LABELS}, got text`,
  ],
  [
    'labels of a discovery port that are a number',
    { ipAddress: { discovery: { ports: [{ labels: 80 }] } } },
    'ipAddress.discovery.ports[0].labels',
    '80',
    `${PORT_LABELS}, got a number`,
  ],
  [
    'labels of the app that are a list',
    { labels: [{ key: 'a' }] },
    'labels',
    '[{"key":"a"}]',
    'expected an object, {"KEY": "VALUE"}, got a list',
  ],
])(
  'a rejection says where and what stands there, and what was expected: %s',
  (_name, fields, at, value, reason) => {
    expect(told(readDocuments(app('/bad', fields), 'test'))).toEqual([{ app: '/bad', at, value, reason }]);
  },
);

test.each<[string, unknown, string, string]>([
  ['an app without id', { apps: [{ cmd: 'x' }] }, 'apps[0].id', 'nothing'],
  ['an app that is no object', { apps: [7] }, 'apps[0]', '7'],
  ['an app that is null', { apps: [null] }, 'apps[0]', 'null'],
  ['an id that is no text', { groups: [{ id: '/g', apps: [{ id: 1 }] }] }, 'groups[0].apps[0].id', '1'],
  ['a stranger in an array', [app('/a'), { message: 'x' }], '[1]', '{"message":"x"}'],
])('what has no id is reported by its place in the document: %s', (_name, json, at, value) => {
  expect(readDocuments(json, 'the document')?.rejected).toMatchObject([{ app: 'the document', at, value }]);
});

test.each([[{ apps: [null] }], [[app('/a'), null]]])('what is null is called null: %j', (json) => {
  expect(readDocuments(json, 'test')?.rejected).toMatchObject([
    { value: 'null', reason: 'expected an app or a pod, got null' },
  ]);
});

test.each<[string, unknown, string, string]>([
  [
    'an app in the list of groups',
    { groups: [app('/lost'), { id: 'g', apps: [app('a')] }] },
    '/g/a',
    'groups[0] should be a group',
  ],
  ['an app that has apps', [{ ...app('/lost'), apps: [app('/g/a')] }], '/g/a', '[0] should be a group'],
  ['a whole document', { ...app('/lost'), apps: [app('/g/a')] }, '/g/a', 'the document should be a group'],
  [
    'a wrapped app in the list of groups',
    { groups: [{ app: app('/lost') }], apps: [app('a')] },
    '/a',
    'groups[0] should be a group',
  ],
])('a group with the fields of an app loses neither: %s', (_name, json, member, place) => {
  const documents = readDocuments(json, 'the document');
  expect(documents?.rejected).toEqual([]);
  expect(documents?.apps.map(({ id, unread }) => [id, unread?.definition?.reason])).toEqual(
    expect.arrayContaining([
      ['/lost', expect.stringMatching(/has fields of an app; move them to an element of apps$/)],
      [member, undefined],
    ]),
  );
  expect(told(documents)[0]?.reason.startsWith(place)).toBe(true);
});

test('a group with the fields of a pod loses neither', () => {
  const documents = readDocuments({ groups: [{ ...pod, apps: [app('a')] }] }, 'the document');
  expect(documents?.apps.map(({ id }) => id)).toEqual(['/pod/a']);
  expect(documents?.pods).toMatchObject([{ id: '/pod', unread: { taskList: true } }]);
});

test('an id that is too long is reported as such', () => {
  const documents = readDocuments([app('/good'), app(`/${'x'.repeat(5_000)}`)], 'the document');
  expect(documents?.rejected).toMatchObject([
    { at: '[1].id', reason: 'expected an id of at most 1024 characters' },
  ]);
});

test('unknown fields and fields that Marathon leaves out or sets to null are no matter', () => {
  const sparse = {
    id: '/a',
    cmd: null,
    container: null,
    ipAddress: null,
    networks: null,
    portDefinitions: null,
    healthChecks: null,
    labels: null,
    futureField: { deep: [1] },
    tasks: [{ id: 't', healthCheckResults: null, ipAddresses: null, ports: null, localVolumes: [] }],
  };
  const documents = readDocuments(sparse, 'test');
  expect(documents).toMatchObject({ apps: [{ id: '/a' }] });
  expect(documents?.apps[0]?.unread).toBeUndefined();
});

test('a deep tree is read without recursion', () => {
  let tree: object = { id: 'leaf', apps: [app('a')] };
  for (let depth = 0; depth < 20_000; depth++) tree = { groups: [tree] };
  expect(readDocuments(tree, 'test')?.apps.map(({ id }) => id)).toEqual(['/leaf/a']);
});

test.each([
  ['/a/b', '/x', '/a/b'],
  ['/a/b/', '/x', '/a/b'],
  ['//a///b', '/x', '/a/b'],
  ['/a/./c/../b', '/x', '/a/b'],
  ['b', '/', '/b'],
  ['b', '/a', '/a/b'],
  ['./b', '/a', '/a/b'],
  ['../b', '/a/c', '/a/b'],
  ['../../../b', '/a', '/b'],
])('id %s in group %s is %s', (id, base, expected) => {
  expect(absoluteId(id, base)).toBe(expected);
});

test('an object of Kubernetes is no pod, for all that it has a spec', () => {
  expect(readDocuments({ kind: 'MarathonApp', spec: { app: {} } }, 'x.json')).toBeNull();
});

test.each([5, null, [], 'x', true])(
  'the status of a pod whose spec is %j is a pod that cannot be read',
  (spec) => {
    const documents = readDocuments({ id: '/p', spec, instances: [{ id: 'p.1' }] }, 'the document');
    expect(documents?.apps).toEqual([]);
    expect(documents?.pods).toMatchObject([{ id: '/p', unread: { definition: { app: '/p', at: 'spec' } } }]);
  },
);

test.each([5, [], { toString: 5 }])(
  'a condition of a pod with the value %j costs only what is known of its health',
  (value) => {
    const containers = [{ name: 'c', conditions: [{ name: 'healthy', value }] }];
    const pod = { id: '/p', spec: {}, instances: [{ id: 'p.1', containers }] };
    const documents = readDocuments([pod, { id: '/ok', cmd: 'x' }], 'the document');
    expect(documents?.apps).toMatchObject([{ id: '/ok' }]);
    expect([...(documents?.pods[0]?.unread?.health ?? [])]).toEqual(['p.1.c']);
  },
);
