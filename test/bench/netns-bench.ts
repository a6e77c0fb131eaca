/**
 * How long a change takes into all of the network namespaces that a controller keeps (`--netns-dir`): 20 of them with 1,000 VIPs
 * each. In the lab, as root:
 *
 *   node --conditions=ipvs-source test/bench/netns-bench.ts [--namespaces 20] [--vips 1000] [--in-memory] [--check]
 *
 * Every half second a health check of one app fails, or succeeds again. In the lab (netns-in-lab.ts) a witness reads the kernel
 * itself, in the host's namespace and in all others. `--in-memory` runs outside it (netns-in-memory.ts).
 */
import { parseArgs } from 'node:util';
import { measureInLab } from './netns-in-lab.ts';
import { measureInMemory } from './netns-in-memory.ts';
import { median, quantile, Report } from './report.ts';

/** The engine compiles what runs often; a controller runs for months. */
const WARM_UP = 30;
/** Longer than the time between two full reads (`--resync-seconds`), so that these count too. */
const CHANGES = 80;
const MEDIAN_MS = 100;

const { values } = parseArgs({
  options: {
    namespaces: { type: 'string', default: '20' },
    vips: { type: 'string', default: '1000' },
    'in-memory': { type: 'boolean' },
    check: { type: 'boolean' },
  },
});
const [count, vips] = [Number(values.namespaces), Number(values.vips)];
const measure = values['in-memory'] === true ? measureInMemory : measureInLab;
const { startMs, host, all, use } = await measure(count, vips, WARM_UP, CHANGES);

const report = new Report();
report.add('from the start until all are in sync, s', startMs / 1e3, null, '');
const target = { is: 'at most', ratio: MEDIAN_MS } as const;
const what = `median of a change into ${count} namespaces x ${vips} VIPs, ms`;
report.add(what, median(all), target, spread(all));
report.add('of that into the host itself, ms', median(host), null, spread(host));
report.add('processor time of the controller, share of one', use.controller, null, '');
report.add('processor time of all helpers, share of one', use.helpers, null, '');
report.print();

function spread(times: readonly number[]): string {
  const at = (share: number) => quantile(times, share).toFixed(0);
  return `p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, longest ${at(1)} ms, of ${times.length}`;
}
