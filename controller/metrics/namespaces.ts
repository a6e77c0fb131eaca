import { Gauge, type Registry } from 'prom-client';
import type { NamespaceReport, NamespacesReport } from '../namespace-report.ts';

/** How VIPs are kept in each of the network namespaces of `--netns-dir`, read off when Prometheus asks. */
export function registerNamespaceMetrics(registry: Registry, report: () => NamespacesReport): void {
  const registers = [registry];
  const ofEach = (name: string, help: string, read: (namespace: NamespaceReport) => number) => {
    new Gauge({
      name: `marathon_ipvs_netns_${name}`,
      help,
      labelNames: ['netns'],
      registers,
      collect() {
        // One that is gone has no series any more.
        this.reset();
        for (const namespace of report().namespaces) this.set({ netns: namespace.id }, read(namespace));
      },
    });
  };
  ofEach(
    'in_sync',
    '1 if table, interface and routes of a network namespace (--netns-dir) are as desired.',
    ({ isInSync }) => (isInSync ? 1 : 0),
  );
  ofEach('vips', 'VIPs of ours that the table of a network namespace has.', ({ vips }) => vips);
  const readable: Gauge = new Gauge({
    name: 'marathon_ipvs_netns_directory_readable',
    help: '1 if the directory of --netns-dir could be looked at.',
    registers,
    collect: () => readable.set(report().failure === null ? 1 : 0),
  });
}
