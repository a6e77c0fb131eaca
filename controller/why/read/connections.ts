import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { CONNECTION_TABLE, entryOf, splitLine } from '../../connection-entry.ts';
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
  path = CONNECTION_TABLE,
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

function toEntry(
  line: string,
  { address, port }: Pick<Reachable, 'address' | 'port'>,
): (Entry & { clientPort: number }) | null {
  const found = splitLine(line);
  if (found === null) return null;
  const [key, state] = found;
  const { client, vip, backend } = entryOf(key);
  if (vip.port !== port || vip.address !== address) return null;
  return { clientPort: client.port, state, backend };
}
