import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const inLab = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const PATH = `${process.env['PATH']}:/usr/sbin:/sbin:/usr/lib/qemu`;
const programsOf: Record<string, readonly string[]> = {
  host: ['ipvsadm', 'ip'],
  uml: ['linux.uml', 'ipvsadm', 'ip'],
  qemu: ['qemu-system-x86_64', 'virtiofsd', 'busybox', 'cpio', 'ipvsadm', 'ip', 'nft'],
};

/** The kinds that this machine would use, and that it can: a machine without the programs is told of them. */
const kinds = [...new Set([kindFor(), kindFor('nftables')])].filter((kind) => {
  const missing = programsOf[kind]?.find((name) => !succeeds(`command -v ${name}`));
  const hasKernel = kind !== 'qemu' || succeeds(`${inLab('qemu-kernel.sh')} find`);
  const lacks = missing ?? (hasKernel ? undefined : 'kernel for QEMU');
  if (lacks !== undefined)
    console.warn(`test of the lab LAB=${kind} skipped: no ${lacks} ('npm test' gets it)`);
  return lacks === undefined;
});

function kindFor(...asked: string[]): string {
  return execFileSync('sh', [inLab('kind.sh'), ...asked], { encoding: 'utf8' }).trim();
}

function succeeds(command: string): boolean {
  return spawnSync('sh', ['-c', command], { env: { PATH } }).status === 0;
}

(kinds.length > 0 ? test.each(kinds) : test.skip.each(['host']))(
  'a command in the lab %s has IPVS and an empty /tmp; its output, by stream, its environment and its status come back',
  (kind) => {
    const marker = mkdtempSync(join(tmpdir(), 'lab-test-'));
    const script = `
      ipvsadm -A -t 10.9.8.7:80 -s wlc && ipvsadm -Sn
      printf 'no new line at the end, \\303\\251 and \\0 zero'
      ls /tmp >&2; test -t 1 && echo 'stdout is a terminal' >&2; echo "$COLOUR of $(pwd)" >&2
      sleep 1000 &
      exit 7`;
    const run = spawnSync(inLab('run.sh'), ['-t', '290', '--', 'sh', '-c', script], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...process.env, COLOUR: 'red', LAB: kind },
    });
    rmSync(marker, { recursive: true });

    expect(run.stdout).toBe('-A -t 10.9.8.7:80 -s wlc\nno new line at the end, é and \0 zero');
    expect(run.stderr).toMatch(/^red of .*\/test\n$/);
    expect(run.status).toBe(7);
  },
);

test('a kernel that nobody fetches is refused by the lab, with those that it has', () => {
  const run = spawnSync(inLab('run.sh'), ['--', 'true'], {
    encoding: 'utf8',
    env: { ...process.env, LAB_KERNEL: '3.10' },
  });
  expect([run.status, run.stderr]).toEqual([
    125,
    'kernel 3.10: unknown: expected one of 5.10 6.1 6.12 7.2\n',
  ]);
});

/** What Jest tells its reporter of two files, until it is killed in the second. */
const KILLED = `
  import RunningTests from ${JSON.stringify(inLab('running-tests.ts'))};
  const running = new RunningTests();
  running.onTestFileStart({ path: 'test/a.test.ts' });
  running.onTestCaseStart({ path: 'test/a.test.ts' }, { fullName: 'names › are cleaned' });
  running.onTestFileResult({ path: 'test/a.test.ts' });
  running.onTestFileStart({ path: 'test/b.test.ts' });
  running.onTestCaseStart({ path: 'test/b.test.ts' }, { fullName: 'routes › come back' });
  process.kill(process.pid, 'SIGKILL');`;

describe('totals.ts', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'totals-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const totals = (...names: string[]) => {
    const { stdout, status } = spawnSync(process.execPath, [inLab('totals.ts'), folder, ...names], {
      encoding: 'utf8',
    });
    return [stdout, status];
  };
  const results = (name: string, counts: object) =>
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(counts));

  test('runs are added up in one line', () => {
    results('a', { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1 });
    results('b', { numPassedTests: 4, numFailedTests: 0 });
    expect(totals('a', 'b')).toEqual(['7 passed, 0 failed, 1 skipped\n', 0]);
  });

  test('a failed test, a file that could not be loaded, and a run without any test or result each fail the whole', () => {
    results('good', { numPassedTests: 3, numFailedTests: 0 });
    results('failed', { numPassedTests: 3, numFailedTests: 2 });
    results('unloaded', { numPassedTests: 1, numRuntimeErrorTestSuites: 1 });
    results('empty', { numPassedTests: 0, numPendingTests: 9 });
    expect(totals('good')).toEqual(['3 passed, 0 failed\n', 0]);
    expect(totals('good', 'failed')).toEqual(['6 passed, 2 failed\n', 1]);
    expect(totals('good', 'unloaded')).toEqual(['4 passed, 1 failed\n', 1]);
    expect(totals('good', 'empty')).toEqual(['3 passed, 1 failed, 9 skipped\n', 1]);
    expect(totals('good', 'absent')).toEqual(['3 passed, 1 failed\n', 1]);
  });

  test('a run that was killed names the test that it was in', () => {
    const child = spawnSync(process.execPath, ['--input-type=module', '--eval', KILLED], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, RUNNING_TESTS: join(folder, 'killed.running') },
    });
    expect(child.signal).toBe('SIGKILL');
    const { stdout, stderr } = spawnSync(process.execPath, [inLab('totals.ts'), folder, 'killed'], {
      encoding: 'utf8',
    });
    expect([stdout, stderr]).toEqual([
      '0 passed, 1 failed\n',
      'killed: ended in the middle of\ntest/b.test.ts routes › come back\n',
    ]);
  });
});
