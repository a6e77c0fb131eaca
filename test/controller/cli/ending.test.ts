/** The end of `run` where something does not end: in a fake time, and of the program itself. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { endsInTime } from '../../../controller/cli/ending.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { nodeArguments } from '../../support/program.ts';
import { until } from '../../support/waiting.ts';

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

test('SIGTERM ends the program although its state directory hangs, with a message', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ending-'));
  const names = join(directory, 'names.journal');
  let hanging: FileHandle | undefined;
  let child: ChildProcess | undefined;
  try {
    // Whoever reads a pipe that is open for writing waits, as for a disk that does not answer.
    execFileSync('sh', ['-c', 'mkfifo -m 600 "$0"', names]);
    await writeFile(join(directory, 'apps.json'), '{"apps":[]}');
    const run = ['run', '--dry-run', '--against', 'none', '--source', `file=${directory}/apps.json`];
    const places = ['--state-dir', directory, '--listen', 'off'];
    child = spawn(process.execPath, [...nodeArguments(), ...run, ...places], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(child, 'close');
    const log = text(child.stderr as Readable);
    await until(async () => {
      hanging = await open(names, constants.O_WRONLY | constants.O_NONBLOCK);
    }, 'it reads the names');
    child.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(await log).toContain(
      'a file system (that of --state-dir or --ledger) or the kernel does not answer',
    );
  } finally {
    child?.kill('SIGKILL');
    await hanging?.close();
    await rm(directory, { recursive: true });
  }
});
