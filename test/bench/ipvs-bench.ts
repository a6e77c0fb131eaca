/**
 * How fast ipvs-netlink-ts programs and reads a table, beside `ipvsadm` and beside a replay of the same bytes in C.
 *
 *   node --conditions=ipvs-source test/bench/ipvs-bench.ts [--large] [--check]
 *
 * Runs inside the lab (root, a kernel with IPVS, gcc, ipvsadm, ip). Each phase gets a fresh network namespace, since
 * destinations that were removed stay on a list that each later addition walks. `--large` is 10,000 services instead of
 * 1,000; `--check` exits 1 when a target is missed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const large = process.argv.includes('--large');
const services = large ? '10000' : '1000';
const destinations = '10';
const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ipvs-bench-'));
const replay = join(folder, 'replay');
const recorded = join(folder, 'recorded');
const linesPath = join(folder, 'lines');
let namespaces = 0;

/** Runs a command, inside a namespace if one is named, and returns the last line of its stderr. */
function run(
  command: readonly string[],
  options: { namespace?: string; stdin?: string; stdout?: string } = {},
): string {
  const [program = '', ...args] = options.namespace
    ? ['ip', 'netns', 'exec', options.namespace, ...command]
    : command;
  const { status, stderr } = spawnSync(program, args, {
    stdio: [
      options.stdin === undefined ? 'ignore' : openSync(options.stdin, 'r'),
      options.stdout === undefined ? 'ignore' : openSync(options.stdout, 'w'),
      'pipe',
    ],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command.join(' ')} failed with ${status}: ${stderr}`);
  return stderr.trim().split('\n').at(-1) ?? '';
}

/** With `lo` up: without it IPVS refuses every destination. */
function withNamespace<T>(work: (namespace: string) => T): T {
  const namespace = `bench${namespaces++}`;
  run(['ip', 'netns', 'add', namespace]);
  run(['ip', '-n', namespace, 'link', 'set', 'lo', 'up']);
  try {
    return work(namespace);
  } finally {
    run(['ip', 'netns', 'del', namespace]);
  }
}

function phase(name: string, ...more: readonly string[]): readonly string[] {
  const script = join(here, 'ipvs-phase.ts');
  return [process.execPath, '--conditions=ipvs-source', script, name, services, destinations, ...more];
}

interface Times {
  restore: number;
  batch: number;
  floor: number;
  save: number;
  read: number;
}

/** One run of everything. `ipvsadm -R` is left out of repetitions where it takes minutes. */
function measure(withRestore: boolean): Partial<Times> {
  const restore = withRestore
    ? withNamespace((namespace) =>
        Number(run([replay, 'time', 'ipvsadm', '-R'], { namespace, stdin: linesPath })),
      )
    : undefined;
  const floor = withNamespace((namespace) => Number(run([replay, 'send', recorded], { namespace })));
  return withNamespace((namespace) => {
    const batch = Number(run(phase('program'), { namespace }));
    const save = Number(run([replay, 'time', 'ipvsadm', '-Sn'], { namespace, stdout: '/dev/null' }));
    const read = Number(run(phase('read'), { namespace }));
    return { ...(restore !== undefined && { restore }), floor, batch, save, read };
  });
}

function median(runs: readonly Partial<Times>[], name: keyof Times): number {
  const sorted = runs.flatMap((times) => times[name] ?? []).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Prints a line and says whether the target is met. */
function report(
  what: string,
  ours: number,
  theirs: number,
  ratio: number,
  target: string,
  met: boolean,
): boolean {
  const columns = [
    what.padEnd(44),
    ours.toFixed(0).padStart(8),
    theirs.toFixed(0).padStart(8),
    ratio.toFixed(2).padStart(7),
  ];
  console.log(`${columns.join(' ')}   ${target.padEnd(12)} ${met ? 'met' : 'MISSED'}`);
  return met;
}

try {
  run(['gcc', '-O2', '-o', replay, join(here, 'replay.c')]);
  run(phase('lines'), { stdout: linesPath });
  withNamespace((namespace) => run(phase('record', recorded), { namespace }));

  const runs = [0, 1, 2].map((round) => measure(round === 0 || !large));
  const [restore, batch, floor] = [median(runs, 'restore'), median(runs, 'batch'), median(runs, 'floor')];
  const [save, read] = [median(runs, 'save'), median(runs, 'read')];

  console.log(
    `${services} services x ${destinations} destinations, milliseconds, medians of 3 fresh processes`,
  );
  console.log(`${''.padEnd(44)}     ours   theirs   ratio   target`);
  const met = [
    report(
      'program: batch beside ipvsadm -R',
      batch,
      restore,
      restore / batch,
      '>= 30',
      restore / batch >= 30,
    ),
    report(
      'program: batch beside C replay, same bytes',
      batch,
      floor,
      batch / floor,
      '<= 4',
      batch / floor <= 4,
    ),
    report('read: listTable beside ipvsadm -Sn', read, save, save / read, '>= 2', save / read >= 2),
  ];
  if (process.argv.includes('--check') && met.includes(false)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
