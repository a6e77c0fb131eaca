/**
 * `npm run test:kernels [VERSION…]`: the kernel tests on each kernel of kernel.sh, or on these. Prints one table, test
 * file by kernel, and keeps it in docs/kernels.md, where the columns of other kernels stay as they were. Ends with 1 when
 * a test failed. A kernel that cannot be fetched is skipped, with the reason in its column.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cellsOf, END, readCells, START, writeCells } from './matrix-table.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const PAGE = join(ROOT, 'docs/kernels.md');

/** Each group is a boot of its own: a kernel that dies in one has its results of the others. */
const GROUPS = {
  library: [
    'ipvs.test.ts',
    'ipvs-control.test.ts',
    'ipvs-decode.test.ts',
    'ipvs-errors.test.ts',
    'netlink-sender.test.ts',
  ],
  'data path': ['forwarding.test.ts'],
  controller: [
    'addresses.test.ts',
    'balance.test.ts',
    'controller.test.ts',
    'network.test.ts',
    'settings.test.ts',
    'status.test.ts',
    'stories.test.ts',
  ],
} as const;
type GroupName = keyof typeof GROUPS;
const FILES: readonly string[] = Object.values(GROUPS).flat();

/** What a kind of lab runs, how long one test may take there, and how long a group. */
const KINDS: Record<string, { groups: readonly GroupName[]; testMs: number; groupSeconds: number }> = {
  uml: { groups: ['library', 'data path', 'controller'], testMs: 240_000, groupSeconds: 5_400 },
  // Emulated: the controller takes minutes to start.
  qemu: { groups: ['library', 'data path'], testMs: 600_000, groupSeconds: 5_400 },
};
const NOT_RUN = 'not run: emulated';

const kernelScript = join(ROOT, 'test/lab/kernel.sh');
const known = textOf(kernelScript).trim().split('\n');
const asked = process.argv.slice(2);
const unknown = asked.filter((one) => !known.includes(one));
if (unknown.length > 0) {
  process.stderr.write(`unknown kernel ${unknown.join(', ')}: expected some of ${known.join(' ')}\n`);
  process.exit(2);
}
const cells = new Map([...readCells(readFileSync(PAGE, 'utf8'))].map(([file, row]) => [file, new Map(row)]));
const results = mkdtempSync('/var/tmp/marathon-ipvs-kernels.'); // the lab has another /tmp
const ran: string[] = [];
try {
  for (const version of asked.length === 0 ? known : asked) runKernel(version);
} finally {
  rmSync(results, { recursive: true });
}
const page = readFileSync(PAGE, 'utf8');
process.stdout.write(`${page.slice(page.indexOf(START) + START.length, page.indexOf(END)).trim()}\n`);
process.exitCode = ran.some((cell) => cell.includes('failed')) ? 1 : 0;

function runKernel(version: string): void {
  const { status, stdout, stderr } = spawnSync(kernelScript, [version], { encoding: 'utf8' });
  if (status !== 0) {
    process.stderr.write(stderr);
    keep(version, FILES, () => 'skipped: could not be fetched');
    return;
  }
  const [kind = '', , release = ''] = stdout.trim().split(' ');
  const plan = KINDS[kind];
  if (plan === undefined) throw new Error(`kernel.sh: unknown kind ${kind}`);
  for (const [group, files] of Object.entries(GROUPS)) {
    if (!plan.groups.includes(group as GroupName)) {
      keep(version, files, () => NOT_RUN);
      continue;
    }
    process.stdout.write(`== ${group} on ${release} (${kind})\n`);
    const found = runGroup(version, files, plan);
    keep(version, files, (file) => found.get(file) ?? 'failed: the lab ended before');
  }
}

function runGroup(
  version: string,
  files: readonly string[],
  { testMs, groupSeconds }: { readonly testMs: number; readonly groupSeconds: number },
): ReadonlyMap<string, string> {
  const output = join(results, 'results.json');
  rmSync(output, { force: true });
  const jest = [
    ...[process.execPath, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    ...['node_modules/jest/bin/jest.js', ...files.map((file) => `test/kernel/${file}`)],
    ...['--selectProjects', 'kernel', '--runInBand', '--testTimeout', String(testMs)],
    ...['--cacheDirectory', 'node_modules/.cache/jest', '--json', '--outputFile', output],
  ];
  spawnSync(join(ROOT, 'test/lab/run.sh'), ['-m', '2048M', '-t', String(groupSeconds), '--', ...jest], {
    cwd: ROOT,
    // What Jest prints to stdout with --json is the results once more.
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      LAB_KERNEL: version,
      IPVS_KERNEL_TESTS: 'yes-change-my-tables',
      NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/node'),
    },
  });
  try {
    return cellsOf(JSON.parse(readFileSync(output, 'utf8')));
  } catch {
    return new Map();
  }
}

/** Written after each group: a run of the whole matrix takes hours where everything is busy. */
function keep(version: string, files: readonly string[], cellOf: (file: string) => string): void {
  for (const file of files) {
    const cell = cellOf(file);
    ran.push(cell);
    cells.set(file, (cells.get(file) ?? new Map<string, string>()).set(version, cell));
  }
  writeFileSync(PAGE, writeCells(readFileSync(PAGE, 'utf8'), FILES, known, cells));
}

function textOf(file: string): string {
  return spawnSync(file, { encoding: 'utf8' }).stdout;
}
