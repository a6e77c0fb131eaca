/** The status document of a small host, which tests may change. */

import type { IpvsTables, KernelReading, Traffic } from '../../../controller/model/counters.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import { createStatusBoard } from '../../../controller/status/board.ts';
import { DEFAULT_LIMITS } from '../../../controller/status/checks.ts';
import type { StatusDocument } from '../../../controller/status/document.ts';
import { presentStatus, type Reading } from '../../../controller/status/present.ts';
import { passOf } from './passes.ts';

export const NOW = 1_060_000;

export const traffic: Traffic = {
  connections: 20,
  inPackets: 120,
  outPackets: 80,
  inBytes: 8_040,
  outBytes: 26_820,
  connectionRate: 3,
  inPacketRate: 9,
  outPacketRate: 6,
  inByteRate: 1_400,
  outByteRate: 4_690,
};

/** Of Linux 7.2. */
const TABLES: IpvsTables = {
  grow: true,
  connections: { count: 7, buckets: 256, maxBuckets: 4_096, loadFactor: -4, max: 1_073_741_824 },
  services: { count: 2, buckets: 16, loadFactor: -3 },
  estimation: { threads: 1, maxThreads: 8, perThread: 122_400, chainLength: 51 },
};

export function readingOf(services: KernelReading['services'] = new Map(), at = NOW - 500): Reading {
  const timeouts = { tcp: 900, tcpFin: 120, udp: 300 };
  const kernel = {
    services,
    ipvsVersion: '1.2.1',
    connectionTableSize: 4_096,
    conntrack: { count: 7, max: 8_192 },
    timeouts,
    tables: TABLES,
  };
  return { at, kernel };
}

/** The status a minute after this pass, with the source read. */
export function documentOf(pass: PassStatus = passOf({}), reading: Reading = readingOf()): StatusDocument {
  const source = 'file=apps.json';
  const board = createStatusBoard({
    sources: [source],
    dryRun: false,
    clock: { epoch: () => 1_000_000, monotonic: () => 1_000_000 },
  });
  board.sourceRead(source, { apps: 2, complete: true, fromDiskOf: null });
  board.passed(pass);
  return presentStatus({
    status: board.current(),
    reading,
    limits: DEFAULT_LIMITS,
    version: '0.1.0',
    now: NOW,
  });
}
