/** Small networks of network namespaces, described as data: a namespace is an agent, a container or a remote host. */

import { command, must } from './shell.ts';

export interface Topology {
  /** What the namespace that this runs in gets: the host of the controller. */
  readonly here: Node;
  /** What is made, by name; one that others are linked to stands before them. */
  readonly namespaces?: Readonly<Record<string, Namespace>>;
}

/** Addresses are with their prefix, `10.9.0.1/24` or `fd09::1/64`. */
export interface Node {
  /** Name -> the node's own addresses on it. */
  readonly bridges?: Readonly<Record<string, readonly string[]>>;
  /** Interfaces that lead to nobody: name -> addresses. */
  readonly dummies?: Readonly<Record<string, readonly string[]>>;
  /** As `ip route add` takes them: `default via 10.9.0.1`, in the order in which they can be added. */
  readonly routes?: readonly string[];
  /** Whether it forwards packets of others. `here` is left as it is. */
  readonly forwards?: boolean;
}

export interface Namespace extends Node {
  /** On which node its `eth0` ends. Defaults to `here`. */
  readonly in?: string;
  /** The bridge there; or the addresses of the other end, which is then named `to-` and the name of the namespace. */
  readonly on: string | readonly string[];
  /** Of its `eth0`. */
  readonly addresses: readonly string[];
}

export interface Network {
  /** Takes all of it away; rejects when something of it could not be removed. Processes in it must have ended. */
  remove(): Promise<void>;
}

/**
 * Makes the network; rejects, with nothing left, when that is not possible.
 *
 * Two processes for each namespace at most, since starting one is slow in the lab.
 */
export async function createNetwork(topology: Topology): Promise<Network> {
  const { here, namespaces = {} } = topology;
  const all = Object.entries(namespaces);
  try {
    await batch([
      ...all.map(([name]) => `netns add ${name}`),
      ...interfaces(here),
      ...linksTo(undefined, all),
      ...routes(here),
    ]);
    for (const [name, namespace] of all) {
      const own = [...addresses('eth0', namespace.addresses), 'link set eth0 up'];
      const lines = [...interfaces(namespace), ...own, ...linksTo(name, all), ...routes(namespace)];
      await batch(lines, ['-n', name]);
      if (namespace.forwards) await must(['ip', 'netns', 'exec', name, 'sh', '-c', FORWARD]);
    }
  } catch (error) {
    await command(REMOVE, removal(topology));
    throw error;
  }
  return { remove: async () => void (await must(REMOVE, removal(topology))) };
}

const FORWARD = 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding';
const REMOVE = ['ip', '-force', '-batch', '-'];

async function batch(lines: readonly string[], options: readonly string[] = []): Promise<void> {
  await must(['ip', ...options, '-batch', '-'], `${lines.join('\n')}\n`);
}

function interfaces({ bridges = {}, dummies = {} }: Node): readonly string[] {
  return ['link set lo up', ...made('bridge', bridges), ...made('dummy', dummies)];
}

function made(type: string, named: Readonly<Record<string, readonly string[]>>): readonly string[] {
  return Object.entries(named).flatMap(([name, own]) => [
    `link add ${name} type ${type}`,
    ...addresses(name, own),
    `link set ${name} up`,
  ]);
}

/** The ends, on that node, of the links to its neighbours. */
function linksTo(
  node: string | undefined,
  all: readonly (readonly [string, Namespace])[],
): readonly string[] {
  return all
    .filter(([, namespace]) => namespace.in === node)
    .flatMap(([name, { on }]) => [
      `link add to-${name} type veth peer name eth0 netns ${name}`,
      ...(typeof on === 'string' ? [`link set to-${name} master ${on}`] : addresses(`to-${name}`, on)),
      `link set to-${name} up`,
    ]);
}

/** IPv6 addresses are used at once, without asking around whether someone else has them. */
function addresses(link: string, own: readonly string[]): readonly string[] {
  return own.map((address) => `addr add ${address} dev ${link}${address.includes(':') ? ' nodad' : ''}`);
}

function routes(node: Node): readonly string[] {
  return (node.routes ?? []).map((route) => `route add ${route}`);
}

function removal({ here, namespaces = {} }: Topology): string {
  const own = Object.keys({ ...here.bridges, ...here.dummies });
  const links = Object.entries(namespaces).flatMap(([name, { in: node }]) =>
    node === undefined ? [`to-${name}`] : [],
  );
  const lines = [
    ...[...links, ...own].map((name) => `link del ${name}`),
    ...Object.keys(namespaces).map((name) => `netns del ${name}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** The host of the controller with one agent's address, and a container, `client`, that routes everything to it. */
export const HOST_AND_CONTAINER: Topology = {
  here: { dummies: { agent: ['10.9.0.1/24'] } },
  namespaces: {
    client: { on: ['10.8.0.1/24'], addresses: ['10.8.0.2/24'], routes: ['default via 10.8.0.1'] },
  },
};
