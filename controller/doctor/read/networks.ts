import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { AddressFact, RouteFact } from '../facts.ts';
import { namesIn, textOf } from './text.ts';

/** The host's own addresses, loopback included. */
export function readAddresses(): AddressFact[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, addresses]) =>
    (addresses ?? []).map(({ address }) => ({ interfaceName, address })),
  );
}

/** The names of all interfaces, whether or not they are up. */
export async function readInterfaces(root = ''): Promise<readonly string[]> {
  return await namesIn(`${root}/sys/class/net`);
}

/** The routes of the main table, of both address families. */
export async function readRoutes(root = ''): Promise<RouteFact[]> {
  const [ipv4, ipv6] = await Promise.all([
    textOf(`${root}/proc/self/net/route`),
    textOf(`${root}/proc/self/net/ipv6_route`),
  ]);
  return [...(ipv4 ?? '').split('\n').slice(1).flatMap(toIpv4), ...(ipv6 ?? '').split('\n').flatMap(toIpv6)];
}

/** Interface, destination and gateway as hexadecimal in host order, …, mask in the eighth column. */
function toIpv4(line: string): RouteFact[] {
  const [interfaceName = '', destination, , , , , , mask] = line.split('\t');
  if (destination === undefined || mask === undefined) return [];
  const prefix = bytesOf(mask).reduce((bits, byte) => bits + ones(byte), 0);
  return [{ interfaceName, network: `${bytesOf(destination).reverse().join('.')}/${prefix}` }];
}

/** RTF_REJECT and RTF_LOCAL of <linux/route.h> and <linux/ipv6_route.h>: unreachable routes and the host's own addresses. */
const NOT_FORWARDED = 0x0200 | 0x8000_0000;

/** Destination and prefix length, source and its length, gateway, metric, references, uses, flags, interface. */
function toIpv6(line: string): RouteFact[] {
  const columns = line.trim().split(/\s+/);
  const [destination, prefix] = columns;
  const interfaceName = columns[9];
  if (destination?.length !== 32 || prefix === undefined || interfaceName === undefined) return [];
  if ((Number.parseInt(columns[8] ?? '0', 16) & NOT_FORWARDED) !== 0) return [];
  const address = ipaddr.fromByteArray(bytesOf(destination));
  // Every interface has multicast and link-local networks.
  if (address.range() === 'multicast' || address.range() === 'linkLocal') return [];
  return [{ interfaceName, network: `${address}/${Number.parseInt(prefix, 16)}` }];
}

function bytesOf(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}

function ones(byte: number): number {
  return byte.toString(2).replaceAll('0', '').length;
}
