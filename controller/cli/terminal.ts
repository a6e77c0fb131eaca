/** The only writer to standard output and standard error; the log has a stream of its own, `log.ts`. */

import type { Config } from '../config/config.ts';
import { messageOf } from '../errors.ts';
import { cut, type Layout, painter } from '../text-table.ts';
import { onlyColours, visible } from '../visible.ts';

/** One of the two streams of the process, or something like it. */
export type Stream = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & {
  write(text: string, written?: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
};

/** What a command prints with. */
export interface Printer {
  /** Text in lines, to standard output. The last safety net for foreign text: only our own colours get through. */
  print(text: string): void;
  /** A line to standard error, with our name before it. */
  printError(line: string): void;
  /** The progress line on standard error, in place of the one before; null removes it. */
  progress(line: string | null): void;
  /** Shows a text in place of the one before where output is a terminal, else after it. */
  redraw(text: string): void;
  /** How text for standard output is laid out now: as wide as the terminal is, and coloured as `--color` says. */
  layout(): Pick<Layout, 'width' | 'paint'>;
}

/**
 * Standard output and standard error of the process.
 *
 * Whoever read us may have seen enough (`diff | head -1`): what comes after that is dropped without a word, and the
 * command goes on to its end and its usual exit status. `readerGone` aborts then, for commands that only print, over and over.
 */
export interface Terminal {
  /** `auto` colours on a terminal, unless it is a dumb one or `NO_COLOR` is set. */
  printer(color: Config['color']): Printer;
  readonly readerGone: AbortSignal;
  /** Waits until all is written. Resolves with what could not be, for another reason than that nobody reads; or null. */
  finish(): Promise<string | null>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Makes the writer of this process. `environment`: for `NO_COLOR`, `TERM` and the locale. */
export function createTerminal(stdout: Stream, stderr: Stream, environment: Environment): Terminal {
  const [out, err] = [stdout, stderr].map((stream) => inCharset(stream, environment)) as [Stream, Stream];
  const gone = new AbortController();
  let failure: string | null = null;
  out.on('error', (error) => {
    gone.abort();
    if (!isReaderGone(error)) failure ??= `standard output cannot be written: ${messageOf(error)}`;
  });
  // There is no place left to report it.
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

/** The stream, or one that writes none of our own characters that a terminal without UTF-8 shows as two or three wrong ones. */
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

/** A cell of a table that was shortened stays as wide as it is. */
function inAscii(text: string): string {
  return text
    .replaceAll(/…(?= {2}|[^\P{Cc}\n])/gu, '~')
    .replaceAll('…', '...')
    .replaceAll('·', '-');
}

/** Whether the locale says so, or nothing says otherwise: in containers it is mostly unset. */
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

/** Each text replaces the one before, without a moment of nothing in between. */
function createScreen(): (text: string) => string {
  let before = WHOLE_SCREEN;
  return (text) => {
    const lines = text.trimEnd().split('\n');
    const drawn = `${before}${TOP}${lines.map((line) => `${line}${REST_OF_LINE}\n`).join('')}${REST_OF_SCREEN}`;
    before = '';
    return drawn;
  };
}

/** For a terminal that does not report its width. */
const UNKNOWN_WIDTH = 80;

/** Without a terminal each is a line of its own, and repetitions are left out. */
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
