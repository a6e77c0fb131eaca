import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { CONNECTION_TABLE, splitLine } from '../connection-entry.ts';
import type { ConnectionsRead, ConnectionTable } from '../ports.ts';

/** 16,000 connections. For each page of it the kernel counts from the table's start: twice as many would cost four times as much. */
const MOST_BYTES = 1 << 20;
/** So much at a stretch: a pass, a query for a name or a probe may come in between. */
const STRETCH_BYTES = 1 << 16;

/** The table in `/proc`; `cpuMs`: the processor time that this thread has used. */
export function createConnectionTable(
  cpuMs: () => number,
  path = CONNECTION_TABLE,
  mostBytes = MOST_BYTES,
): ConnectionTable {
  let buffer = Buffer.alloc(STRETCH_BYTES);

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

  return {
    async read(): Promise<ConnectionsRead> {
      const file = openSync(path, 'r');
      let cost = 0;
      try {
        for (let [size, isAll] = [0, false]; ; ) {
          const from = cpuMs();
          if (size === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * size, mostBytes));
          [size, isAll] = fill(file, size);
          if (isAll) {
            const tcp = parse(buffer.toString('latin1', 0, size));
            return { tcp, bytes: size, cost: cost + cpuMs() - from };
          }
          cost += cpuMs() - from;
          if (size >= mostBytes) return { tcp: null, bytes: size, cost };
          await setImmediate();
        }
      } finally {
        closeSync(file);
      }
    },
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
