import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import {
  CONNECTION_TABLE,
  type ConnectionKey,
  type ConnectionsRead,
  splitLine,
} from '../model/connection-entry.ts';
import type { ConnectionTable, WaitingConnections } from '../ports.ts';

/**
 * Read limits: about 4,000 IPv4 connections, or 16,000 if `waiting` cannot list the unanswered ones. For each page that it
 * returns the kernel counts from the start of the table, so twice as many connections cost four times as much.
 */
const MAX_BYTES = { withWaiting: 1 << 18, alone: 1 << 20 } as const;
/** Bytes to read before yielding to the event loop, so that a pass, a DNS query or a probe can run in between. */
const SLICE_BYTES = 1 << 16;

/**
 * Reads the connection table in `/proc`. Of a large table it reads the beginning, and asks `waiting` for all unanswered
 * connections. The kernel orders connections by a hash of the client's address and port, so the beginning is a sample of all
 * VIPs and backends. `cpuMs` returns the CPU time that this thread has used, in milliseconds.
 */
export function createConnectionTable(
  cpuMs: () => number,
  waiting: WaitingConnections,
  path = CONNECTION_TABLE,
  limits: typeof MAX_BYTES = MAX_BYTES,
): ConnectionTable {
  let buffer = Buffer.alloc(SLICE_BYTES);
  let maxBytes: number = limits.withWaiting;

  /** Fills the buffer from `start`, with about one slice at most. Returns the end of the data, and whether the file ended there. */
  function fill(file: number, start: number): readonly [end: number, isAll: boolean] {
    let end = start;
    while (end < Math.min(buffer.length, start + SLICE_BYTES)) {
      const count = readSync(file, buffer, end, buffer.length - end, null);
      if (count === 0) return [end, true];
      end += count;
    }
    return [end, false];
  }

  async function readList(): Promise<ConnectionsRead> {
    let cpuFrom = cpuMs();
    const file = openSync(path, 'r');
    try {
      for (let [size, isAll] = [0, false]; ; ) {
        if (size === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * size, maxBytes));
        [size, isAll] = fill(file, size);
        if (isAll || size >= maxBytes) {
          // A partial read may end within a line, which is dropped.
          const end = isAll ? size : buffer.lastIndexOf('\n', size - 1) + 1;
          const tcp = parse(buffer.toString('latin1', 0, end));
          return { tcp, extent: isAll ? 'all' : 'beginning', bytes: size, cpuFrom };
        }
        const others = cpuMs();
        await setImmediate();
        cpuFrom += cpuMs() - others;
      }
    } finally {
      closeSync(file);
    }
  }

  return {
    async read() {
      const listed = await readList();
      if (listed.extent === 'all') return listed;
      const keys = await waiting.read(listed.tcp.size);
      maxBytes = keys === null ? limits.alone : limits.withWaiting;
      if (keys === null) return listed;
      const found = keys.map((key): [ConnectionKey, string] => [key, 'SYN_RECV']);
      return { ...listed, tcp: new Map([...found, ...listed.tcp]), extent: 'waiting' };
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
