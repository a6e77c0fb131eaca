/** The only code that writes to standard output and standard error; the log has its own stream (log.ts). */

import type { Config } from '../config/config.ts';
import { messageOf } from '../errors.ts';
import { cut, type Layout, painter } from '../text/table.ts';
import { onlyColours, visible } from '../text/visible.ts';

/** The part of a standard stream that is used here. */
export type Stream = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & {
  write(text: string, written?: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
};

/** The output functions of a command. */
export interface Printer {
  /** Prints lines to standard output. As a last safety net, it removes all escape sequences but our own colours. */
  print(text: string): void;
  /** Prints a line to standard error, prefixed with the program's name. */
  printError(line: string): void;
  /** Replaces the progress line on standard error; null removes it. */
  progress(line: string | null): void;
  /** On a terminal, replaces the text that was shown before; else prints after it. */
  redraw(text: string): void;
  /** The current layout of standard output: the width of the terminal, and colours according to `--color`. */
  layout(): Pick<Layout, 'width' | 'paint'>;
}

/**
 * Standard output and standard error of the process.
 *
 * If the reader of a pipe exits early (`diff | head -1`), further output is dropped silently, and the command still runs to
 * its end with its usual exit status. `readerGone` then aborts, for commands that do nothing but print repeatedly.
 */
export interface Terminal {
  /** `auto` colours on a terminal, unless it is a dumb one or `NO_COLOR` is set. */
  printer(color: Config['color']): Printer;
  readonly readerGone: AbortSignal;
  /** Waits for all output to be written. Resolves with an error message, or null; a reader that is gone is no error. */
  finish(): Promise<string | null>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Creates the terminal. `environment` provides `NO_COLOR`, `TERM` and the locale. */
export function createTerminal(stdout: Stream, stderr: Stream, environment: Environment): Terminal {
  const [out, err] = [stdout, stderr].map((stream) => inCharset(stream, environment)) as [Stream, Stream];
  const gone = new AbortController();
  let failure: string | null = null;
  out.on('error', (error) => {
    gone.abort();
    if (!isReaderGone(error)) failure ??= `standard output cannot be written: ${messageOf(error)}`;
  });
  // There is nowhere left to report the error.
  err.on('error', () => {});

  const print = (text: string) => {
    if (!gone.signal.aborted) out.write(onlyColours(text));
  };
  const screen = createScreen();
  const line = createLine(err);
  return {
    printer: (color) => ({
      print,
      printError: (text) => err.write(`marathon-ipvs: ${visible(text)}\n`),
      progress: (text) => line(text === null ? null : visible(text)),
      redraw(text) {
        if (out.isTTY !== true) print(text.endsWith('\n') ? text : `${text}\n`);
        else if (!gone.signal.aborted) out.write(screen(onlyColours(text)));
      },
      layout: () => ({
        width: out.isTTY === true ? out.columns || null : null,
        paint: painter(
          color === 'always' || (color === 'auto' && out.isTTY === true && colours(environment)),
        ),
      }),
    }),
    readerGone: gone.signal,
    async finish() {
      await new Promise((resolve) => out.write('', resolve));
      return failure;
    },
  };
}

/** The stream; for a terminal without UTF-8 one that replaces our own non-ASCII characters. */
function inCharset(stream: Stream, environment: Environment): Stream {
  if (stream.isTTY !== true || showsUtf8(environment)) return stream;
  return {
    isTTY: true,
    get columns() {
      return stream.columns;
    },
    write: (text, written) => stream.write(inAscii(text), written),
    on: (event, listener) => stream.on(event, listener),
  };
}

/** Replaces our own non-ASCII characters; a shortened table cell keeps its width. */
function inAscii(text: string): string {
  return text
    .replaceAll(/…(?= {2}|[^\P{Cc}\n])/gu, '~')
    .replaceAll('…', '...')
    .replaceAll('·', '-');
}

/** Whether the locale is UTF-8. An unset locale, common in containers, counts as UTF-8. */
function showsUtf8(environment: Environment): boolean {
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || 'UTF-8';
  return /utf-?8/i.test(locale);
}

function colours(environment: Environment): boolean {
  return (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}

function isReaderGone(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET');
}

const TOP = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';
const WHOLE_SCREEN = '\u001b[2J';

/** Returns a function that overwrites the previous text in place, so that the screen does not flicker. */
function createScreen(): (text: string) => string {
  let before = WHOLE_SCREEN;
  return (text) => {
    const lines = text.trimEnd().split('\n');
    const drawn = `${before}${TOP}${lines.map((line) => `${line}${REST_OF_LINE}\n`).join('')}${REST_OF_SCREEN}`;
    before = '';
    return drawn;
  };
}

/** The width assumed for a terminal that does not report one. */
const UNKNOWN_WIDTH = 80;

/** Returns a function that shows the progress line; without a terminal it prints each new line once. */
function createLine(err: Stream): (line: string | null) => void {
  let shown = '';
  return (line) => {
    const text = line ?? '';
    if (text === shown) return;
    if (err.isTTY === true) {
      err.write(`\r${cut(text, (err.columns || UNKNOWN_WIDTH) - 1)}${REST_OF_LINE}`);
    } else if (line !== null) {
      err.write(`${line}\n`);
    }
    shown = text;
  };
}
