/** `run --check`, which the Debian package asks before it lets a new version replace the one that runs. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { command, type Outcome } from '../../../support/shell.ts';

const LAUNCHER = join(import.meta.dirname, '../../../../controller/marathon-ipvs');
let file: string;

beforeAll(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'marathon-ipvs-check-')), 'config.yaml');
});
afterAll(async () => await rm(join(file, '..'), { recursive: true }));

async function check(text: string, ...environment: readonly string[]): Promise<Outcome> {
  await writeFile(file, text);
  return await command(['env', ...environment, LAUNCHER, 'run', '--check', '--config', file]);
}

test('accepts what run would accept, without reading the source', async () => {
  // Nothing listens there.
  expect(await check('source: marathon=http://127.0.0.1:9\n')).toEqual({
    status: 0,
    stdout: 'the configuration is accepted\n',
    stderr: '',
  });
});

test('refuses what run would refuse, with the same message', async () => {
  const { status, stderr } = await check('source: marathon=http://127.0.0.1:9\nresync-seconds: never\n');
  expect(status).toBe(2);
  expect(stderr).toContain(`--resync-seconds from ${file}: "never" is not accepted`);
});

test('the exit status for a service manager if no source is named prevents restarts', async () => {
  const told = { stdout: '', stderr: expect.stringContaining('--source is missing') };
  expect(await check('')).toEqual({ status: 2, ...told });
  expect(await check('', 'NOTIFY_SOCKET=/run/systemd/notify')).toEqual({ status: 6, ...told });
});
