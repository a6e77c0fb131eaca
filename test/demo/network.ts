/**
 * A small cluster in network namespaces:
 *
 *     host, agent 1   10.9.0.1 ─┬─ bridge agents ─┬─ agent2  10.9.0.2
 *            (master  10.9.0.8) │                 └─ agent3  10.9.0.3
 *                172.17.0.1 ────┴─ bridge containers ── container  172.17.0.2
 */

import { must } from './shell.ts';

export const HOST = '10.9.0.1';
/**
 * From where Marathon checks health: in a cluster it runs on another host than clients do. It matters: a check and a
 * client's connection through the VIP that had both the address and the port of their source in common would be one
 * connection for the backend.
 */
export const MASTER = '10.9.0.8';
export const AGENTS = [
  { hostname: HOST },
  { hostname: '10.9.0.2', netns: 'agent2' },
  { hostname: '10.9.0.3', netns: 'agent3' },
];
export const CONTAINER = 'container';

export async function createNetwork(): Promise<void> {
  await must(['ip', 'link', 'set', 'lo', 'up']);
  for (const name of ['agent2', 'agent3', CONTAINER]) await must(['ip', 'netns', 'add', name]);
  // The default route leads to nobody; it is there because a host has one, and its source address is the host's.
  await batch([
    ...bridge('agents', `${HOST}/24`),
    `addr add ${MASTER}/24 dev agents`,
    ...bridge('containers', '172.17.0.1/16'),
    ...member('agent2', 'agents'),
    ...member('agent3', 'agents'),
    ...member(CONTAINER, 'containers'),
    'route add default via 10.9.0.254 dev agents',
  ]);
  await inside('agent2', '10.9.0.2/24', HOST);
  await inside('agent3', '10.9.0.3/24', HOST);
  await inside(CONTAINER, '172.17.0.2/16', '172.17.0.1');
}

function bridge(name: string, address: string): string[] {
  return [`link add ${name} type bridge`, `addr add ${address} dev ${name}`, `link set ${name} up`];
}

function member(netns: string, of: string): string[] {
  return [
    `link add to-${netns} type veth peer name eth0 netns ${netns}`,
    `link set to-${netns} master ${of}`,
    `link set to-${netns} up`,
  ];
}

async function inside(netns: string, address: string, gateway: string): Promise<void> {
  const lines = [
    'link set lo up',
    `addr add ${address} dev eth0`,
    'link set eth0 up',
    `route add default via ${gateway}`,
  ];
  await batch(lines, ['-n', netns]);
}

/** One process for many changes: starting one is slow in the lab. */
async function batch(lines: readonly string[], options: readonly string[] = []): Promise<void> {
  await must(['ip', ...options, '-batch', '-'], `${lines.join('\n')}\n`);
}
