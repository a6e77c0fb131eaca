/**
 * How fast ipvs-netlink-ts programs a table, reads it and changes one backend, beside `ipvsadm` and beside a replay of the same bytes in C.
 *
 *   node --conditions=ipvs-source test/bench/ipvs-bench.ts [--large] [--check]
 *
 * Runs inside the lab (root, a kernel with IPVS, gcc, ipvsadm, ip). Each phase gets a fresh network namespace, since
 * destinations that were removed stay on a list that each later addition walks. `--large` is 10,000 services instead of
 * 1,000; `--check` exits 1 when a target is missed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { availableParallelism, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const large = process.argv.includes('--large');
const services = large ? '10000' : '1000';
const destinations = '10';
const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ipvs-bench-'));
const replay = join(folder, 'replay');
const recordedBatch = join(folder, 'batch');
const recordedRead = join(folder, 'read');
const linesPath = join(folder, 'lines');
let namespaces = 0;

/** Runs a command, inside a namespace if one is named, and returns the lines of its stderr as numbers. */
function run(
  command: readonly string[],
  options: { namespace?: string; stdin?: string; stdout?: string } = {},
): readonly number[] {
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
  return stderr.trim().split('\n').map(Number);
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

/**
 * A phase, in a fresh process. The lab has one processor, where V8's helper threads do not help but interrupt, each for
 * up to a tick of 10 ms; so they are off.
 */
function phase(name: string, ...more: readonly string[]): readonly string[] {
  const flags = ['--single-threaded', '--conditions=source'];
  return [process.execPath, ...flags, join(here, 'ipvs-phase.ts'), name, services, destinations, ...more];
}

interface Times {
  readonly restore: readonly number[];
  readonly batch: readonly number[];
  readonly batchFloor: readonly number[];
  readonly save: readonly number[];
  readonly firstRead: readonly number[];
  readonly laterReads: readonly number[];
  readonly readFloor: readonly number[];
  readonly changes: readonly number[];
  readonly commands: readonly number[];
}

/** One backend comes and one goes, as an operator does it. */
const MOVE = [
  ...['sh', '-c'],
  'ipvsadm -a -t 11.0.0.0:80 -r 10.99.0.3:31000 -m && ipvsadm -d -t 11.0.0.0:80 -r 10.99.0.3:31000',
];

/** One run of everything. `ipvsadm -R` is left out of repetitions where it takes minutes. */
function measure(withRestore: boolean): Times {
  const restore = withRestore
    ? withNamespace((namespace) => run([replay, 'time', 'ipvsadm', '-R'], { namespace, stdin: linesPath }))
    : [];
  // Short ones are repeated, in turns: what else the machine does meanwhile weighs most on them.
  const floor = () => withNamespace((namespace) => run([replay, 'send', recordedBatch], { namespace }));
  const program = () => withNamespace((namespace) => run(phase('program'), { namespace }));
  const turns = Array.from({ length: large ? 0 : 2 }, () => ({ floor: floor(), program: program() }));
  const batchFloor = [...turns.flatMap((turn) => turn.floor), ...floor()];
  return withNamespace((namespace) => {
    const batch = [...turns.flatMap((turn) => turn.program), ...run(phase('program'), { namespace })];
    const save = run([replay, 'time', 'ipvsadm', '-Sn'], { namespace, stdout: '/dev/null' });
    const [firstRead = Number.NaN, ...laterReads] = run(phase('read'), { namespace });
    run(phase('record-read', recordedRead), { namespace });
    const readFloor = run([replay, 'send', recordedRead], { namespace });
    rmSync(recordedRead);
    const changes = run(phase('change'), { namespace });
    const commands = Array.from({ length: 5 }, () => run([replay, 'time', ...MOVE], { namespace })).flat();
    const reads = { firstRead: [firstRead], laterReads, readFloor };
    return { restore, batch, batchFloor, save, ...reads, changes, commands };
  });
}

function median(runs: readonly Times[], name: keyof Times): number {
  const sorted = runs.flatMap((times) => times[name]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Small ones with their fractions. */
function inWords(milliseconds: number): string {
  return milliseconds.toFixed(milliseconds < 10 ? 2 : 0);
}

/** Prints a line; `met` is undefined where there is no target. */
function report(what: string, ours: number, theirs: number, ratio: number, target = '', met?: boolean): void {
  const columns = [
    what.padEnd(46),
    inWords(ours).padStart(7),
    inWords(theirs).padStart(8),
    ratio.toFixed(2).padStart(8),
  ];
  const verdict = met === undefined ? '' : met ? 'met' : 'MISSED';
  console.log(`${columns.join(' ')}   ${target.padEnd(6)} ${verdict}`.trimEnd());
  if (met === false && process.argv.includes('--check')) process.exitCode = 1;
}

try {
  run(['gcc', '-O2', '-o', replay, join(here, 'replay.c')]);
  run(phase('lines'), { stdout: linesPath });
  withNamespace((namespace) => run(phase('record-program', recordedBatch), { namespace }));

  const runs = [0, 1, 2].map((round) => measure(round === 0 || !large));
  const [restore, batch, batchFloor] = [
    median(runs, 'restore'),
    median(runs, 'batch'),
    median(runs, 'batchFloor'),
  ];
  const [save, first, later] = [median(runs, 'save'), median(runs, 'firstRead'), median(runs, 'laterReads')];
  const readFloor = median(runs, 'readFloor');

  console.log(`Linux ${release()}, ${availableParallelism()} processors; Node ${process.version}`);
  console.log(`${services} services x ${destinations} destinations; milliseconds, medians of 3 rounds`);
  console.log(`${''.padEnd(46)}    ours   theirs    ratio   target`);
  report(
    'program, new process: beside ipvsadm -R',
    batch,
    restore,
    restore / batch,
    '>= 30',
    restore / batch >= 30,
  );
  report(
    'program, new process: beside the same bytes in C',
    batch,
    batchFloor,
    batch / batchFloor,
    '<= 4',
    batch / batchFloor <= 4,
  );
  report('read, running process: beside ipvsadm -Sn', later, save, save / later, '>= 2', save / later >= 2);
  report('read, running process: beside the same bytes in C', later, readFloor, later / readFloor);
  report('read, new process: beside ipvsadm -Sn', first, save, save / first);
  const [change, commands] = [median(runs, 'changes'), median(runs, 'commands')];
  report('one backend comes, one goes: beside two ipvsadm', change, commands, commands / change);
} finally {
  rmSync(folder, { recursive: true });
}
