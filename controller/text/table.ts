/** Text in aligned columns, for a terminal of any width. */

import { visible } from './visible.ts';

/** The colours that commands print in, by their ANSI numbers. */
const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export type Colour = keyof typeof COLOURS;
export type Paint = (colour: Colour | null, text: string) => string;

/** Colours text where `colour` is true; else leaves it as it is. */
export function painter(colour: boolean): Paint {
  return (name, text) =>
    colour && name !== null && text !== '' ? `\u001b[${COLOURS[name]}m${text}\u001b[0m` : text;
}

/** The width of a text in columns of a terminal: an ideograph or an emoji takes two, a combining mark none. */
export function textWidth(text: string): number {
  if (NARROW.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += MARK.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

const NARROW = /^[ -~]*$/;
const MARK = /^\p{M}$/u;
/** The blocks of East Asian Wide and Fullwidth characters (Unicode UAX #11), and emoji. */
const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$/u;

/** The text in at most `width` columns; ends in `…` when it is cut. */
export function shorten(text: string, width: number): string {
  return textWidth(text) > width ? `${cut(text, width - 1)}…` : text;
}

/** As much of the text as fits in `width` columns. */
export function cut(text: string, width: number): string {
  let kept = '';
  let left = width;
  for (const character of text) {
    left -= textWidth(character);
    if (left < 0) break;
    kept += character;
  }
  return kept;
}

/** The text padded with blanks to `width` columns. */
export function pad(text: string, width: number, align?: 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'right' ? blanks + text : text + blanks;
}

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly align?: 'right';
  readonly colour?: (row: Row) => Colour | null;
  /** When columns do not fit, the one with the lowest priority is left out first. One without a priority always stays. */
  readonly priority?: number;
}

export interface Layout {
  /** Columns of a line; null for no limit. */
  readonly width: number | null;
  readonly paint: Paint;
  /** Prefix of each line. */
  readonly indent?: string;
}

/** Formats a heading and a line for each row. Cells may hold any text; unsafe characters are made visible. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], layout: Layout): string[] {
  const { width, paint, indent = '' } = layout;
  const room = (width ?? Number.POSITIVE_INFINITY) - indent.length;
  const shown = fitting(rows, columns, room);
  const heading = shown.map(({ column, width: size }) =>
    paint('bold', pad(column.title, size, column.align)),
  );
  const lines = rows.map((row) =>
    shown.map(({ column, width: size }) => {
      const text = pad(shorten(visible(column.text(row)), size), size, column.align);
      return paint(column.colour?.(row) ?? null, text);
    }),
  );
  return [heading, ...lines].map((cells) => `${indent}${cells.join(GAP)}`.trimEnd());
}

const GAP = '  ';
/** The minimum width of a shortened column. */
const MIN_WIDTH = 12;

interface Sized<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

function fitting<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  room: number,
): readonly Sized<Row>[] {
  let shown = columns.map((column): Sized<Row> => {
    const widths = rows.map((row) => textWidth(visible(column.text(row))));
    return { column, width: widths.reduce((most, one) => Math.max(most, one), column.title.length) };
  });
  while (widthOf(shown) > room) {
    const least = shown.reduce<Sized<Row> | null>(
      (found, one) => (priorityOf(one) < priorityOf(found) ? one : found),
      null,
    );
    if (least === null) break;
    shown = shown.filter((one) => one !== least);
  }
  const missing = widthOf(shown) - room;
  if (missing <= 0) return shown;
  // The first column is shortened: it has the name, whose end a reader can guess best.
  return shown.map((one, at) =>
    at === 0 ? { ...one, width: Math.max(MIN_WIDTH, one.width - missing) } : one,
  );
}

function priorityOf<Row>(one: Sized<Row> | null): number {
  return one?.column.priority ?? Number.POSITIVE_INFINITY;
}

function widthOf<Row>(shown: readonly Sized<Row>[]): number {
  return shown.reduce((total, { width }) => total + width + GAP.length, -GAP.length);
}
