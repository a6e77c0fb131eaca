import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { createTerminal, type Printer, type Terminal } from '../../../controller/cli/terminal.ts';
import { ALL_HOSTILE, expectHarmless } from '../../support/hostile-text.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Something like `process.stdout`, that remembers and can break. */
function pipe(columns: number | null = null) {
  let text = '';
  let onError = (_error: Error) => {};
  return {
    isTTY: columns !== null,
    columns: columns ?? 0,
    write(more: string, written?: () => void) {
      text += more;
      written?.();
    },
    on(_event: 'error', listener: (error: Error) => void) {
      onError = listener;
    },
    fails(code: string) {
      onError(Object.assign(new Error(`write ${code}`), { code }));
    },
    get text() {
      return text;
    },
  };
}

function terminalOf(out = pipe(), err = pipe(), environment: Record<string, string> = {}): Terminal {
  return createTerminal(out as never, err as never, environment);
}

function printerOf(out = pipe(), err = pipe()): Printer {
  return terminalOf(out, err).printer('auto');
}

describe('what is written', () => {
  test("an error is one line, prefixed with the program's name", () => {
    const err = pipe();
    printerOf(pipe(), err).printError(`no app ${ALL_HOSTILE}`);
    expect(err.text).toMatch(/^marathon-ipvs: no app \\x1b\[31mred[^\n]*\n$/);
    expectHarmless(err.text);
  });

  test('foreign text that was not escaped does no harm, in text or progress', () => {
    const [out, err] = [pipe(), pipe()];
    const output = printerOf(out, err);
    output.print(`\u001b[32mok\u001b[0m ${ALL_HOSTILE.replaceAll(/[\n\t]/g, '')}\n`);
    output.progress(`waiting for ${ALL_HOSTILE}`);
    expectHarmless(out.text);
    expectHarmless(err.text);
    expect(out.text).toContain('\u001b[32mok\u001b[0m');
    expect(err.text.split('\n')).toHaveLength(2);
  });

  test('colours are for terminals, subject to NO_COLOR, TERM and the option', () => {
    const colour = (out: ReturnType<typeof pipe>, environment = {}) =>
      (['auto', 'always', 'never'] as const).map((choice) =>
        terminalOf(out, pipe(), environment).printer(choice).layout().paint('red', 'x').includes('\u001b'),
      );
    expect(colour(pipe(80))).toEqual([true, true, false]);
    expect(colour(pipe(80), { NO_COLOR: '1' })).toEqual([false, true, false]);
    expect(colour(pipe(80), { TERM: 'dumb' })).toEqual([false, true, false]);
    expect(colour(pipe())).toEqual([false, true, false]);
  });

  test('the width is the one that the terminal reports', () => {
    expect([pipe(80), pipe(0), pipe()].map((out) => printerOf(out).layout().width)).toEqual([80, null, null]);
  });
});

describe('a terminal without UTF-8', () => {
  const printed = (out: ReturnType<typeof pipe>, environment: Record<string, string>) => {
    terminalOf(out, pipe(), environment).printer('auto').print('my-service.…  · URL[,URL…]\n');
    return out.text;
  };

  test.each<[string, Record<string, string>]>([
    ['LC_ALL=C', { LC_ALL: 'C', LANG: 'en_US.UTF-8' }],
    ['LC_CTYPE=de_DE.ISO-8859-1', { LC_CTYPE: 'de_DE.ISO-8859-1', LANG: 'en_US.UTF-8' }],
    ['LANG=POSIX', { LANG: 'POSIX' }],
  ])('gets signs of ASCII for ours, and columns stay aligned: %s', (_, environment) => {
    expect(printed(pipe(80), environment)).toBe('my-service.~  - URL[,URL...]\n');
  });

  test('is assumed only if the locale says so, and only for a terminal', () => {
    const whole = 'my-service.…  · URL[,URL…]\n';
    expect(printed(pipe(80), {})).toBe(whole);
    expect(printed(pipe(80), { LC_ALL: '', LANG: 'C.utf8' })).toBe(whole);
    expect(printed(pipe(), { LC_ALL: 'C' })).toBe(whole);
  });

  test('gets ASCII in messages and progress too', () => {
    const err = pipe(80);
    const printer = terminalOf(pipe(), err, { LC_ALL: 'C' }).printer('auto');
    printer.printError('expected KEY=VALUE…');
    printer.progress('deploying…');
    expect(err.text).toBe('marathon-ipvs: expected KEY=VALUE...\n\rdeploying~\u001b[K');
  });
});

describe('the one line of progress', () => {
  const written = (columns: number | null, ...lines: (string | null)[]) => {
    const err = pipe(columns);
    const { progress } = printerOf(pipe(), err);
    for (const line of lines) progress(line);
    return err.text;
  };

  test('on a terminal each line replaces the previous one, cut to the width, and disappears at the end', () => {
    expect(written(10, 'one', 'one', 'a longer line', null, null)).toBe(
      '\rone\u001b[K\ra longer \u001b[K\r\u001b[K',
    );
  });

  test('elsewhere each line is printed once', () => {
    expect(written(null, 'one', 'one', 'two', null)).toBe('one\ntwo\n');
  });

  test('a terminal that does not report its width counts as 80 columns wide', () => {
    expect(written(0, 'x'.repeat(100))).toBe(`\r${'x'.repeat(79)}\u001b[K`);
  });
});

describe('a text that is redrawn', () => {
  test('replaces the previous one on a terminal, without flicker', () => {
    const out = pipe(80);
    const { redraw } = printerOf(out);
    redraw('one\n');
    redraw('two\n');
    expect(out.text).toBe('\u001b[2J\u001b[Hone\u001b[K\n\u001b[J\u001b[Htwo\u001b[K\n\u001b[J');
  });

  test('follows the previous one elsewhere', () => {
    const out = pipe();
    const { redraw } = printerOf(out);
    redraw('one');
    redraw('two\n');
    expect(out.text).toBe('one\ntwo\n');
  });
});

describe('a reader who has gone', () => {
  test('gets no further output, and is not an error', async () => {
    const out = pipe();
    const output = terminalOf(out);
    const { print } = output.printer('auto');
    print('one\n');
    out.fails('EPIPE');
    print('two\n');
    expect(output.readerGone.aborted).toBe(true);
    expect(out.text).toBe('one\n');
    expect(await output.finish()).toBeNull();
  });

  test('is not confused with a full disk, which is reported', async () => {
    const out = pipe();
    const output = terminalOf(out);
    out.fails('ENOSPC');
    expect(await output.finish()).toBe(
      'standard output cannot be written: no space is left on the file system',
    );
  });

  test('of standard error ends nothing', () => {
    const err = pipe();
    const output = terminalOf(pipe(), err);
    err.fails('EPIPE');
    output.printer('auto').printError('nobody hears it');
    expect(output.readerGone.aborted).toBe(false);
  });

  test.each([
    ['diff', 1, '--source file=apps.json --against none'],
    ['run --once --dry-run', 1, '--source file=apps.json --against none'],
    ['connection', 0, '--source file=apps.json'],
    ['--help', 0, ''],
    ['completion bash', 0, ''],
    ['app list', 2, '--marathon http://127.0.0.1:1'],
    ['status', 2, '--server http://127.0.0.1:1'],
  ])('changes nothing of the exit status of %s', async (command, expected, options) => {
    const directory = await mkdtemp(join(tmpdir(), 'reader-'));
    try {
      const task = { id: 't', host: '10.0.0.1', ports: [31000], state: 'TASK_RUNNING' };
      const app = { id: '/web', portDefinitions: [{ labels: { VIP_0: '/web:80' } }], tasks: [task] };
      await writeFile(join(directory, 'apps.json'), JSON.stringify([app]));
      // A pipe whose only reader has closed it already, for standard output and standard error.
      const pipe = 'mkfifo pipe; exec 3<>pipe; exec 4>pipe; exec 3<&-';
      const script = `${pipe}; timeout 600 "$0" ${command} ${options} >&4 2>&4; echo "$?"`;
      const { stdout, stderr } = spawnSync(
        'bash',
        ['--norc', '-c', script, `${ROOT}controller/marathon-ipvs`],
        {
          cwd: directory,
          encoding: 'utf8',
        },
      );
      expect({ stdout, stderr }).toEqual({ stdout: `${expected}\n`, stderr: '' });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('a full disk is reported, with exit status 2', () => {
    const script = 'controller/marathon-ipvs --help > /dev/full';
    const { status, stderr } = spawnSync('bash', ['--norc', '-c', script], { cwd: ROOT, encoding: 'utf8' });
    expect(stderr).toMatch(/^marathon-ipvs: standard output cannot be written: no space is left[^\n]*\n$/);
    expect(status).toBe(2);
  });
});

test('nothing else writes to standard output or standard error', () => {
  const writers = readdirSync(`${ROOT}controller`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .filter((path) =>
      /process\.std(?:out|err)|\bconsole\.|writeSync\(|from 'node:tty'|dest: ?[12]\b/.test(
        readFileSync(`${ROOT}controller/${path}`, 'utf8'),
      ),
    );
  // The log has a stream of its own; the process hands its streams to the writer; what runs in another network namespace
  // is a process of its own, which answers on its standard output.
  expect(writers.sort()).toEqual([
    'log.ts',
    'main.ts',
    'netns-facts.ts',
    'netns-helper.ts',
    'why/read/client.ts',
  ]);
  expect(readFileSync(`${ROOT}controller/main.ts`, 'utf8').match(/process\.std(?:out|err)/g)).toHaveLength(2);
});

test('nothing else makes colours or moves the cursor', () => {
  const painters = readdirSync(`${ROOT}controller`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .filter((path) => /\\u001b\[|\\x1b\[|styleText/.test(readFileSync(`${ROOT}controller/${path}`, 'utf8')));
  expect(painters.sort()).toEqual(['cli/terminal.ts', 'text/table.ts']);
});
