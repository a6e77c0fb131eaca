import { describe, expect, test } from '@jest/globals';
import { factsOf } from '../../../../controller/source/mesos/facts.ts';
import { portsOf } from '../../../../controller/source/mesos/ports.ts';
import { taskSchema } from '../../../../controller/source/mesos/schema.ts';
import { type TestTask, taskJson } from '../../../support/mesos/task-json.ts';

const AGENT = { host: '10.0.0.1', address: '10.0.0.1' };
const HOST = { 'network-scope': 'host' };
const CONTAINER = { 'network-scope': 'container', 'network-name': 'dcos' };

/** `host agent 10.0.0.1:31001` of each port: mode, whose address, and where it is reached. */
function portsIn(task: Partial<TestTask>, agent: Parameters<typeof portsOf>[1] = AGENT): string[] {
  const json = taskJson({ id: 'a', framework: 'f', agent: 's', ...task });
  return portsOf(factsOf(taskSchema.parse(json)), agent).map(
    ({ mode, backendAddress, endpoints, unresolved }) =>
      [
        mode,
        backendAddress,
        unresolved ?? endpoints.map(({ address, port }) => `${address}:${port}`).join(','),
      ].join(' '),
  );
}

describe('a discovery port', () => {
  test.each<[string, Partial<TestTask>, string]>([
    [
      'on the host network is reached at the agent',
      { addresses: ['10.0.0.1'], ports: [{ number: 31001 }] },
      'host agent 10.0.0.1:31001',
    ],
    [
      'with a host port is reached at the agent, whatever the address of the task',
      { addresses: ['172.17.0.2'], ports: [{ number: 31001, labels: HOST }] },
      'container/bridge agent 10.0.0.1:31001',
    ],
    [
      'with a host port that is mapped is reached at the agent',
      { addresses: ['172.31.254.3'], ports: [{ number: 31001, labels: HOST }], mappings: [[31001, 8080]] },
      'container/bridge agent 10.0.0.1:31001',
    ],
    [
      'of a container whose port is mapped is reached at the agent’s host port',
      { addresses: ['172.31.254.3'], ports: [{ number: 8080 }], mappings: [[31001, 8080]] },
      'container/bridge agent 10.0.0.1:31001',
    ],
    [
      'of a container is reached at all its addresses',
      { addresses: ['9.0.2.3', 'fd01:b::2'], ports: [{ number: 8080, labels: CONTAINER }] },
      'container container 9.0.2.3:8080,fd01:b::2:8080',
    ],
    [
      'whose mapping is of another protocol has none',
      { addresses: ['9.0.2.3'], ports: [{ number: 8080, protocol: 'udp' }], mappings: [[31001, 8080]] },
      'container container 9.0.2.3:8080',
    ],
    [
      'with a host port on the host network is reached there once',
      { addresses: ['10.0.0.1'], ports: [{ number: 31001, labels: HOST }] },
      'host agent 10.0.0.1:31001',
    ],
    [
      'is nowhere while the task has no address',
      { ports: [{ number: 8080, labels: CONTAINER }] },
      'container container it has no IP address yet',
    ],
  ])('%s', (_rule, task, expected) => {
    expect(portsIn(task)).toEqual([expected]);
  });

  test('behind a host port is reached on the agent itself at the container’s own address and port', () => {
    const local = (task: Partial<TestTask>) => {
      const json = taskJson({ id: 'a', framework: 'f', agent: 's', ...task });
      return portsOf(factsOf(taskSchema.parse(json)), AGENT).map((port) => port.local);
    };
    const addresses = ['172.31.254.3'];
    const mappings = [[31001, 8080]] as const;
    const own = [{ address: '172.31.254.3', port: 8080 }];
    expect(local({ addresses, mappings, ports: [{ number: 31001, labels: HOST }] })).toEqual([own]);
    expect(local({ addresses, mappings, ports: [{ number: 8080 }] })).toEqual([own]);
    const labels = { vip_PORT0: 'tcp://web:80' };
    expect(local({ addresses, mappings, hostPorts: [[31001, 31001]], labels })).toEqual([own]);
    // Without a mapping nobody says which port it is; on the host network there is no other address.
    expect(local({ addresses, ports: [{ number: 31001, labels: HOST }] })).toEqual([undefined]);
    expect(local({ addresses: ['10.0.0.1'], mappings, ports: [{ number: 31001 }] })).toEqual([undefined]);
    expect(local({ addresses: ['9.0.2.3'], ports: [{ number: 80, labels: CONTAINER }] })).toEqual([
      undefined,
    ]);
  });

  test('of an agent without a known address has no address, with the reason', () => {
    const task = { addresses: ['172.17.0.2'], ports: [{ number: 31001, labels: HOST }] };
    expect(portsIn(task, { host: 'agent.example', address: null })).toEqual([
      "container/bridge agent the agent's host name agent.example has no known IPv4 address",
    ]);
    expect(portsIn(task, { host: null, address: null })).toEqual([
      'container/bridge agent Mesos has not reported its agent yet',
    ]);
  });

  test('with number 0 is none, and does not shift the places of the others', () => {
    const json = taskJson({
      id: 'a',
      framework: 'f',
      agent: 's',
      addresses: ['9.0.2.3'],
      ports: [{ number: 0 }, { number: 80 }],
    });
    expect(portsOf(factsOf(taskSchema.parse(json)), AGENT)).toMatchObject([
      { at: 'discovery.ports.ports[1]' },
    ]);
  });

  test('of a task that has ended is nowhere at all', () => {
    expect(portsIn({ state: 'KILLED', addresses: ['10.0.0.1'], ports: [{ number: 31001 }] })).toEqual([]);
  });
});

describe('a task label vip_PORT<n>', () => {
  const hostPorts = [
    [31001, 31002],
    [31010, 31010],
  ] as const;

  test.each([
    ['vip_PORT0', 'tcp://web:80', ['host agent 10.0.0.1:31001']],
    ['vip_port1', 'tcp://web:80', ['host agent 10.0.0.1:31002']],
    ['VIP_PORT2', 'udp://web:80', ['host agent 10.0.0.1:31010']],
    ['vip_PORT3', 'tcp://web:80', ['host agent Mesos has allocated no host port number 3 for it']],
    ['vip_PORT0', 'web:80', []],
    ['vip_PORT0', 'http://web:80', []],
    ['vip_PORTx', 'tcp://web:80', []],
  ])('%s = %s is a VIP on the n-th host port', (label, value, expected) => {
    expect(portsIn({ addresses: ['10.0.0.1'], hostPorts, labels: { [label]: value } })).toEqual(expected);
  });

  test('carries the VIP as the label of a port of its own', () => {
    const labels = { vip_PORT0: 'tcp:///web:80' };
    const json = taskJson({ id: 'a', framework: 'f', agent: 's', hostPorts, labels });
    expect(portsOf(factsOf(taskSchema.parse(json)), AGENT)).toMatchObject([
      { at: 'labels.vip_PORT0', protocols: ['tcp'], labels: { VIP_PORT0: '/web:80' } },
    ]);
  });
});
