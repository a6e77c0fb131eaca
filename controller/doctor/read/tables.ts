import type { EstimationFact, TablesFact } from '../facts.ts';
import { readNumber } from './kernel.ts';
import { textOf } from './text.ts';

/** Size and load of the IPVS tables; null where the kernel has no /proc/net/ip_vs_status (Linux 7.2 of Debian has). */
export async function readTables(root = ''): Promise<TablesFact | null> {
  const status = await textOf(`${root}/proc/net/ip_vs_status`);
  if (status === null) return null;
  const numberOf = (name: string) => {
    const [, digits] = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status) ?? [];
    return digits === undefined ? null : Number(digits);
  };
  const connections = numberOf('Conns');
  const buckets = numberOf('Conn buckets');
  if (connections === null || buckets === null) return null;
  // A module parameter: it is not below /proc.
  const bits = (await textOf(`${root}/sys/module/ip_vs/parameters/conn_tab_bits`))?.trim() ?? '';
  return {
    connections,
    buckets,
    maxBuckets: /^\d+$/.test(bits) ? 2 ** Number(bits) : null,
    maxConnections: await readNumber('net.ipv4.vs.conn_max', root),
    services: numberOf('Services'),
    serviceBuckets: numberOf('Service buckets'),
  };
}

/** How rates are counted; each null where the kernel has no such setting. */
export async function readEstimation(root = ''): Promise<EstimationFact> {
  const [switchedOn, processors, nice] = await Promise.all(
    ['run_estimation', 'est_cpulist', 'est_nice'].map(
      async (name) => (await textOf(`${root}/proc/sys/net/ipv4/vs/${name}`))?.trim() ?? null,
    ),
  );
  return { switchedOn: switchedOn ?? null, processors: processors ?? null, nice: nice ?? null };
}
