import { BlockList, isIPv6 } from 'node:net';

/**
 * Ranges that the API server takes in no EndpointSlice (pkg/apis/core/validation, `ValidateEndpointIP`): one address of
 * them has the whole slice refused.
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
    // What is written so is an IPv4 address to the server, and none of the family that its slice has.
    ['IPv4-mapped', '::ffff:0:0', 96, 'ipv6'],
  ];

const lists = RANGES.map(([name, network, prefix, family]) => {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return { name, family, list };
});

/** Why no EndpointSlice takes an IP address: what kind of address it is; null where one does. */
export function whyNoSliceTakes(address: string): string | null {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  return lists.find((range) => range.family === family && range.list.check(address, family))?.name ?? null;
}
