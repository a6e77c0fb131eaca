/** The kernel's table of IPVS connections, `/proc/net/ip_vs_conn`: its lines, and what was read of it. */

import ipaddr from 'ipaddr.js';
import type { Endpoint } from './endpoint.ts';

/** The table of connections of this process's network namespace. */
export const CONNECTION_TABLE = '/proc/self/net/ip_vs_conn';

/** The constant part of a connection's line: `TCP 0A080002 D3A2 0B860D37 15B3 0A090001 7918`. */
export type ConnectionKey = string;

/** TCP connections and their states: `SYN_RECV`, `ESTABLISHED`, `TIME_WAIT`. */
export type TcpConnections = ReadonlyMap<ConnectionKey, string>;

/**
 * Which connections were read. `all`; `beginning`: only the first ones of a table that is too large to be polled; `waiting`:
 * these, and all connections that wait for an answer.
 */
export type ConnectionsExtent = 'all' | 'waiting' | 'beginning';

/** The connections of one read of the kernel's table. */
export interface ConnectionsRead {
  /** In the order of the kernel's table. */
  readonly tcp: TcpConnections;
  readonly extent: ConnectionsExtent;
  /** How many bytes were read. */
  readonly bytes: number;
  /** How much CPU time this thread had used before, in milliseconds, with what other work used during the read. */
  readonly cpuFrom: number;
}

export interface ConnectionEntry {
  readonly protocol: string;
  readonly client: Endpoint;
  readonly vip: Endpoint;
  readonly backend: Endpoint;
}

/** Fields of a key: Pro FromIP FPrt ToIP TPrt DestIP DPrt. State and Expires follow in a line. */
const KEY_FIELDS = 7;

/** Splits a line into its key and state; null when it is not a connection. */
export function splitLine(line: string): readonly [key: ConnectionKey, state: string] | null {
  let end = -1;
  for (let field = 0; field < KEY_FIELDS; field += 1) {
    end = line.indexOf(' ', end + 1);
    if (end < 0) return null;
  }
  const stateEnd = line.indexOf(' ', end + 1);
  return [line.slice(0, end), line.slice(end + 1, stateEnd < 0 ? undefined : stateEnd)];
}

/** An address as the kernel has it, in four or sixteen bytes. */
export interface RawEndpoint {
  readonly address: Uint8Array;
  readonly port: number;
}

/** The key of a TCP connection, as the kernel writes it. */
export function tcpKey(client: RawEndpoint, vip: RawEndpoint, backend: RawEndpoint): ConnectionKey {
  return `TCP ${[client, vip, backend].map(({ address, port }) => `${digitsOf(address)} ${hex(port, 4)}`).join(' ')}`;
}

function digitsOf(address: Uint8Array): string {
  const digits = Buffer.from(address).toString('hex');
  return address.length === 4 ? digits.toUpperCase() : (digits.match(/.{4}/g) ?? []).join(':');
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, '0');
}

export function entryOf(key: ConnectionKey): ConnectionEntry {
  const [protocol = '', from, fromPort, to, toPort, destination, destinationPort] = key.split(' ');
  return {
    protocol: protocol.toLowerCase(),
    client: endpointOf(from, fromPort),
    vip: endpointOf(to, toPort),
    backend: endpointOf(destination, destinationPort),
  };
}

/** The kernel writes IPv4 as eight hexadecimal digits and IPv6 in full; other text stays as it is. */
function endpointOf(address = '', port = ''): Endpoint {
  return { address: addressOf(address), port: Number.parseInt(port, 16) };
}

function addressOf(text: string): string {
  if (/^[0-9A-F]{8}$/i.test(text)) {
    return (text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)).join('.');
  }
  return ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text).toRFC5952String() : text;
}
