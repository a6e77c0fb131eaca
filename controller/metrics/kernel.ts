import { Gauge, type Registry } from 'prom-client';
import type { IpvsTables } from '../model/counters.ts';

/** Size and load of the kernel's IPVS tables, read on each scrape; NaN if the kernel does not report a value. */
export function registerKernelMetrics(registry: Registry, tables: () => Promise<IpvsTables | null>): void {
  let reading: Promise<IpvsTables | null> | null = null;
  // All gauges are collected at the same time, so they share one read.
  const readOnce = () => {
    reading ??= tables().finally(() => {
      reading = null;
    });
    return reading;
  };
  const ofTables = (name: string, help: string, read: (tables: IpvsTables) => number | null) => {
    const gauge: Gauge = new Gauge({
      name: `marathon_ipvs_kernel_${name}`,
      help,
      registers: [registry],
      async collect() {
        const found = await readOnce();
        gauge.set((found === null ? null : read(found)) ?? Number.NaN);
      },
    });
  };
  ofTables(
    'connections',
    'Connections in the IPVS table, including those of other programs; NaN before Linux 7.1.',
    ({ connections }) => connections.count,
  );
  ofTables(
    'max_connections',
    'Limit on connections (net.ipv4.vs.conn_max); NaN before Linux 7.2, where only memory limits them.',
    ({ connections }) => connections.max,
  );
  ofTables(
    'connection_table_buckets',
    'Buckets of the connection table.',
    ({ connections }) => connections.buckets,
  );
  ofTables(
    'connection_table_max_buckets',
    'Largest size of the connection table (the module parameter conn_tab_bits); before Linux 7.1 the table always has this size.',
    ({ connections }) => connections.maxBuckets,
  );
  ofTables(
    'service_table_buckets',
    'Buckets of the service table; before Linux 7.1 256 for all network namespaces together.',
    ({ services }) => services.buckets,
  );
  ofTables(
    'estimation_threads',
    'Kernel threads that estimate rates; NaN before Linux 7.1.',
    ({ estimation }) => estimation?.threads ?? null,
  );
  ofTables(
    'estimation_capacity',
    'Services and backends whose rates the maximum number of threads can estimate; NaN before Linux 7.1.',
    ({ estimation }) => capacityOf(estimation),
  );
}

function capacityOf(estimation: IpvsTables['estimation']): number | null {
  if (estimation === null || estimation.maxThreads === null) return null;
  return estimation.maxThreads * estimation.perThread;
}
