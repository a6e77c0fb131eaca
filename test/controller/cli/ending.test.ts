/** The end of `run` where something does not end: in a fake time, and of the program itself. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { endsInTime } from '../../../controller/cli/ending.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { nodeArguments } from '../../support/program.ts';
import { eventually } from '../../support/waiting.ts';

test('waits for the work without limit, and for 8 s after the stop', async () => {
  const clock = new FakeClock();
  const [work, stop] = [Promise.withResolvers<void>(), new AbortController()];
  const ending = endsInTime(work.promise, stop.signal, clock);
  await clock.advance(60_000);
  stop.abort();
  await clock.advance(7_900);
  work.resolve();
  expect(await ending).toBe(true);
});

test('gives up work that does not end 8 s after the stop', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const ending = endsInTime(new Promise(() => undefined), stop.signal, clock);
  stop.abort();
  await clock.advance(8_000);
  expect(await ending).toBe(false);
});

test('rejects with the error of the work', async () => {
  const work = Promise.reject(new Error('no socket'));
  await expect(endsInTime(work, new AbortController().signal, new FakeClock())).rejects.toThrow('no socket');
});

/** A module that makes opening this file hang like a disk that does not answer, by a pipe that nobody writes to. It reports that first. */
function hangs(file: string, pipe: string): string {
  return `
    import promises from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    const { open } = promises;
    promises.open = (path, ...rest) => {
      if (path !== ${JSON.stringify(file)}) return open(path, ...rest);
      process.stderr.write('the disk is asked\\n');
      return open(${JSON.stringify(pipe)});
    };
    syncBuiltinESMExports();`;
}

test('SIGTERM ends the program although its state directory hangs, with a message', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ending-'));
  const [pipe, preload] = [join(directory, 'pipe'), join(directory, 'hangs.mjs')];
  let child: ChildProcess | undefined;
  try {
    execFileSync('sh', ['-c', 'mkfifo "$0"', pipe]);
    await writeFile(preload, hangs(join(directory, 'names.journal'), pipe));
    await writeFile(join(directory, 'apps.json'), '{"apps":[]}');
    const run = ['run', '--dry-run', '--against', 'none', '--source', `file=${directory}/apps.json`];
    const places = ['--state-dir', directory, '--listen', 'off'];
    child = spawn(process.execPath, ['--import', preload, ...nodeArguments(), ...run, ...places], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    const ended = once(child, 'close');
    await eventually(() => log.includes('the disk is asked'), 'it reads the names');
    child.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(log).toContain('a file system (that of --state-dir or --ledger) or the kernel does not answer');
  } finally {
    child?.kill('SIGKILL');
    await rm(directory, { recursive: true });
  }
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends a diff that waits for its source, in plain words',
  async (signal) => {
    const asked = Promise.withResolvers<void>();
    const server = createServer(() => asked.resolve());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const words = ['diff', '--against', 'none', '--source', `marathon=http://127.0.0.1:${port}`];
    const child = spawn(process.execPath, [...nodeArguments(), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      const ended = once(child, 'close');
      await asked.promise;
      child.kill(signal);
      expect(await ended).toEqual([2, null]);
      expect(output).toBe(`marathon-ipvs: ended by ${signal}\n`);
    } finally {
      child.kill('SIGKILL');
      server.closeAllConnections();
      server.close();
    }
  },
);
