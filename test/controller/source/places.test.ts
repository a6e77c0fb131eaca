/** Where tasks stand: each source has it in a form of its own. */

import { expect, test } from '@jest/globals';
import type { MarathonApp, MarathonPodStatus } from '../../../controller/input/marathon-json.ts';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import { readSlice } from '../../../controller/kubernetes/endpoint-slice.ts';
import type { App } from '../../../controller/model/app.ts';
import { type Place, placeOf } from '../../../controller/model/place.ts';
import { Pace } from '../../../controller/pace.ts';
import { convertApp } from '../../../controller/source/document/apps.ts';
import { convertPod } from '../../../controller/source/document/pods.ts';
import { Catalogue } from '../../../controller/source/kubernetes/catalogue.ts';
import { readDeclaredObject } from '../../../controller/source/kubernetes/object.ts';
import { Cluster } from '../../../controller/source/mesos/cluster.ts';
import { readEvent } from '../../../controller/source/mesos/events.ts';
import { readState } from '../../../controller/source/mesos/state.ts';
import { snapshot, web } from '../../support/builders.ts';
import { TestCluster } from '../../support/mesos/test-cluster.ts';
import { everythingOf } from './mesos/everything.ts';
import { MARATHON, webTask } from './mesos/setup.ts';

const A: Place = { region: 'aws/eu-central-1', zone: 'aws/eu-central-1a' };
const ADDRESSES = new Map([
  ['10.0.0.1', '10.0.0.1'],
  ['10.0.0.2', '10.0.0.2'],
]);
const conversion = { framework: 'marathon', agentAddress: (host: string) => host, previous: undefined };
const places = (app: App | undefined) => app?.tasks.map(({ place }) => place);

test('a place is one object for all that stand there, and none where nothing is reported', () => {
  expect(placeOf({ region: 'eu', zone: 'a' })).toBe(placeOf({ zone: 'a', region: 'eu' }));
  expect(placeOf({ zone: 'a' })).toEqual({ zone: 'a' });
  expect(placeOf({ region: '', zone: null, node: undefined })).toBeUndefined();
});

test('a task of Marathon stands where Marathon says, and an older Marathon says nothing', () => {
  const task = { id: 'web.1', host: '10.0.0.1', state: 'TASK_RUNNING', ports: [31000] };
  const app: MarathonApp = {
    id: '/web',
    portDefinitions: [{}],
    tasks: [
      { ...task, region: A.region, zone: A.zone },
      { ...task, id: 'web.2' },
    ],
  };
  expect(places(convertApp(app, conversion))).toEqual([A, undefined]);
});

test('each container of a pod stands where its instance does', () => {
  const pod: MarathonPodStatus = {
    id: '/pod',
    spec: {},
    instances: [
      {
        id: 'i',
        agentHostname: '10.0.0.1',
        agentRegion: A.region,
        agentZone: A.zone,
        containers: [{ name: 'one' }, { name: 'two' }],
      },
    ],
  };
  expect(places(convertPod(pod, conversion))).toEqual([A, A]);
});

test('a task of Mesos stands in the fault domain of its agent, known before or after it, also while that is away', async () => {
  const cluster = new Cluster();
  const model = new TestCluster((json) => {
    const event = readEvent(json);
    if (event !== null) cluster.apply(event, 0);
  });
  model.domains.set('S0', ['eu', 'a']).set('S1', ['eu', 'b']);
  model.addFramework(MARATHON, 'marathon');
  model.addAgent('S0', '10.0.0.1');
  model.addTask(webTask(31001));
  model.addTask(webTask(31002, { agent: 'S1' }));
  model.addAgent('S1', '10.0.0.2');
  const listener = async () => await everythingOf(cluster, ADDRESSES);
  const zones = async () =>
    (await listener()).apps.flatMap(({ tasks }) => tasks.map(({ place }) => place?.zone));
  expect(await zones()).toEqual(['a', 'b']);
  expect((await listener()).places).toEqual({
    '10.0.0.1': { region: 'eu', zone: 'a' },
    '10.0.0.2': { region: 'eu', zone: 'b' },
  });
  model.removeAgent('S1');
  expect(await zones()).toEqual(['a', 'b']);

  model.domains.set('S0', ['eu', 'c']);
  const state = Buffer.from(JSON.stringify({ type: 'GET_STATE', get_state: model.state() }));
  const read = await readState(state, new Pace());
  if (read === null) throw new Error('no state');
  await cluster.replace(read, 0, new Pace());
  expect(await zones()).toEqual(['c', 'b']);
});

