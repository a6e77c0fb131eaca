import { expect, test } from '@jest/globals';
import { createHostAddresses } from '../../../controller/apply/host-addresses.ts';
import { createUnfitAddresses } from '../../../controller/apply/unfit-addresses.ts';

const host = (cidr: string) => ({ address: cidr.split('/')[0] ?? '', cidr });

test('the broadcast addresses of this host, and where this program answers on our own interface, are no backends', () => {
  const interfaces = () => ({
    eth0: [host('10.9.0.1/24'), host('fd09::1/64')],
    wide: [host('172.16.5.1/12')],
    point: [host('10.7.0.1/32'), host('10.7.0.2/31')],
    tunnel: [{ address: '10.200.0.1', cidr: null }],
    vip0: [host('198.51.100.4/24')],
  });
  const addresses = createHostAddresses('vip0', () => 0, interfaces);
  const unfit = createUnfitAddresses(addresses, ['198.51.100.4', '10.9.0.1', 'FD01:D:0::53']);
  expect([...unfit()]).toEqual([
    ['198.51.100.4', 'the address where this program answers DNS (--dns-listen)'],
    ['fd01:d::53', 'the address where this program answers DNS (--dns-listen)'],
    ['10.9.0.255', 'the broadcast address of 10.9.0.1/24, which this host has on eth0'],
    ['172.31.255.255', 'the broadcast address of 172.16.5.1/12, which this host has on wide'],
  ]);
});

test('they are the same object while they are the same, and others when the host gets a network', () => {
  let [now, cidr] = [0, '10.9.0.1/24'];
  const interfaces = () => ({ eth0: [host(cidr)] });
  const unfit = createUnfitAddresses(
    createHostAddresses('vip0', () => now, interfaces),
    [],
  );
  const first = unfit();
  now = 2_000;
  expect(unfit()).toBe(first);
  cidr = '10.8.0.1/24';
  expect(unfit()).toBe(first);
  now = 4_000;
  expect([...unfit().keys()]).toEqual(['10.8.0.255']);
});
