/** The form of DC/OS and its JSON: what its own interface made of the same input. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addEndpoint,
  editForm,
  editText,
  loadBalanced,
  startEditing,
} from '../../../controller/page/form/editing.ts';
import type { JsonObject } from '../../../controller/page/form/json.ts';
import {
  type EndpointForm,
  NEW_APP,
  NEW_VIP,
  type ServiceForm,
} from '../../../controller/page/form/model.ts';
import { readForm } from '../../../controller/page/form/read.ts';
import { writeForm } from '../../../controller/page/form/write.ts';

/** A new service filled in: what is given, with one endpoint for each of `endpoints`. */
function made(over: Partial<ServiceForm>, ...endpoints: readonly Partial<EndpointForm>[]): JsonObject {
  let editing = startEditing(NEW_APP);
  for (const part of endpoints) {
    editing = editForm(editing, addEndpoint(editing.form));
    const added = editing.form.endpoints.map((one, at, { length }) =>
      at === length - 1 ? { ...one, ...part } : one,
    );
    editing = editForm(editing, { ...editing.form, endpoints: added });
  }
  return editForm(editing, { ...editing.form, ...over }).json;
}

const balanced = { vips: loadBalanced(true) };

describe('the JSON of a new service', () => {
  test('host networking with a fixed port: the example of the documentation', () => {
    const app = made(
      { id: '/my-service', cmd: 'sleep 1000', automatic: false },
      { name: 'my-vip', hostPort: '5555', ...balanced },
    );
    expect(app).toEqual({
      id: '/my-service',
      cmd: 'sleep 1000',
      instances: 1,
      cpus: 0.1,
      mem: 128,
      networks: [{ mode: 'host' }],
      portDefinitions: [
        { name: 'my-vip', port: 5555, protocol: 'tcp', labels: { VIP_0: '/my-service:5555' } },
      ],
      requirePorts: true,
    });
    expect(JSON.stringify(app['portDefinitions'])).toBe(
      '[{"name":"my-vip","port":5555,"protocol":"tcp","labels":{"VIP_0":"/my-service:5555"}}]',
    );
  });

  test('host networking with automatic ports keeps the number that was typed, as service port', () => {
    const vips = [{ ...NEW_VIP, port: '80' }];
    const app = made({ id: '/web' }, { hostPort: '8080', vips });
    expect(app['portDefinitions']).toEqual([{ port: 8080, protocol: 'tcp', labels: { VIP_0: '/web:80' } }]);
    expect(app['requirePorts']).toBe(false);
  });

  test('a virtual network without port mapping has neither host port nor protocol', () => {
    const app = made(
      { id: '/app', mode: 'virtual', networkName: 'dcos-1' },
      { name: 'http', containerPort: '8080', ...balanced },
    );
    expect(app['container']).toEqual({
      type: 'MESOS',
      portMappings: [{ name: 'http', containerPort: 8080, labels: { VIP_0: '/app:8080' } }],
    });
    expect(app['networks']).toEqual([{ mode: 'container', name: 'dcos-1' }]);
    expect(app).not.toHaveProperty('portDefinitions');
  });

  test('a virtual network with port mapping, and a bridge, have a host port that is assigned or fixed', () => {
    const endpoint = { name: 'dns', containerPort: '53', mapped: true, udp: true };
    for (const mode of ['virtual', 'bridge'] as const) {
      const app = made({ id: '/app', mode, networkName: 'dcos' }, endpoint, {
        ...endpoint,
        name: 'two',
        automatic: false,
        hostPort: '5353',
      });
      expect(app['container']).toEqual({
        type: 'MESOS',
        portMappings: [
          { name: 'dns', containerPort: 53, hostPort: 0, protocol: 'udp,tcp' },
          { name: 'two', containerPort: 53, hostPort: 5353, protocol: 'udp,tcp' },
        ],
      });
    }
    expect(made({ mode: 'bridge' }, endpoint)['networks']).toEqual([{ mode: 'container/bridge' }]);
  });

  test('the second endpoint has VIP_1, and a second VIP of an endpoint the next number that is free', () => {
    const app = made(
      { id: '/app' },
      { vips: [{ ...NEW_VIP, port: '80' }] },
      {
        vips: [
          { ...NEW_VIP, port: '81' },
          { ...NEW_VIP, name: '10.1.2.3', port: '82' },
        ],
      },
    );
    expect(app['portDefinitions']).toEqual([
      { port: 0, protocol: 'tcp', labels: { VIP_0: '/app:80' } },
      { port: 0, protocol: 'tcp', labels: { VIP_1: '/app:81', VIP_2: '10.1.2.3:82' } },
    ]);
  });

  test('an unknown port is 0 in the label', () => {
    expect(made({ id: '/app', mode: 'bridge' }, balanced)['container']).toMatchObject({
      portMappings: [{ labels: { VIP_0: '/app:0' } }],
    });
  });
});

