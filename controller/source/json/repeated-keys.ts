import { BOUNDS } from '../../input/bounds.ts';
import { shown } from '../../input/rejection.ts';
import type { Rejection } from '../../model/app.ts';
import { atOnce } from '../../pace.ts';
import {
  afterBlanks,
  afterString,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  type Scan,
  skipChunk,
} from './bytes.ts';

/** Why a repeated key is reported, beside its last value. */
export const REPEATED_KEY =
  'this key occurs more than once in its object; only the last value, shown here, counts';

/** Those of a text that fits in memory as a whole. */
export function repeatedKeysIn(text: string): readonly Omit<Rejection, 'app'>[] {
  const repeated = atOnce(repeatedKeys(Buffer.from(text)));
  return Array.from(repeated, ([at, value]) => ({ at, value, reason: REPEATED_KEY }));
}

/** An object, with its keys so far, or a list; `step` is the key or the index of the current value. */
interface Open {
  readonly keys: Set<string> | null;
  step: string | number;
}

/** How many bytes are scanned between two yields: a few milliseconds of work. */
const SLICE_BYTES = 1 << 18;

/**
 * Finds keys that an object has more than once, by path, each with its last value as it is written. A JSON parser uses that
 * value and reports nothing. Stops at `BOUNDS.rejections` paths. Yields now and then, so that the caller can pause.
 *
 * Mistakes in the JSON are left to the parser.
 */
export function* repeatedKeys(bytes: Buffer): Generator<undefined, Map<string, string>> {
  const found = new Map<string, string>();
  const open: Open[] = [];
  let sliceEnd = SLICE_BYTES;
  for (let at = 0; at < bytes.length && found.size < BOUNDS.rejections; at++) {
    if (at > sliceEnd) {
      sliceEnd = at + SLICE_BYTES;
      yield;
    }
    switch (bytes[at]) {
      case OPEN_OBJECT:
        open.push({ keys: new Set(), step: '' });
        break;
      case OPEN_LIST:
        open.push({ keys: null, step: 0 });
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        open.pop();
        break;
      case COMMA:
        nextElement(open.at(-1));
        break;
      case QUOTE: {
        const end = afterString(bytes, at) ?? bytes.length;
        const colon = afterBlanks(bytes, end);
        if (bytes[colon] === COLON && isRepeated(open.at(-1), keyAt(bytes, at, end)))
          found.set(pathOf(open), valueAt(bytes, afterBlanks(bytes, colon + 1)));
        at = end - 1;
        break;
      }
      default:
    }
  }
  return found;
}

function nextElement(inner: Open | undefined): void {
  if (typeof inner?.step === 'number') inner.step += 1;
}

/** Goes on to a key of an object. Returns whether the object has it already. */
function isRepeated(inner: Open | undefined, key: string): boolean {
  if (!inner?.keys) return false;
  inner.step = key;
  if (inner.keys.has(key)) return true;
  if (inner.keys.size < BOUNDS.values) inner.keys.add(key);
  return false;
}

function keyAt(bytes: Buffer, from: number, to: number): string {
  const key = bytes.toString('utf8', from + 1, to - 1);
  if (!key.includes('\\')) return key;
  try {
    return String(JSON.parse(`"${key}"`));
  } catch {
    return key;
  }
}

function pathOf(open: readonly Open[]): string {
  let path = '';
  for (const { step } of open.slice(0, BOUNDS.depth))
    path += typeof step === 'number' ? `[${step}]` : `${path === '' ? '' : '.'}${shown(step)}`;
  return path;
}

/** More of a value than is shown. */
const VALUE_BYTES = 512;

function valueAt(bytes: Buffer, from: number): string {
  const value = bytes.subarray(from, from + VALUE_BYTES);
  const scan: Scan = { at: 0, depth: 0, values: 0 };
  skipChunk(value, scan);
  return shown(value.toString('utf8', 0, scan.at).trim().replace(/\s+/g, ' '));
}
