import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { LAUNCHER } from '../../support/program.ts';
import { command, waitFor } from '../../support/shell.ts';

test.each([
  ['nothing', '< /dev/null'],
  ['a directory', `< ${tmpdir()}`],
  ['closed', '<&-'],
])('standard input that is %s has no definition, and is told so', async (_, redirected) => {
  const line = `exec "$0" app add --marathon http://127.0.0.1:1 ${redirected}`;
  expect(await command(['sh', '-c', line, LAUNCHER])).toEqual({
    status: 2,
    stdout: '',
    stderr: 'marathon-ipvs: standard input is empty, expected a JSON file, or JSON on standard input\n',
  });
});

test.each([
  ['SIGINT', 'standard input', 'app add --marathon http://127.0.0.1:1 -'],
  ['SIGTERM', 'standard input', 'app add --marathon http://127.0.0.1:1 -'],
  ['SIGTERM', 'a named pipe', 'app add --marathon http://127.0.0.1:1 PIPE'],
  ['SIGTERM', 'a named pipe of changes', 'app update /a --marathon http://127.0.0.1:1 PIPE'],
] as const)('the first %s ends reading %s', async (signal, _what, words) => {
  const directory = await mkdtemp(join(tmpdir(), 'input-'));
  const pipe = join(directory, 'pipe');
  await command(['mkfifo', pipe]);
  const child = spawn(LAUNCHER, words.replace('PIPE', pipe).split(' '), {
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  const messages = text(child.stderr);
  const ended = once(child, 'exit');
  // Node itself catches the signal from the start, but SIGHUP only once the program has set up its handlers.
  const listens = async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
    return (caught >> BigInt(constants.signals.SIGHUP - 1)) % 2n === 1n ? true : undefined;
  };
  try {
    await waitFor('handlers of signals', listens);
    child.kill(signal);
    expect(await ended).toEqual([2, null]);
    expect(await messages).toBe(`marathon-ipvs: ended by ${signal}\n`);
  } finally {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true });
  }
});

test.each([
  ['a device', '/dev/zero', '/dev/zero'],
  ['standard input', '- < /dev/zero', 'standard input'],
])('a definition without an end is refused: %s', async (_what, place, name) => {
  const line = `exec "$0" app add --marathon http://127.0.0.1:1 ${place}`;
  expect(await command(['sh', '-c', line, LAUNCHER])).toEqual({
    status: 2,
    stdout: '',
    stderr: `marathon-ipvs: ${name} has more than 64 MiB, expected the JSON of one app\n`,
  });
});

test('a definition may come from a pipe of the shell', async () => {
  const line = 'exec "$0" app add --marathon http://127.0.0.1:1 <(echo no JSON)';
  const { stderr } = await command(['bash', '-c', line, LAUNCHER]);
  expect(stderr).toMatch(/^marathon-ipvs: \/dev\/fd\/\d+: not JSON: line 1, column 2/);
});

test('a definition that is not UTF-8 is refused, since Marathon would get other characters', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'input-'));
  try {
    const file = join(directory, 'app.json');
    await writeFile(file, Buffer.from('{"id": "/a", "env": {"PASSWORD": "gr\xfcn"}}', 'latin1'));
    const add = (place: string) => `"$0" app add --marathon http://127.0.0.1:1 ${place}`;
    const refused = (name: string) => ({
      status: 2,
      stdout: '',
      stderr: `marathon-ipvs: ${name} is not UTF-8: sending it would change its non-ASCII characters\n`,
    });
    expect(await command(['sh', '-c', add(file), LAUNCHER])).toEqual(refused(file));
    expect(await command(['sh', '-c', add(`< ${file}`), LAUNCHER])).toEqual(refused('standard input'));
  } finally {
    await rm(directory, { recursive: true });
  }
});
