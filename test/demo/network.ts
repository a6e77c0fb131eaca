/**
 * A small cluster in network namespaces:
 *
 *     host, agent 1   10.9.0.1 ─┬─ bridge agents ─┬─ agent2  10.9.0.2
 *            (master  10.9.0.8) │                 └─ agent3  10.9.0.3
 *                172.17.0.1 ────┴─ bridge containers ── container  172.17.0.2
 */

import type { Topology } from '../support/network.ts';

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

const agent = (address: string) => ({
  on: 'agents',
  addresses: [`${address}/24`],
  routes: [`default via ${HOST}`],
});

export const CLUSTER: Topology = {
  here: {
    bridges: { agents: [`${HOST}/24`, `${MASTER}/24`], containers: ['172.17.0.1/16'] },
    // Leads to nobody; it is there because a host has one, and its source address is the host's.
    routes: ['default via 10.9.0.254 dev agents'],
  },
  namespaces: {
    agent2: agent('10.9.0.2'),
    agent3: agent('10.9.0.3'),
    [CONTAINER]: { on: 'containers', addresses: ['172.17.0.2/16'], routes: ['default via 172.17.0.1'] },
  },
};