/** What an operator may have written by hand, with much that the form does not show. */
const RICH: JsonObject = {
  id: '/group/web',
  cmd: 'run',
  env: { A: 'b' },
  container: {
    type: 'DOCKER',
    docker: { image: 'nginx', privileged: true },
    volumes: [{ hostPath: '/a' }],
    portMappings: [
      {
        containerPort: 80,
        hostPort: 0,
        servicePort: 10_001,
        labels: { VIP_0: '/group/web:8080', IPVS_SCHEDULER: 'rr', other: 'x' },
        networkNames: ['n'],
      },
      { containerPort: 81, hostPort: 9000, protocol: 'tcp,udp', labels: { VIPx: 'shared:82' } },
    ],
  },
  networks: [{ mode: 'container/bridge', labels: { l: 'm' } }],
  healthChecks: [{ protocol: 'MESOS_HTTP' }],
};

describe('an app that is edited', () => {
  test('opens filled in', () => {
    const form = readForm(RICH);
    expect(form).toMatchObject({
      id: '/group/web',
      cmd: 'run',
      image: 'nginx',
      mode: 'bridge',
      beyond: null,
    });
    expect(form.endpoints).toMatchObject([
      {
        containerPort: '80',
        automatic: true,
        tcp: true,
        udp: false,
        vips: [{ label: 'VIP_0', name: null, port: '8080' }],
      },
      {
        hostPort: '9000',
        automatic: false,
        tcp: true,
        udp: true,
        vips: [{ label: 'VIPx', name: 'shared', port: '82' }],
      },
    ]);
  });

  test('stays byte for byte as it is when nothing is changed', () => {
    expect(JSON.stringify(writeForm(RICH, readForm(RICH)))).toBe(JSON.stringify(RICH));
  });

  test('keeps what the form does not show when something is changed', () => {
    const editing = startEditing(RICH);
    const [first, second] = editing.form.endpoints;
    if (first === undefined || second === undefined) throw new Error('two endpoints');
    const endpoints = [
      { ...first, name: 'http' },
      { ...second, vips: [] },
    ];
    const { json } = editForm(editing, { ...editing.form, instances: '3', endpoints });
    expect(json).toEqual({
      ...RICH,
      instances: 3,
      container: {
        ...(RICH['container'] as JsonObject),
        portMappings: [
          {
            name: 'http',
            containerPort: 80,
            hostPort: 0,
            servicePort: 10_001,
            labels: { VIP_0: '/group/web:8080', IPVS_SCHEDULER: 'rr', other: 'x' },
            networkNames: ['n'],
          },
          { containerPort: 81, hostPort: 9000, protocol: 'tcp,udp', labels: {} },
        ],
      },
    });
  });

  test('another network type keeps the endpoints and moves them into the other list', () => {
    const editing = startEditing(RICH);
    const { json } = editForm(editing, { ...editing.form, mode: 'host', automatic: false });
    expect(json['portDefinitions']).toEqual([
      { port: 0, protocol: 'tcp', labels: { VIP_0: '/group/web:8080', IPVS_SCHEDULER: 'rr', other: 'x' } },
      { port: 9000, protocol: 'tcp,udp', labels: { VIPx: 'shared:82' } },
    ]);
    expect(json['container']).not.toHaveProperty('portMappings');
    expect([json['networks'], json['requirePorts']]).toEqual([[{ mode: 'host' }], true]);
  });

  test('a renamed service takes its VIP along where the label was its id, and leaves other names', () => {
    const app = { id: '/a', portDefinitions: [{ port: 1, labels: { VIP_0: '/a:80', VIP_1: 'shared:80' } }] };
    const editing = startEditing(app);
    const { json } = editForm(editing, { ...editing.form, id: '/b' });
    expect(json['portDefinitions']).toEqual([{ port: 1, labels: { VIP_0: '/b:80', VIP_1: 'shared:80' } }]);
  });

  test('a label that is not a VIP value stays as it is until it is edited', () => {
    const app = { id: '/a', portDefinitions: [{ port: 1, labels: { VIP_0: 'nocolon', VIP_1: 'x:http' } }] };
    expect(writeForm(app, readForm(app))).toEqual(app);
  });

  test.each([
    [
      {
        networks: [
          { mode: 'container', name: 'a' },
          { mode: 'container', name: 'b' },
        ],
      },
      'more than one network',
    ],
    [{ container: { docker: { portMappings: [{ containerPort: 1 }] } } }, 'container.docker.portMappings'],
    [{ ports: [80] }, 'ports of Marathon before 1.5'],
    [{ ipAddress: { networkName: 'x' } }, 'ipAddress of Marathon'],
  ])('networking that the form cannot show stays untouched: %j', (part, why) => {
    const app: JsonObject = { id: '/a', ...part };
    const editing = startEditing(app);
    expect(editing.form.beyond).toContain(why);
    expect(editForm(editing, { ...editing.form, cmd: 'x', mode: 'bridge' }).json).toEqual({
      ...app,
      cmd: 'x',
    });
  });
});

