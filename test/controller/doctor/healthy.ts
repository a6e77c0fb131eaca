/** Facts of a host that lacks nothing, and what is found where one of them differs. */

import { expect } from '@jest/globals';
import type { Finding } from '../../../controller/doctor/document.ts';
import { examine } from '../../../controller/doctor/examine.ts';
import type { ControllerFact, Facts } from '../../../controller/doctor/facts.ts';

export const controller: ControllerFact = {
  url: 'http://127.0.0.1:61421',
  version: '0.1.0',
  foreignServices: 0,
  connections: 12,
  vips: [
    {
      id: 'tcp/11.0.0.1:80',
      name: 'web',
      address: '11.0.0.1',
      scheduler: 'wlc',
      backends: [{ address: '10.0.0.5', port: 31_000 }],
    },
  ],
};

/** A host that lacks nothing, with a controller at work. */
export const healthy: Facts = {
  kernelRelease: '6.1.0-13-amd64',
  modules: [{ name: 'ip_vs', state: 'loaded', why: 'without it there are no VIPs', optional: false }],
  sysctls: [
    {
      name: 'net.ipv4.vs.conntrack',
      wanted: '1',
      why: 'without it no masquerade',
      onlyAdvised: false,
      value: '1',
      error: null,
      missing: false,
      writable: true,
    },
  ],
  capabilities: new Set([10, 12]),
  unprivilegedPortStart: 1_024,
  nftables: { chains: [] },
  ipvs: { services: ['11.0.0.1'], timeouts: { tcp: 7_260, tcpFin: 120, udp: 300 } },
  addresses: [
    { interfaceName: 'lo', address: '127.0.0.1' },
    { interfaceName: 'eth0', address: '10.0.0.5' },
    { interfaceName: 'vip0', address: '198.51.100.4' },
  ],
  routes: [
    { interfaceName: 'eth0', network: '0.0.0.0/0' },
    { interfaceName: 'eth0', network: '10.0.0.0/24' },
    { interfaceName: 'vip0', network: '11.0.0.0/8' },
  ],
  interfaces: ['lo', 'eth0', 'vip0'],
  processes: new Set(['systemd', 'node']),
  bridges: { filtered: false, containerPorts: [{ name: 'veth1', hairpin: false }] },
  managers: [
    { name: 'NetworkManager', running: false, leavesOursAlone: false },
    { name: 'systemd-networkd', running: true, leavesOursAlone: true },
  ],
  portRange: { low: 32_768, high: 60_999, reserved: '' },
  conntrack: { count: 100, max: 1_000 },
  keepaliveSeconds: 7_200,
  estimation: { switchedOn: '1', processors: null, nice: null },
  tables: null,
  names: {
    servers: ['198.51.100.4'],
    link: null,
    zone: { known: true, answer: 'ns.l4lb.thisdcos.directory' },
  },
  controller,
  namespaces: null,
  wanted: {
    interfaceName: 'vip0',
    pools: ['11.0.0.0/8', 'fd01:c::/64'],
    zone: 'l4lb.thisdcos.directory',
    netnsDir: null,
    listens: [{ what: 'DNS', address: '198.51.100.4', port: 53 }],
  },
};

/** What is not as wanted on a host that differs from the healthy one in this. */
export function findings(differs: Partial<Facts>): Finding[] {
  return examine({ ...healthy, ...differs }, 0).findings.filter(({ state }) => state !== 'ok');
}

export function only(differs: Partial<Facts>): Finding {
  const [first, ...others] = findings(differs);
  expect(others).toEqual([]);
  if (first === undefined) throw new Error('nothing was found');
  return first;
}
