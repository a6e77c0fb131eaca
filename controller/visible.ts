/**
 * Foreign text made visible. Ids, labels and messages come from whoever may deploy an app; what a terminal would obey, or
 * a reader would not see, is shown by its code: `\x1b`, `\n`, `\u202e`.
 */

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, lone surrogates, and what has no shape of its own:
 * bidirectional controls, zero-width characters, byte order marks, fillers, variation selectors.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** Without the `g` flag `test` has no memory. */
const ANY_UNSAFE = new RegExp(UNSAFE.source, 'u');

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text as a part of one line. What is visible already stays as it is, so that doing it twice changes nothing. */
export function visible(text: string): string {
  return ANY_UNSAFE.test(text)
    ? text.replace(UNSAFE, (character) => SHORT[character] ?? code(character))
    : text;
}

/** The same in double quotes, as messages quote a value. */
export function quoted(text: string): string {
  return `"${visible(text).replaceAll('"', '\\"')}"`;
}

/** A copy of a document in which every text, and every key, is visible; parts that are so already are not copied. */
export function visibleDocument<T>(document: T): T {
  return made(document) as T;
}

/**
 * JSON of a document that a terminal shows as it is: the same document for whoever parses it, with what is unsafe written
 * as `\u` and four digits.
 */
export function visibleJson(document: unknown, indent = 0): string {
  return visibleInJson(JSON.stringify(document, null, indent));
}

/** The same for text of several lines, such as JSON that exists already: its line breaks and tabulators stay. */
export function visibleInJson(json: string): string {
  // Most documents have nothing else in them, which is found ten times as fast: they may be megabytes.
  return PLAIN.test(json) ? json : json.replace(UNSAFE_IN_JSON, escaped);
}

const PLAIN = /^[\n\t -~]*$/;

/**
 * The last safety net for what goes to a terminal: our own colours, line breaks and tabulators stay; the rest is written as
 * JSON would write it, so that JSON stays JSON.
 */
export function onlyColours(text: string): string {
  return text.replace(COLOUR_OR_UNSAFE, (found) =>
    found.length > 1 && found[0] === ESCAPE ? found : escaped(found),
  );
}

const UNSAFE_IN_JSON = /[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const ESCAPE = '\u001b';
const COLOUR_OR_UNSAFE = new RegExp(`${ESCAPE}\\[\\d{0,3}m|${UNSAFE_IN_JSON.source}`, 'gu');

/** By UTF-16 units, as JSON and YAML write them: `\ud83d\ude00`. */
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
