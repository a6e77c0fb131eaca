/** What the kernel says of one connection in `/proc/net/ip_vs_conn`, in the words of the model. */

import ipaddr from 'ipaddr.js';
import type { Endpoint } from './model.ts';

/** Where the kernel tells the connections that IPVS forwards, of the network namespace that this process is in. */
export const CONNECTION_TABLE = '/proc/self/net/ip_vs_conn';

/** The part of a line that stays for as long as the connection: `TCP 0A080002 D3A2 0B860D37 15B3 0A090001 7918`. */
export type ConnectionKey = string;

/** The keys of TCP connections, each with its state: `SYN_RECV`, `ESTABLISHED`, `TIME_WAIT`. */
export type TcpConnections = ReadonlyMap<ConnectionKey, string>;

export interface ConnectionEntry {
  readonly protocol: string;
  readonly client: Endpoint;
  readonly vip: Endpoint;
  readonly backend: Endpoint;
}

/** Fields of a key: Pro FromIP FPrt ToIP TPrt DestIP DPrt. State and Expires follow in a line. */
const KEY_FIELDS = 7;

/** The key of a line, and its state; null for a line that is none. */
export function splitLine(line: string): readonly [key: ConnectionKey, state: string] | null {
  let end = -1;
  for (let field = 0; field < KEY_FIELDS; field += 1) {
    end = line.indexOf(' ', end + 1);
    if (end < 0) return null;
  }
  const stateEnd = line.indexOf(' ', end + 1);
  return [line.slice(0, end), line.slice(end + 1, stateEnd < 0 ? undefined : stateEnd)];
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

/** IPv4 as eight digits, IPv6 with all of its colons; what is neither stays as it is. */
function endpointOf(address = '', port = ''): Endpoint {
  return { address: addressOf(address), port: Number.parseInt(port, 16) };
}

function addressOf(text: string): string {
  if (/^[0-9A-F]{8}$/i.test(text)) {
    return (text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)).join('.');
  }
  return ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text).toRFC5952String() : text;
}
