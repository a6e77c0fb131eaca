import { Gauge, type Registry } from 'prom-client';
import type { NamespaceReport, NamespacesReport } from '../namespace-report.ts';

/** Gauges of the network namespaces of `--netns-dir`, read on each scrape. */
export function registerNamespaceMetrics(registry: Registry, report: () => NamespacesReport): void {
  const registers = [registry];
  const ofEach = (name: string, help: string, read: (namespace: NamespaceReport) => number) => {
    new Gauge({
      name: `marathon_ipvs_netns_${name}`,
      help,
      labelNames: ['netns'],
      registers,
      collect() {
        // A removed namespace has no series.
        this.reset();
        for (const namespace of report().namespaces) this.set({ netns: namespace.id }, read(namespace));
      },
    });
  };
  ofEach(
    'in_sync',
    '1 if the IPVS table, interface and routes of a network namespace (--netns-dir) are in the desired state.',
    ({ isInSync }) => (isInSync ? 1 : 0),
  );
  ofEach('vips', 'VIPs of this controller in the IPVS table of a network namespace.', ({ vips }) => vips);
  const readable: Gauge = new Gauge({
    name: 'marathon_ipvs_netns_directory_readable',
    help: '1 if the directory of --netns-dir can be read.',
    registers,
    collect: () => readable.set(report().failure === null ? 1 : 0),
  });
}