describe('JSON mode', () => {
  test('what is typed there appears in the form, and the form leaves the rest of it alone', () => {
    const typed = editText(
      startEditing(NEW_APP),
      '{"id":"/x","env":{"A":"1"},"networks":[{"mode":"container/bridge"}]}',
    );
    expect(typed.form).toMatchObject({ id: '/x', mode: 'bridge' });
    expect(editForm(typed, { ...typed.form, cmd: 'true' }).json).toMatchObject({
      env: { A: '1' },
      cmd: 'true',
    });
  });

  test.each(['{"id":', '[]', 'null', '7'])('%s does not change the form, and says why', (text) => {
    const before = startEditing(RICH);
    const after = editText(before, text);
    expect([after.json, after.form, after.text]).toEqual([before.json, before.form, text]);
    expect(after.textError).not.toBeNull();
  });

  test('writing what was read changes nothing the second time, and never what the form does not show', () => {
    const port = fc.constantFrom<unknown>(0, 80, '80', null, -1, {});
    const labels = fc.dictionary(
      fc.constantFrom('VIP_0', 'VIP_1', 'vip', 'other'),
      fc.constantFrom<unknown>('/a:80', 'x', '1.2.3.4:0', 7),
    );
    const mapping = fc.record(
      {
        containerPort: port,
        hostPort: port,
        name: fc.option(fc.string()),
        protocol: fc.constantFrom('tcp', 'udp', 'udp,tcp'),
        labels,
      },
      { requiredKeys: ['hostPort'] },
    );
    const app = fc.record({
      id: fc.constantFrom('/a', 'a', '/'),
      networks: fc.constantFrom<unknown>([{ mode: 'container/bridge' }], [{ mode: 'container', name: 'n' }]),
      container: fc.record({
        type: fc.constant('DOCKER'),
        portMappings: fc.array(mapping, { maxLength: 3 }),
      }),
      extra: fc.jsonValue(),
    });
    fc.assert(
      fc.property(app, (json) => {
        const once = writeForm(json, readForm(json));
        // What no list can hold (null for a host port) is mended once, and then stays.
        expect(writeForm(once, readForm(once))).toEqual(once);
        expect(once['extra']).toEqual(json.extra);
      }),
    );
  });
});
