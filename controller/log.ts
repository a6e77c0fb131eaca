import { type DestinationStream, destination, type Level, pino } from 'pino';
import { withoutCredentials } from './config/values.ts';
import { messageOf } from './errors.ts';
import type { Log } from './ports.ts';
import { visibleInJson } from './text/visible.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Creates a log of JSON lines on standard error: level, time, fields and message.
 *
 * Errors include the messages of their causes. Possible credentials are masked, by the name of the field and by the form of
 * a text. Control characters are escaped.
 */
export function createLog(level: LogLevel, stream: DestinationStream = standardError()): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => stream.write(visibleInJson(line)) },
  );
  const at =
    (label: Level): Log[LogLevel] =>
    (message, fields = {}) => {
      if (logger.isLevelEnabled(label)) logger[label](plainFields(fields), message);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Writes synchronously, so that the last messages before an exit are not lost. */
function standardError(): DestinationStream {
  const stream = destination({ dest: 2, sync: true });
  // The reader of the log is gone (EPIPE); the host's traffic does not depend on it.
  stream.on('error', () => {});
  return stream;
}

type Fields = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 6;
const SECRET_NAME = /password|passwd|secret|token|authorization|cookie|credential/i;
const SECRET_TEXT = /\b(Basic|Bearer|token=)\s*[A-Za-z0-9._~+/=-]{8,}/gi;
const RESERVED: ReadonlySet<string> = new Set(['level', 'time', 'msg']);

function plainFields(fields: Fields, depth = 0): Fields {
  const entries = Object.entries(fields).map(([name, value]) => {
    const secret = SECRET_NAME.test(name) && typeof value === 'string' && value !== '';
    // A second `time` in a line would hide the first from a reader.
    const own = depth === 0 && RESERVED.has(name) ? `${name}_` : name;
    return [own, secret ? '***' : plain(value, depth)];
  });
  return Object.fromEntries(entries);
}

/** Converts a value to plain JSON data. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return plainError(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (value instanceof Date) return value.toJSON();
  if (value instanceof Map) return [...value].map((entry) => plain(entry, depth + 1));
  if (Array.isArray(value) || value instanceof Set) return [...value].map((item) => plain(item, depth + 1));
  return plainFields({ ...value }, depth + 1);
}

function plainError(error: Error): Fields {
  const code = 'code' in error ? { code: String(error.code) } : {};
  const stack = withoutSecrets(error.stack ?? '').replace(/^[\s\S]*?\n(?= +at )/, '');
  return { type: error.name, message: withoutSecrets(messageOf(error)), ...code, stack };
}

function withoutSecrets(text: string): string {
  return withoutCredentials(text).replace(SECRET_TEXT, '$1 ***');
}
