/**
 * `npm run test:kernels [-- VERSION… FILE…]`: the kernel tests on each kernel of kernel.sh, or these files on these
 * kernels. Prints one table, test file by kernel, and keeps it in docs/kernels.md, where the other cells stay as they were.
 * Ends with 1 when a test failed. A kernel that cannot be fetched is skipped, with the reason in its column.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Asked, askedOf } from './matrix-asked.ts';
import { cellsOf, END, readCells, START, writeCells } from './matrix-table.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const PAGE = join(ROOT, 'docs/kernels.md');

/** Each group is a boot of its own: a kernel that dies in one has its results of the others, and of the files before. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
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
  'network namespaces': ['netns.test.ts', 'netns-controller.test.ts'],
};
const FILES: readonly string[] = Object.values(GROUPS).flat();

/** Ends a kernel that hangs, and only that. */
const GROUP_SECONDS = 5_400;

const kernelScript = join(ROOT, 'test/lab/kernel.sh');
const known = textOf(kernelScript).trim().split('\n');
const { versions, files } = asked();
const cells = new Map([...readCells(readFileSync(PAGE, 'utf8'))].map(([file, row]) => [file, new Map(row)]));
const results = mkdtempSync('/var/tmp/marathon-ipvs-kernels.'); // the lab has another /tmp
const ran: string[] = [];
try {
  for (const version of versions) runKernel(version);
} finally {
  rmSync(results, { recursive: true });
}
const page = readFileSync(PAGE, 'utf8');
process.stdout.write(`${page.slice(page.indexOf(START) + START.length, page.indexOf(END)).trim()}\n`);
process.exitCode = ran.some((cell) => cell.includes('failed')) ? 1 : 0;

function asked(): Asked {
  try {
    return askedOf(process.argv.slice(2), { versions: known, files: FILES });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(2);
  }
}

function runKernel(version: string): void {
  const { status, stdout, stderr } = spawnSync(kernelScript, [version], { encoding: 'utf8' });
  if (status !== 0) {
    process.stderr.write(stderr);
    keep(version, files, () => 'skipped: could not be fetched');
    return;
  }
  const [kind = '', , release = ''] = stdout.trim().split(' ');
  for (const [group, all] of Object.entries(GROUPS)) {
    const some = all.filter((file) => files.includes(file));
    if (some.length === 0) continue;
    process.stdout.write(`== ${group} on ${release} (${kind})\n`);
    const found = runGroup(version, some);
    keep(version, some, (file) => found.get(file) ?? 'failed: the lab ended before');
  }
}

function runGroup(version: string, some: readonly string[]): ReadonlyMap<string, string> {
  const output = join(results, 'results.json');
  rmSync(output, { force: true });
  const jest = [
    ...[process.execPath, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    ...['node_modules/jest/bin/jest.js', ...some.map((file) => `test/kernel/${file}`)],
    ...['--selectProjects', 'kernel', '--runInBand'],
    ...['--cacheDirectory', 'node_modules/.cache/jest'],
    ...['--reporters', 'default', '--reporters', './test/lab/file-results.ts'],
  ];
  spawnSync(join(ROOT, 'test/lab/run.sh'), ['-m', '2048M', '-t', String(GROUP_SECONDS), '--', ...jest], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      LAB_KERNEL: version,
      FILE_RESULTS: output,
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
function keep(version: string, some: readonly string[], cellOf: (file: string) => string): void {
  for (const file of some) {
    const cell = cellOf(file);
    ran.push(cell);
    cells.set(file, (cells.get(file) ?? new Map<string, string>()).set(version, cell));
  }
  writeFileSync(PAGE, writeCells(readFileSync(PAGE, 'utf8'), FILES, known, cells));
}

function textOf(file: string): string {
  return spawnSync(file, { encoding: 'utf8' }).stdout;
}
