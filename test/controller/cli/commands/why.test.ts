import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { whyDocument } from '../../../../controller/why/document.ts';
import { command } from '../../../support/host.ts';

const LAUNCHER = join(import.meta.dirname, '..', '..', '..', '..', 'controller', 'marathon-ipvs');
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'why-'));
  const task = {
    id: 'web.1',
    host: '10.0.0.1',
    ports: [31000],
    state: 'TASK_RUNNING',
    startedAt: '2026-01-01T00:00:00Z',
  };
  const app = {
    id: '/web',
    portDefinitions: [{ port: 0, labels: { VIP_0: '192.168.77.7:80' } }],
    tasks: [task],
  };
  await writeFile(join(directory, 'apps.json'), JSON.stringify(app));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function why(...args: readonly string[]) {
  const source = ['--source', `file=${join(directory, 'apps.json')}`, '--state-dir', directory];
  return command(LAUNCHER, 'why', '--listen', 'off', ...source, ...args);
}

describe('why, without a controller', () => {
  test('reads the sources, and reports a service that is missing in the kernel', async () => {
    const { status, stdout, stderr } = await why('192.168.77.7:80', '-o', 'json');
    expect(stderr).toBe('');
    const { from, ways } = whyDocument.parse(JSON.parse(stdout));
    expect({ from, step: ways[0]?.steps.at(-1) }).toMatchObject({
      from: 'sources',
      step: { stage: 'kernel' },
    });
    // Without IPVS, or without the service; without the right to look it could not be found out.
    expect(status).toBe(ways[0]?.verdict === 'unknown' ? 2 : 1);
  });

  test('a name that no app declares is broken, as text', async () => {
    const { status, stdout } = await why('web');
    expect({ status, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({
      status: 1,
      last: 'Broken: no app declares this VIP (unknown-name)',
    });
  });

  test('a text that cannot name a VIP is refused in one line', async () => {
    expect(await why('web:x')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('NAME[:PORT]'),
    });
  });

  test('a network namespace that does not exist is refused in one line, even for a VIP without backends', async () => {
    expect(await why('web', '--from-netns', '/nope')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^marathon-ipvs: --from-netns \/nope: there is no such file .*\n$/),
    });
  });

  test('a file that is no network namespace is refused', async () => {
    const { status, stderr } = await why('web', '--from-netns', '/etc/passwd');
    expect(status).toBe(2);
    expect(stderr).toContain('--from-netns /etc/passwd: it is not a network namespace; expected');
  });

  test('--from-netns and --server cannot be combined', async () => {
    const { status, stderr } = await why('web', '--server', 'http://127.0.0.1:1', '--from-netns', 'client');
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('--from-netns and --server'),
    });
  });
});
