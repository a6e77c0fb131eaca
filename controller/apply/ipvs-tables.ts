import { readFile } from 'node:fs/promises';
import type { IpvsTables } from '../model/counters.ts';

/** The fixed size for all network namespaces, before each got a table of its own that grows (Linux 7.1). */
const FIXED_SERVICE_BUCKETS = 256;

/**
 * Reads size and load of the IPVS tables of this process's network namespace; null when the kernel does not report them.
 * Never rejects. `root`: the directory of `/proc` and `/sys`.
 */
export async function readIpvsTables(root = ''): Promise<IpvsTables | null> {
  const read = async (path: string) => await readFile(`${root}/${path}`, 'utf8').catch(() => null);
  const setting = async (name: string) => wholeNumber(await read(`proc/sys/net/ipv4/vs/${name}`));
  const [status, bits, most, connectionFactor, serviceFactor] = await Promise.all([
    read('proc/net/ip_vs_status'),
    // A module parameter, below /sys.
    read('sys/module/ip_vs/parameters/conn_tab_bits').then(wholeNumber),
    setting('conn_max'),
    setting('conn_lfactor'),
    setting('svc_lfactor'),
  ]);
  const maxBuckets = bits === null ? null : 2 ** bits;
  if (status === null) return maxBuckets === null ? null : fixedTables(maxBuckets);
  const entry = (name: string) => numberOf(status, name);
  const count = entry('Conns');
  if (count === null) return null;
  return {
    grow: true,
    connections: {
      count,
      buckets: entry('Conn buckets') ?? 0,
      maxBuckets,
      loadFactor: connectionFactor,
      max: most,
    },
    services: {
      count: entry('Services'),
      buckets: entry('Service buckets') ?? 0,
      loadFactor: serviceFactor,
    },
    estimation: estimationOf(status),
  };
}

/** Zeros mean unknown: the kernel sets the limits when the first service is added. */
function estimationOf(status: string): IpvsTables['estimation'] {
  const perThread = numberOf(status, 'Stats thread ests');
  if (perThread === null || perThread === 0) return null;
  return {
    threads: numberOf(status, 'Stats thread slots'),
    maxThreads: wholeNumber(/^Stats thread slots:.*\(max (\d+)\)/m.exec(status)?.[1] ?? null),
    perThread,
    chainLength: numberOf(status, 'Stats chain max len'),
  };
}

function fixedTables(buckets: number): IpvsTables {
  return {
    grow: false,
    connections: { count: null, buckets, maxBuckets: buckets, loadFactor: null, max: null },
    services: { count: null, buckets: FIXED_SERVICE_BUCKETS, loadFactor: null },
    estimation: null,
  };
}

/** `Conn buckets:	256 (8 bits, lfactor -4)` is 256. */
function numberOf(status: string, name: string): number | null {
  return wholeNumber(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? null);
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^-?\d+$/.test(text.trim()) ? Number(text) : null;
}