test('a fault domain that cannot be read costs no agent', async () => {
  const cluster = new Cluster();
  const agent_info = { id: { value: 'S0' }, hostname: '10.0.0.1', domain: { fault_domain: 'rack 7' } };
  const event = readEvent({ type: 'AGENT_ADDED', agent_added: { agent: { agent_info } } });
  expect(event).toMatchObject({ type: 'agent-added', agent: { host: '10.0.0.1' } });
  if (event !== null) cluster.apply(event, 0);
  expect(await everythingOf(cluster, ADDRESSES)).not.toHaveProperty('places');
});

test('an endpoint of Kubernetes stands in its zone, on its node', async () => {
  const catalogue = new Catalogue();
  catalogue.objectChanged(
    null,
    readDeclaredObject({
      metadata: { name: 'web', namespace: 'shop', uid: 'web', generation: 1, resourceVersion: '1' },
      spec: {
        endpoints: { service: 'web' },
        app: {
          id: '/web',
          networks: [{ mode: 'container' }],
          container: { portMappings: [{ containerPort: 80 }] },
        },
      },
    }),
  );
  catalogue.sliceChanged(
    null,
    readSlice({
      metadata: {
        name: 'web-1',
        namespace: 'shop',
        resourceVersion: '1',
        labels: { 'kubernetes.io/service-name': 'web' },
      },
      addressType: 'IPv4',
      ports: [{ name: '', port: 80 }],
      endpoints: [{ addresses: ['10.1.0.1'], zone: 'a', nodeName: 'node-1' }, { addresses: ['10.1.0.2'] }],
    }),
  );
  const { apps } = await catalogue.snapshot(new Pace());
  expect(places(apps[0])).toEqual([{ zone: 'a', node: 'node-1' }, undefined]);
});

test('a host stands where its source lists it, else where most of its tasks say, and nowhere once none does', () => {
  const inventory = new Inventory();
  const apply = (source: string, apps: readonly App[], listed?: Readonly<Record<string, Place>>) => {
    const said = { ...snapshot(...apps), ...(listed && { places: listed }) };
    const { apps: upserts, ...about } = said;
    inventory.apply(source, { upserts, removed: [], about, complete: true, learnedAt: 0 });
    inventory.settle(() => false);
  };
  const at = (id: string, place: Place, ...endpoints: readonly string[]) => {
    const app = web(id, {}, ...endpoints);
    return { ...app, tasks: app.tasks.map((task) => ({ ...task, place })) };
  };
  const [a, b] = [placeOf({ zone: 'a' }) as Place, placeOf({ zone: 'b', node: 'node-1' }) as Place];
  apply('marathon', [at('/one', a, '10.0.0.1:80', '10.0.0.1:81'), at('/two', b, '10.0.0.1:82')]);
  expect(inventory.places.placeOf('10.0.0.1')).toBe(a);
  expect(inventory.places.placeOf('node-1')).toBe(b);
  const { version } = inventory.places;
  apply('marathon', [at('/one', b, '10.0.0.1:80', '10.0.0.1:81')]);
  expect(inventory.places.placeOf('10.0.0.1')).toBe(b);
  expect(inventory.places.version).not.toBe(version);
  apply('mesos', [], { '10.0.0.1': a });
  expect(inventory.places.placeOf('10.0.0.1')).toBe(a);
  apply('mesos', []);
  apply('marathon', [at('/one', b), at('/two', b)]);
  expect(inventory.places.placeOf('10.0.0.1')).toBeNull();
});
