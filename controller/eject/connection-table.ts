import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { CONNECTION_TABLE, type ConnectionKey, splitLine } from '../connection-entry.ts';
import type { ConnectionsRead, ConnectionTable, WaitingConnections } from '../ports.ts';

/**
 * 4,000 connections, and 16,000 where nothing else tells of those that wait for an answer. For each page of the table the kernel
 * counts from its start: twice as many cost four times as much.
 */
const MOST_BYTES = { besideWaiting: 1 << 18, alone: 1 << 20 } as const;
/** So much at a stretch: a pass, a query for a name or a probe may come in between. */
const STRETCH_BYTES = 1 << 16;

/**
 * The table in `/proc`. Of a large one its beginning, and the connections that wait for an answer. The kernel lists connections by
 * a hash of the client's address and port, so that those at the beginning are of any VIP and backend. `cpuMs`: the processor time
 * that this thread has used.
 */
export function createConnectionTable(
  cpuMs: () => number,
  waiting: WaitingConnections,
  path = CONNECTION_TABLE,
  limits: typeof MOST_BYTES = MOST_BYTES,
): ConnectionTable {
  let buffer = Buffer.alloc(STRETCH_BYTES);
  let mostBytes: number = limits.besideWaiting;

  /** Fills the buffer from there on, by a stretch at most; gives the end of what was read, and whether that is all. */
  function fill(file: number, start: number): readonly [end: number, isAll: boolean] {
    let end = start;
    while (end < Math.min(buffer.length, start + STRETCH_BYTES)) {
      const count = readSync(file, buffer, end, buffer.length - end, null);
      if (count === 0) return [end, true];
      end += count;
    }
    return [end, false];
  }

  async function readList(): Promise<ConnectionsRead> {
    const file = openSync(path, 'r');
    let cost = 0;
    try {
      for (let [size, isAll] = [0, false]; ; ) {
        const from = cpuMs();
        if (size === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * size, mostBytes));
        [size, isAll] = fill(file, size);
        if (isAll || size >= mostBytes) {
          // A part ends within a line.
          const end = isAll ? size : buffer.lastIndexOf('\n', size - 1) + 1;
          const tcp = parse(buffer.toString('latin1', 0, end));
          return { tcp, extent: isAll ? 'all' : 'beginning', bytes: size, cost: cost + cpuMs() - from };
        }
        cost += cpuMs() - from;
        await setImmediate();
      }
    } finally {
      closeSync(file);
    }
  }

  return {
    async read() {
      const listed = await readList();
      if (listed.extent === 'all') return listed;
      const from = cpuMs();
      const keys = await waiting.read(listed.tcp.size);
      const cost = listed.cost + cpuMs() - from;
      mostBytes = keys === null ? limits.alone : limits.besideWaiting;
      if (keys === null) return { ...listed, cost };
      const found = keys.map((key): [ConnectionKey, string] => [key, 'SYN_RECV']);
      return { tcp: new Map([...found, ...listed.tcp]), extent: 'waiting', bytes: listed.bytes, cost };
    },
    close: () => waiting.close(),
  };
}

function parse(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (text.startsWith('TCP ', start)) {
      const line = splitLine(text.slice(start, end));
      if (line !== null) found.set(...line);
    }
    start = end + 1;
  }
  return found;
}
