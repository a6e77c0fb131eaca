import { Gauge, type Registry } from 'prom-client';
import type { IpvsTables } from '../counters.ts';

/** Size and load of the kernel's IPVS tables, read when Prometheus asks; NaN where the kernel does not tell. */
export function registerKernelMetrics(registry: Registry, tables: () => Promise<IpvsTables | null>): void {
  let reading: Promise<IpvsTables | null> | null = null;
  // All gauges are collected at once: one read is for all of them.
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
        const told = await readOnce();
        gauge.set((told === null ? null : read(told)) ?? Number.NaN);
      },
    });
  };
  ofTables(
    'connections',
    'Connections in the table of IPVS, those of other programs too; before Linux 7.1 no number.',
    ({ connections }) => connections.count,
  );
  ofTables(
    'max_connections',
    'How many there may be (net.ipv4.vs.conn_max); before Linux 7.2 no number: only memory limits them.',
    ({ connections }) => connections.max,
  );
  ofTables(
    'connection_table_buckets',
    'Buckets of the table of connections.',
    ({ connections }) => connections.buckets,
  );
  ofTables(
    'connection_table_max_buckets',
    'What that table may grow to (the module parameter conn_tab_bits); before Linux 7.1 it has this size.',
    ({ connections }) => connections.maxBuckets,
  );
  ofTables(
    'service_table_buckets',
    'Buckets of the table of services; before Linux 7.1 256 for all network namespaces together.',
    ({ services }) => services.buckets,
  );
  ofTables(
    'estimation_threads',
    'Threads that count rates; before Linux 7.1 no number.',
    ({ estimation }) => estimation?.threads ?? null,
  );
  ofTables(
    'estimation_capacity',
    'Services and backends whose rates the threads that there may be can count; before Linux 7.1 no number.',
    ({ estimation }) => capacityOf(estimation),
  );
}

function capacityOf(estimation: IpvsTables['estimation']): number | null {
  if (estimation === null || estimation.maxThreads === null) return null;
  return estimation.maxThreads * estimation.perThread;
}
