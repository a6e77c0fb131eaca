/**
 * Makes untrusted text safe to print. Ids, labels and messages come from whoever may deploy an app; characters that control
 * a terminal, or that are invisible, are shown by their code: `\x1b`, `\n`, `\u202e`.
 */

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, lone surrogates, and invisible characters: bidirectional
 * controls, zero-width characters, byte order marks, fillers, variation selectors.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** Without the `g` flag, with which `test` would be stateful. */
const ANY_UNSAFE = new RegExp(UNSAFE.source, 'u');

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text that is safe within one line. Idempotent. */
export function visible(text: string): string {
  return ANY_UNSAFE.test(text)
    ? text.replace(UNSAFE, (character) => SHORT[character] ?? code(character))
    : text;
}

/** The same in double quotes, for a value in a message. */
export function quoted(text: string): string {
  return `"${visible(text).replaceAll('"', '\\"')}"`;
}

/** A copy of a document with all texts and keys made safe. Parts that are safe already are shared, not copied. */
export function visibleDocument<T>(document: T): T {
  return made(document) as T;
}

const TOO_LONG = 'it is too long to be written as JSON: a text has at most 536 million characters';

/** A document that is too large to be written as one text. */
export class DocumentTooLong extends Error {
  override readonly name = 'DocumentTooLong';
}

/**
 * JSON that is safe to print: unsafe characters are written as `\u` and four digits, so it parses to the same document.
 * Throws a `DocumentTooLong` where that is more than a text can hold.
 */
export function visibleJson(document: unknown, indent = 0): string {
  try {
    return visibleInJson(JSON.stringify(document, null, indent));
  } catch (cause) {
    // What a stack cannot hold is a RangeError too.
    if (!(cause instanceof RangeError && cause.message === 'Invalid string length')) throw cause;
    throw new DocumentTooLong(TOO_LONG, { cause });
  }
}

/** The same for existing JSON. Its line breaks and tabs stay. */
export function visibleInJson(json: string): string {
  // Most documents are plain ASCII, which is checked ten times as fast: they may be megabytes.
  return PLAIN.test(json) ? json : json.replace(UNSAFE_IN_JSON, escaped);
}

const PLAIN = /^[\n\t -~]*$/;

/**
 * The last safeguard for output to a terminal: our own colours, line breaks and tabs stay; other unsafe characters are
 * escaped as in JSON, so that JSON stays JSON.
 */
export function onlyColours(text: string): string {
  return text.replace(COLOUR_OR_UNSAFE, (found) =>
    found.length > 1 && found[0] === ESCAPE ? found : escaped(found),
  );
}

const UNSAFE_IN_JSON = /[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const ESCAPE = '\u001b';
const COLOUR_OR_UNSAFE = new RegExp(`${ESCAPE}\\[\\d{0,3}m|${UNSAFE_IN_JSON.source}`, 'gu');

/** Escapes by UTF-16 code units, as in JSON and YAML: `\ud83d\ude00`. */
function escaped(character: string): string {
  let text = '';
  for (let at = 0; at < character.length; at += 1) text += `\\u${hex(character.charCodeAt(at), 4)}`;
  return text;
}

function code(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x100) return `\\x${hex(point, 2)}`;
  return point < 0x10000 ? `\\u${hex(point, 4)}` : `\\u{${hex(point, 5)}}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function made(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  if (Array.isArray(value)) {
    const items = value.map(made);
    return items.every((item, at) => item === value[at]) ? value : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [made(key), made(each)]));
  if (value instanceof Set) return new Set([...value].map(made));
  const before = Object.entries(value);
  const after = before.map(([key, each]): [string, unknown] => [visible(key), made(each)]);
  const same = after.every(([key, each], at) => key === before[at]?.[0] && each === before[at]?.[1]);
  return same ? value : Object.fromEntries(after);
}
