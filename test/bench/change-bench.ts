/**
 * What one change costs a running controller, and how that grows with the table: with a kernel in memory, so outside
 * the lab too.
 *
 *   node --conditions=ipvs-source test/bench/change-bench.ts [--large] [--check]
 *
 * Compared are 1,000 and 10,000 VIPs with 10 backends each, in a process of its own each; `--large` adds 100,000. The
 * source is not read: a change is what a source tells.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ChangeCosts } from './change-phase.ts';
import { shippedNodeOptions } from './node-options.ts';
import { Report } from './report.ts';

const LARGE = process.argv.includes('--large');
const report = new Report();
const small = await costsOf(1_000);
tell(small);
const large = await costsOf(10_000);
tell(large);
report.add(
  'CPU of one change, 10,000 x 10 to 1,000 x 10',
  large.change.cpu / small.change.cpu,
  { ratio: 1.3, is: 'at most' },
  `${large.change.cpu.toFixed(2)} to ${small.change.cpu.toFixed(2)} ms`,
);
report.add(
  '10,000 x 10, longest stretch without a turn at the start, ms',
  large.start.stretch,
  { ratio: 50, is: 'at most' },
  `${large.start.stretchCpu.toFixed(0)} ms of it processor time`,
);
if (LARGE) {
  const huge = await costsOf(100_000);
  tell(huge);
  report.add('100,000 x 10, bytes for each backend', huge.perBackend, { ratio: 1_500, is: 'at most' }, '');
  report.add('100,000 x 10, start, s', huge.start.wall / 1e3, { ratio: 120, is: 'at most' }, '');
  report.add('100,000 x 10, one change, p99, ms', huge.change.p99, { ratio: 50, is: 'at most' }, '');
}
report.print();

async function costsOf(vips: number): Promise<ChangeCosts> {
  const phase = fileURLToPath(new URL('change-phase.ts', import.meta.url));
  const execArgv = [...shippedNodeOptions(), '--expose-gc', '--max-old-space-size=12000'];
  const child = fork(phase, [String(vips)], { execArgv });
  const [costs] = await once(child, 'message');
  child.disconnect();
  return costs as ChangeCosts;
}

function tell({ vips, change, start, resync, resident, kernel, perBackend }: ChangeCosts): void {
  const text = [
    `${vips.toLocaleString('en')} x 10:`,
    `start ${(start.wall / 1e3).toFixed(1)} s (longest stretch ${start.stretch.toFixed(0)} ms),`,
    `one change ${change.cpu.toFixed(2)} ms CPU, p50 ${change.p50.toFixed(1)}, p99 ${change.p99.toFixed(1)} ms,`,
    `resync ${resync.toFixed(0)} ms CPU,`,
    `resident ${resident.toFixed(0)} MB of which the kernel in memory ${kernel.toFixed(0)} MB,`,
    `${perBackend.toFixed(0)} bytes for each backend`,
  ];
  process.stdout.write(`${text.join(' ')}\n`);
}
