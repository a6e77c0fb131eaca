import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { createHostAddresses } from '../../../controller/apply/host-addresses.ts';
import { createRealAddresses } from '../../../controller/apply/real-addresses.ts';

const host = (cidr: string) => ({ address: cidr.split('/')[0] ?? '', cidr });
const interfaces = () => ({
  lo: [host('127.0.0.1/8')],
  eth0: [host('10.9.0.1/24'), host('fd09::1/64')],
  tunnel: [{ address: '10.200.0.1', cidr: null }],
  wide: [host('11.7.0.1/16')],
  vip0: [host('198.51.100.4/24')],
});
const sources = new Map([
  ['10.20.0.1', 'http://marathon.test:8080'],
  ['fd20::1', 'http://[fd20::1]:8080'],
]);
const real = (more: { readonly allowConnectedVips?: boolean } = {}) =>
  createRealAddresses(
    {
      hostAddresses: createHostAddresses('vip0', () => 0, interfaces),
      sources: () => sources,
      nameServers: () => ['10.53.0.1', 'fe80::53%eth0', '10.9.0.53'],
      servers: ['198.51.100.4'],
      pools: ['11.0.0.0/8', 'fd01:c::/64'],
      ...more,
    },
    () => 0,
  );
const reasonFor = (more = {}) => real(more).refusal;

test.each([
  ['10.9.0.1', 'this host has it on eth0'],
  ['fd09:0::1', 'this host has it on eth0'],
  ['10.200.0.1', 'this host has it on tunnel'],
  ['10.20.0.1', 'it is the address of the source http://marathon.test:8080'],
  ['10.53.0.1', 'it is the address of a name server of this host'],
  ['fe80::53', 'it is the address of a name server of this host'],
  ['fd20::1', 'it is the address of the source http://[fd20::1]:8080'],
  ['198.51.100.4', 'names are answered there (--dns-listen)'],
])('%s may be no VIP: %s', (address, reason) => {
  expect(reasonFor()(address)).toBe(reason);
  expect(reasonFor({ allowConnectedVips: true })(address)).toBe(reason);
});

test.each([
  ['10.9.0.77', '10.9.0.0/24', 'eth0'],
  ['fd09::77', 'fd09::/64', 'eth0'],
])('%s lies in a network of this host, which has to be allowed', (address, network, name) => {
  expect(reasonFor()(address)).toBe(
    `it is in the network ${network}, which this host is connected to by ${name}, and another host there may have it: --allow-connected-vips permits it`,
  );
  expect(reasonFor({ allowConnectedVips: true })(address)).toBeNull();
});

test.each(['10.9.1.1', 'fd0a::1', '192.168.77.7', '198.51.100.5', '11.7.0.9'])(
  '%s may be a VIP: no network of this host has it, or only our interface or a pool',
  (address) => {
    expect(reasonFor()(address)).toBeNull();
  },
);

test('a source and a name server are what this program depends on, even in a network of this host, and no other address', () => {
  const { taken } = real({ allowConnectedVips: true });
  expect(['10.20.0.1', 'FD20:0::1', '10.9.0.53'].map(taken)).toEqual([
    'it is the address of the source http://marathon.test:8080',
    'it is the address of the source http://[fd20::1]:8080',
    'it is the address of a name server of this host',
  ]);
  expect(['10.9.0.1', '10.9.0.77', '198.51.100.4', '10.20.0.2'].map(taken)).toEqual([null, null, null, null]);
});

test('the name servers of this host are those of its configuration', () => {
  const options = { hostAddresses: () => [], sources: () => new Map<string, string>() };
  const { taken } = createRealAddresses(options, () => 0);
  const configured = readFileSync('/etc/resolv.conf', 'utf8').matchAll(/^nameserver (\S+)/gm);
  for (const [, address = ''] of configured) expect(taken(address)).toContain('a name server');
});
