/** Text in aligned columns, for a terminal of whatever width. */

import { visible } from '../visible.ts';

/** ANSI's number of a colour: those that the diff has, and bold for headings. */
export type Colour = '1' | '2' | '31' | '32' | '33';
export type Paint = (colour: Colour | null, text: string) => string;

/** `colour`: with ANSI colours; else the text as it is. */
export function painter(colour: boolean): Paint {
  return (number, text) =>
    colour && number !== null && text !== '' ? `\u001b[${number}m${text}\u001b[0m` : text;
}

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly align?: 'right';
  readonly colour?: (row: Row) => Colour | null;
  /** Of columns that do not fit, the one with the least goes first; one without stays, and is shortened at last. */
  readonly worth?: number;
}

export interface Layout {
  /** Characters of a line; null: as many as it takes. */
  readonly width: number | null;
  readonly paint: Paint;
  /** Stands before every line. */
  readonly indent?: string;
}

/** A heading and a line for each row, whatever the text of its cells is. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], layout: Layout): string[] {
  const { width, paint, indent = '' } = layout;
  const room = (width ?? Number.POSITIVE_INFINITY) - indent.length;
  const shown = fitting(rows, columns, room);
  const heading = shown.map(({ column, width: size }) => paint('1', pad(column, column.title, size)));
  const lines = rows.map((row) =>
    shown.map(({ column, width: size }) => {
      const text = pad(column, shorten(visible(column.text(row)), size), size);
      return paint(column.colour?.(row) ?? null, text);
    }),
  );
  return [heading, ...lines].map((cells) => `${indent}${cells.join(GAP)}`.trimEnd());
}

const GAP = '  ';
/** What is left of a column that is shortened. */
const LEAST = 12;

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
    const widths = rows.map((row) => visible(column.text(row)).length);
    return { column, width: widths.reduce((most, one) => Math.max(most, one), column.title.length) };
  });
  while (widthOf(shown) > room) {
    const least = shown.reduce<Sized<Row> | null>(
      (found, one) => (worth(one) < worth(found) ? one : found),
      null,
    );
    if (least === null) break;
    shown = shown.filter((one) => one !== least);
  }
  const missing = widthOf(shown) - room;
  if (missing <= 0) return shown;
  // The first column has what a reader can best guess the rest of: the name.
  return shown.map((one, at) => (at === 0 ? { ...one, width: Math.max(LEAST, one.width - missing) } : one));
}

function worth<Row>(one: Sized<Row> | null): number {
  return one?.column.worth ?? Number.POSITIVE_INFINITY;
}

function widthOf<Row>(shown: readonly Sized<Row>[]): number {
  return shown.reduce((total, { width }) => total + width + GAP.length, -GAP.length);
}

function shorten(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}

function pad<Row>({ align }: Column<Row>, text: string, width: number): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}
