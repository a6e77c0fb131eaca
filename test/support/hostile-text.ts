/** Text that a terminal would obey, or a reader would not see or see otherwise, and how a test finds it in what is printed. */

import { expect } from '@jest/globals';

/** One of each kind; the last two forge a line. */
export const HOSTILE: readonly string[] = [
  '\u001b[31mred',
  '\u001b]52;c;ZXZpbA==\u0007',
  '\u001b]8;;http://evil/\u001b\\click\u001b]8;;\u001b\\',
  '\u009b2Jc1\u009c\u0085',
  'del\u007f\b\u0000',
  'bidi\u202eevil\u2066\u200e\u061c',
  'zero\u200b\u200d\u2060\ufeff\u00ad',
  'tag\u{e0041}\u{e007f}',
  'lone\ud800',
  'separators\u2028\u2029',
  'tab\treturn\rFORGED',
  'line\nFORGED line',
];

/** All of them in one text. */
export const ALL_HOSTILE = HOSTILE.join('');

/** Our own colours and line breaks are all that may be in text for a terminal besides what can be seen. */
export function expectHarmless(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is them that are looked for
  const rest = text.replace(/\u001b\[\d{0,3}m|\n/g, '');
  expect(rest.match(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu) ?? []).toEqual([]);
  expect(text).not.toMatch(/^\W*FORGED/m);
}

/**
 * The document with hostile text at the end of every text in it that may be any: `accepts` says whether a document with one
 * of them changed is still one.
 */
export function poisoned<T>(document: T, accepts: (document: unknown) => boolean): T {
  let copy = structuredClone(document);
  for (const path of textPaths(document)) {
    const attempt = structuredClone(copy);
    append(attempt, path);
    if (accepts(attempt)) copy = attempt;
  }
  return copy;
}

function textPaths(value: unknown): (readonly string[])[] {
  if (typeof value === 'string') return [[]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => textPaths(each).map((path) => [key, ...path]));
}

function append(root: unknown, path: readonly string[]): void {
  let holder = root as Record<string, unknown>;
  for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
  const last = path.at(-1) ?? '';
  holder[last] = `${String(holder[last])}${ALL_HOSTILE}`;
}
