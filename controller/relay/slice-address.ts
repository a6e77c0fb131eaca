import { BlockList, isIPv6 } from 'node:net';

/**
 * Ranges that the API server does not allow in an EndpointSlice (pkg/apis/core/validation, `ValidateEndpointIP`): one such
 * address makes it refuse the whole slice.
 */
const RANGES: readonly (readonly [name: string, network: string, prefix: number, family: 'ipv4' | 'ipv6'])[] =
  [
    ['unspecified', '0.0.0.0', 32, 'ipv4'],
    ['unspecified', '::', 128, 'ipv6'],
    ['loopback', '127.0.0.0', 8, 'ipv4'],
    ['loopback', '::1', 128, 'ipv6'],
    ['link-local', '169.254.0.0', 16, 'ipv4'],
    ['link-local', 'fe80::', 10, 'ipv6'],
    ['link-local multicast', '224.0.0.0', 24, 'ipv4'],
    ['link-local multicast', 'ff02::', 16, 'ipv6'],
    // The server treats these as IPv4 addresses, which do not match an IPv6 slice.
    ['IPv4-mapped', '::ffff:0:0', 96, 'ipv6'],
  ];

const lists = RANGES.map(([name, network, prefix, family]) => {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return { name, family, list };
});

/** Returns the kind of an IP address that is invalid in an EndpointSlice (`loopback`); null if it is valid. */
export function invalidInSlice(address: string): string | null {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  return lists.find((range) => range.family === family && range.list.check(address, family))?.name ?? null;
}
