import { hostname } from 'node:os';
import { expect, test } from '@jest/globals';
import {
  addressOfHost,
  defaultInterface,
  readHostIdentity,
} from '../../../controller/apply/host-identity.ts';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT   \n';
const route = (name: string, destination: string, metric: number, mask: string) =>
  `${name}\t${destination}\t010200C0\t0003\t0\t0\t${metric}\t${mask}\t0\t0\t0   \n`;

test('a host is known by its name, and the same in each run', () => {
  expect(readHostIdentity()).toMatch(hostname());
  expect(readHostIdentity()).toBe(readHostIdentity());
});

test('its interface is that of the default route with the least metric', () => {
  const docker = route('docker0', '000011AC', 0, '0000FFFF');
  const wifi = route('wlan0', '00000000', 600, '00000000');
  const cable = route('eth0', '00000000', 100, '00000000');
  expect(defaultInterface(HEAD + docker + wifi + cable)).toBe('eth0');
  // 0.0.0.0/1 of a VPN is no default route.
  expect(defaultInterface(HEAD + route('tun0', '00000000', 0, '00000080') + cable)).toBe('eth0');
  expect(defaultInterface(HEAD + docker)).toBeNull();
  expect(defaultInterface('')).toBeNull();
});

test('its address is the IPv4 one that sorts first, else the IPv6 one, never a link-local one', () => {
  const of = (...addresses: readonly string[]) => ({
    docker0: [{ address: '172.17.0.1', family: 'IPv4', internal: false }],
    eth0: addresses.map((address) => ({
      address,
      family: address.includes(':') ? 'IPv6' : 'IPv4',
      internal: false,
    })),
  });
  expect(addressOfHost(of('fd00::1', '10.0.0.9', '10.0.0.7'), 'eth0')).toBe('10.0.0.7');
  expect(addressOfHost(of('fe80::1', 'fd00::1'), 'eth0')).toBe('fd00::1');
  expect(addressOfHost(of('fe80::1'), 'eth0')).toBeNull();
  expect(addressOfHost(of('10.0.0.7'), 'eth1')).toBeNull();
  expect(addressOfHost(of('10.0.0.7'), null)).toBeNull();
});
