/** A small cluster for tests of the data path: this host with its containers, another agent, and a remote host. */

import { writeFile } from 'node:fs/promises';
import { command, type RunningController, TestHost } from '../support/host.ts';
import { createNetwork, type Network, type Topology } from '../support/network.ts';
import { Peer } from '../support/peer.ts';
import { must } from '../support/shell.ts';

export type Family = 'ipv4' | 'ipv6';

/** Both addresses of one machine. */
export interface Addresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

export const HOST: Addresses = { ipv4: '10.9.0.1', ipv6: 'fd09::1' };
export const OTHER: Addresses = { ipv4: '10.9.0.2', ipv6: 'fd09::2' };
const REMOTE: Addresses = { ipv4: '10.9.0.3', ipv6: 'fd09::3' };
export const BRIDGE: Addresses = { ipv4: '172.17.0.1', ipv6: 'fd17::1' };
const CLIENT: Addresses = { ipv4: '172.17.0.2', ipv6: 'fd17::2' };
export const PUBLISHED: Addresses = { ipv4: '172.17.0.3', ipv6: 'fd17::3' };
const OVERLAY: Addresses = { ipv4: '10.88.0.1', ipv6: 'fd88::1' };
export const OWN: Addresses = { ipv4: '10.88.0.3', ipv6: 'fd88::3' };

/** Where IP VIPs lie that no pool holds. */
export const LITERAL = { ipv4: '10.98.0.', ipv6: 'fd98::' };
export const VIP_PORT = 80;
export const HOST_PORT = 31_000;
export const PUBLISHED_PORT = 31_080;
export const CONTAINER_PORT = 8_080;

const SUBNET: Record<Family, string> = { ipv4: '/24', ipv6: '/64' };
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const both = (addresses: Addresses) => FAMILIES.map((family) => addresses[family] + SUBNET[family]);
const through = (gateway: Addresses, networks: readonly string[] = ['default', '::/0']) =>
  networks.map((network) => `${network} via ${network.includes(':') ? gateway.ipv6 : gateway.ipv4}`);

const TOPOLOGY: Topology = {
  here: {
    bridges: { lan: both(HOST), docker0: both(BRIDGE), cni0: both(OVERLAY) },
    routes: ['default via 10.9.0.254', 'default via fd09::254'],
  },
  namespaces: {
    other: { on: 'lan', addresses: both(OTHER) },
    remote: {
      on: 'lan',
      addresses: both(REMOTE),
      // What the network's routers would tell it: the pools, and the IP VIPs.
      routes: through(HOST, ['11.0.0.0/8', 'fd01:c::/64', '10.98.0.0/24', 'fd98::/64']),
    },
    client: { on: 'docker0', addresses: both(CLIENT), routes: through(BRIDGE) },
    published: { on: 'docker0', addresses: both(PUBLISHED), routes: through(BRIDGE) },
    own: { on: 'cni0', addresses: both(OWN), routes: through(OVERLAY) },
  },
};

/**
 * What a container runtime sets up: the host port's way into the container for whoever comes to one of this host's
 * addresses, the containers' way out, and forwarding of nothing else. What the operator adds is in the chain `user`
 * (Docker: DOCKER-USER): without it the answers of other hosts' backends to remote clients would be dropped.
 */
function runtimeRules(family: Family): string {
  const ip = family === 'ipv4' ? 'ip' : 'ip6';
  const loopback = family === 'ipv4' ? '127.0.0.0/8' : '::1';
  const target = family === 'ipv4' ? PUBLISHED.ipv4 : `[${PUBLISHED.ipv6}]`;
  const subnet = (address: string) => address.replace(/1$/, `0${SUBNET[family]}`);
  const rules = (['tcp', 'udp'] as const).map((protocol) => ({
    publish: `iifname != docker0 ${protocol} dport ${PUBLISHED_PORT} dnat to ${target}:${CONTAINER_PORT}`,
    admit: `oifname docker0 ${ip} daddr ${PUBLISHED[family]} ${protocol} dport ${CONTAINER_PORT} accept`,
  }));
  return `
table ${ip} runtime {
  chain ports { ${rules.map(({ publish }) => publish).join('; ')}; }
  chain prerouting { type nat hook prerouting priority -100; fib daddr type local jump ports; }
  chain output { type nat hook output priority -100; ${ip} daddr != ${loopback} fib daddr type local jump ports; }
  chain postrouting {
    type nat hook postrouting priority 100;
    ${ip} saddr ${subnet(BRIDGE[family])} oifname != docker0 masquerade
    ${ip} saddr ${subnet(OVERLAY[family])} oifname != cni0 masquerade
  }
  chain user { ct state established,related accept; }
  chain forward {
    type filter hook forward priority 0; policy drop;
    jump user
    oifname { docker0, cni0 } ct state established,related accept
    iifname { docker0, cni0 } accept
    ${rules.map(({ admit }) => admit).join('\n    ')}
  }
}`;
}

export type PeerName = 'host' | 'client' | 'remote' | 'published' | 'own' | 'other';
const PEERS: Record<PeerName, string | undefined> = {
  host: undefined,
  client: 'client',
  remote: 'remote',
  published: 'published',
  own: 'own',
  other: 'other',
};

/** The cluster at work; its servers answer with the name of their peer. */
export interface Cluster {
  readonly peers: Readonly<Record<PeerName, Peer>>;
  readonly controller: RunningController;
  close(): Promise<void>;
}

/** Makes the network, starts servers and the controller with these apps, and waits until it is ready. */
export async function startCluster(apps: readonly unknown[], ...args: readonly string[]): Promise<Cluster> {
  const host = await TestHost.open();
  let network: Network | undefined;
  const started: Peer[] = [];
  let running: RunningController | undefined;
  const close = async () => {
    await Promise.all([running?.end(), ...started.map((peer) => peer.close())]);
    await host.close();
    await command('nft', 'flush', 'ruleset');
    await network?.remove();
  };
  try {
    network = await createNetwork(TOPOLOGY);
    await must(['nft', '-f', '-'], FAMILIES.map(runtimeRules).join(''));
    await must(['sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1']);
    const peers = Object.fromEntries(
      Object.entries(PEERS).map(([name, namespace]) => {
        const peer = new Peer(namespace);
        started.push(peer);
        return [name, peer];
      }),
    ) as Record<PeerName, Peer>;

    const path = host.path('apps.json');
    await writeFile(path, JSON.stringify({ apps }));
    const [controller] = await Promise.all([
      host.start('--source', `file=${path}`, ...args),
      ...FAMILIES.flatMap((family) => [
        peers.host.serve({ name: 'host', address: HOST[family], port: HOST_PORT }),
        peers.other.serve({ name: 'other', address: OTHER[family], port: HOST_PORT }),
        peers.published.serve({ name: 'published', address: PUBLISHED[family], port: CONTAINER_PORT }),
        peers.own.serve({ name: 'own', address: OWN[family], port: CONTAINER_PORT }),
      ]),
    ]);
    running = controller;
    await controller.ready();
    return { peers, controller, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whose address that is, for the table of the matrix. */
export function ownerOf(address: string): string {
  const owners: Record<string, Addresses> = {
    'the host': HOST,
    'the host (bridge)': BRIDGE,
    'the host (overlay)': OVERLAY,
    other: OTHER,
    remote: REMOTE,
    client: CLIENT,
    published: PUBLISHED,
    own: OWN,
  };
  const owner = Object.entries(owners).find(([, { ipv4, ipv6 }]) => address === ipv4 || address === ipv6);
  return owner?.[0] ?? address;
}
