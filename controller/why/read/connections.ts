import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { CONNECTION_TABLE, entryOf, splitLine } from '../../model/connection-entry.ts';
import type { AddressedVip, ConnectionsFact, IpvsEntry } from '../facts.ts';
import { attemptFrom } from './client.ts';

const WAIT_MS = 2_000;
/** A VIP with more backends is checked in part. */
const MAX_BACKENDS = 64;
/** The table may hold millions of connections. */
const MAX_ENTRIES = 500_000;

/** Connects to each backend in rotation from this host, and `count` times through the VIP from the client. Never rejects. */
export async function readConnections(
  vip: AddressedVip,
  netns: string | null,
  count: number,
): Promise<ConnectionsFact> {
  const { address, port } = vip;
  const backends = vip.backends.filter(({ weight }) => weight > 0).slice(0, MAX_BACKENDS);
  const direct = await attemptFrom(null, { queries: [], connections: backends, waitMs: WAIT_MS });
  const connections = Array.from({ length: count }, () => ({ address, port }));
  const through = await attemptFrom(netns, { queries: [], connections, waitMs: WAIT_MS });
  if ('error' in direct) return direct;
  if ('error' in through) return through;
  const ports = new Set(through.connections.flatMap(({ localPort }) => localPort ?? []));
  return {
    backends: direct.connections,
    vip: through.connections,
    entries: await readEntries(vip, ports),
  };
}

/** Reads IPVS's entries for connections from these client ports; null if the table cannot be read, or not to its end. */
export async function readEntries(
  vip: Pick<AddressedVip, 'address' | 'port'>,
  ports: ReadonlySet<number>,
  path = CONNECTION_TABLE,
): Promise<ReadonlyMap<number, IpvsEntry> | null> {
  const entries = new Map<number, IpvsEntry>();
  try {
    let read = 0;
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const found = toEntry(line, vip);
      if (found !== null && ports.has(found.clientPort)) entries.set(found.clientPort, found);
      read += 1;
      if (entries.size === ports.size || read === MAX_ENTRIES) break;
    }
    return read === MAX_ENTRIES && entries.size < ports.size ? null : entries;
  } catch {
    return null;
  }
}

function toEntry(
  line: string,
  { address, port }: Pick<AddressedVip, 'address' | 'port'>,
): (IpvsEntry & { clientPort: number }) | null {
  const found = splitLine(line);
  if (found === null) return null;
  const [key, state] = found;
  const { client, vip, backend } = entryOf(key);
  if (vip.port !== port || vip.address !== address) return null;
  return { clientPort: client.port, state, backend };
}
