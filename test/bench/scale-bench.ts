/**
 * How long a host takes from the start of the controller to the last step, with how much memory, and what a resync
 * costs that finds nothing to do; beside `ipvsadm` on the same table. In the lab:
 *
 *   node --conditions=ipvs-source test/bench/scale-bench.ts [--large] [--check]
 *
 * `--large` is 10,000 VIPs with 10 backends each instead of 1,000. `ipvsadm` has a fresh network namespace, since
 * destinations that were removed stay on a list that each later addition walks.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LAUNCHER } from '../support/program.ts';
import { marathonApps } from './apps.ts';
import { median, Report } from './report.ts';
import { RunningController } from './running-controller.ts';
import { type Cost, timed } from './timed.ts';

const LARGE = process.argv.includes('--large');
const VIPS = LARGE ? 10_000 : 1_000;
const BACKENDS = 10;
const RESYNCS = 3;
const FULL_PASSES = 'marathon_ipvs_passes_total{kind="full",result="converged"}';

const directory = mkdtempSync(join(tmpdir(), 'scale-bench-'));
const report = new Report();
const apps = join(directory, 'apps.json');
writeFileSync(apps, JSON.stringify(marathonApps(VIPS, BACKENDS)));
try {
  const peer = ipvsadm();
  const { start, resync, memory, highest } = await controller();
  const table = `${VIPS.toLocaleString('en')} x ${BACKENDS}`;
  report.add(
    `${table}, start to the last step: to ipvsadm -R`,
    start / peer.restore.wall,
    LARGE ? { ratio: 1, is: 'at most' } : null,
    `${start.toFixed(1)} s to ${peer.restore.wall.toFixed(1)} s`,
  );
  report.add(
    `${table}, resync without a difference, CPU: to ipvsadm -Sn`,
    resync / peer.save.cpu,
    { ratio: 1, is: 'at most' },
    `${resync.toFixed(2)} s to ${peer.save.cpu.toFixed(2)} s`,
  );
  report.add(`${table}, resident memory, MB`, memory, null, `at most ${highest.toFixed(0)} until then`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
report.print();

/** The same table, made and read by others. */
function ipvsadm(): { readonly restore: Cost; readonly save: Cost } {
  const lines = join(directory, 'lines');
  const diff = ['diff', '--against', 'none', '--source', `file=${apps}`, '-o', 'ipvsadm'];
  // Its status says that there is a difference.
  execFileSync('sh', ['-c', `"$@" >'${lines}' || [ $? = 1 ]`, 'sh', LAUNCHER, ...diff]);
  const namespace = 'scale-bench';
  execFileSync('ip', ['netns', 'add', namespace]);
  execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  const restore = timed(['ipvsadm', '-R'], { namespace, stdin: lines });
  const saves = Array.from({ length: RESYNCS }, () => timed(['ipvsadm', '-Sn'], { namespace }));
  execFileSync('ip', ['netns', 'del', namespace]);
  const save = { wall: median(saves.map(({ wall }) => wall)), cpu: median(saves.map(({ cpu }) => cpu)) };
  return { restore, save };
}

/** Seconds and megabytes of `run`, from a kernel and a disk that know nothing. */
async function controller() {
  const begun = performance.now();
  const running = RunningController.start(directory, [
    '--source',
    `file=${apps}`,
    '--resync-seconds',
    '86400',
  ]);
  try {
    await running.ready();
    const start = (performance.now() - begun) / 1e3;
    const highest = running.memory('VmHWM');
    await quiet(running);
    const before = await running.metric(FULL_PASSES);
    const costs: number[] = [];
    for (let resync = 0; resync < RESYNCS; resync += 1) {
      const used = running.cpuSeconds();
      running.resync();
      await quiet(running);
      costs.push(running.cpuSeconds() - used);
    }
    const made = (await running.metric(FULL_PASSES)) - before;
    if (made !== RESYNCS) throw new Error(`${made} full passes, not ${RESYNCS}`);
    return { start, resync: median(costs), memory: running.memory(), highest };
  } finally {
    await running.stop();
  }
}

/** Resolves when the process has had next to nothing to do for a while: it looks at its interface every second. */
async function quiet(running: RunningController): Promise<void> {
  const IDLE_SHARE = 0.1;
  const PERIOD_SECONDS = 2;
  for (let before = running.cpuSeconds(), share = 1; share > IDLE_SHARE; ) {
    await sleep(PERIOD_SECONDS * 1_000);
    const now = running.cpuSeconds();
    share = (now - before) / PERIOD_SECONDS;
    before = now;
  }
}
