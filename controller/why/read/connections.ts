import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import ipaddr from 'ipaddr.js';
import type { ConnectionsFact, Entry, Reachable } from '../facts.ts';
import { attemptFrom } from './client.ts';

const WAIT_MS = 2_000;
/** Of one VIP; a larger one is looked at in part. */
const MOST_BACKENDS = 64;
/** The table may hold millions of connections. */
const MOST_ENTRIES = 500_000;

/** Tries a connection to each backend in rotation, from this host, and `count` through the VIP, from the client. Never rejects. */
export async function readConnections(
  vip: Reachable,
  netns: string | null,
  count: number,
): Promise<ConnectionsFact> {
  const { address, port } = vip;
  const backends = vip.backends.filter(({ weight }) => weight > 0).slice(0, MOST_BACKENDS);
  const direct = await attemptFrom(null, { questions: [], connections: backends, waitMs: WAIT_MS });
  const connections = Array.from({ length: count }, () => ({ address, port }));
  const through = await attemptFrom(netns, { questions: [], connections, waitMs: WAIT_MS });
  if ('error' in direct) return direct;
  if ('error' in through) return through;
  const ports = new Set(through.connections.flatMap(({ localPort }) => localPort ?? []));
  return {
    backends: direct.connections,
    vip: through.connections,
    entries: await readEntries(vip, ports),
  };
}

/** IPVS's entries of these clients' connections, by the client's port; null where the table cannot be read. */
export async function readEntries(
  vip: Pick<Reachable, 'address' | 'port'>,
  ports: ReadonlySet<number>,
  path = '/proc/self/net/ip_vs_conn',
): Promise<ReadonlyMap<number, Entry> | null> {
  const entries = new Map<number, Entry>();
  try {
    let read = 0;
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const found = toEntry(line, vip);
      if (found !== null && ports.has(found.clientPort)) entries.set(found.clientPort, found);
      read += 1;
      if (entries.size === ports.size || read === MOST_ENTRIES) break;
    }
    return read === MOST_ENTRIES && entries.size < ports.size ? null : entries;
  } catch {
    return null;
  }
}

/** Pro FromIP FPrt ToIP TPrt DestIP DPrt State Expires: `TCP 0A080002 D3A2 0B860D37 15B3 0A090001 7918 ESTABLISHED 899`. */
function toEntry(
  line: string,
  vip: Pick<Reachable, 'address' | 'port'>,
): (Entry & { clientPort: number }) | null {
  const [, , clientPort = '', to = '', toPort = '', destination = '', destinationPort = '', state = ''] = line
    .trim()
    .split(/\s+/);
  if (Number.parseInt(toPort, 16) !== vip.port || addressOf(to) !== vip.address) return null;
  const backend = {
    address: addressOf(destination) ?? destination,
    port: Number.parseInt(destinationPort, 16),
  };
  return { clientPort: Number.parseInt(clientPort, 16), state, backend };
}

/** IPv4 as eight digits, IPv6 with all of its colons. */
function addressOf(text: string): string | null {
  if (/^[0-9A-F]{8}$/i.test(text)) {
    return (text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)).join('.');
  }
  return ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text).toRFC5952String() : null;
}
