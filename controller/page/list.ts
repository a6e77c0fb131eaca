/** Filters, sorts and pages the list of VIPs. */

import type { VipState } from '../status/document.ts';
import type { Figures } from '../status/figures.ts';
import type { VipRow } from '../status/rows.ts';
import { STATES } from './format.ts';

export const COLUMNS = ['name', 'address', 'state', 'backends', 'connections', 'rate', 'since'] as const;
export type Column = (typeof COLUMNS)[number];

export interface ListQuery {
  /** Words, all of which must occur in name, address, port, protocol, app or reason. */
  readonly text: string;
  readonly state: VipState | null;
  readonly sort: Column;
  readonly descending: boolean;
  /** Counted from 0. */
  readonly page: number;
}

export interface ListPage {
  readonly rows: readonly VipRow[];
  /** The number of matching VIPs on all pages. */
  readonly found: number;
  /** The page shown: the requested one, or the last if that does not exist. */
  readonly page: number;
  readonly pages: number;
  readonly first: number;
}

/** As many rows as a browser lays out within a frame. */
const PAGE_ROWS = 50;

export function parseListQuery(query: URLSearchParams): ListQuery {
  const page = Number(query.get('page') ?? 1);
  return {
    text: query.get('q') ?? '',
    state: STATES.find((state) => state === query.get('state')) ?? null,
    sort: COLUMNS.find((column) => column === query.get('sort')) ?? 'name',
    descending: query.get('order') === 'down',
    page: Number.isSafeInteger(page) && page > 0 ? page - 1 : 0,
  };
}

/** The URL hash of a list; defaults are left out. */
export function listLink({ text, state, sort, descending, page }: ListQuery): string {
  const query = new URLSearchParams();
  if (text !== '') query.set('q', text);
  if (state !== null) query.set('state', state);
  if (sort !== 'name') query.set('sort', sort);
  if (descending) query.set('order', 'down');
  if (page > 0) query.set('page', String(page + 1));
  const search = query.toString();
  return search === '' ? '#/services' : `#/services?${search}`;
}

export function listPage(rows: Iterable<VipRow>, query: ListQuery): ListPage {
  const found = [...rows].filter(matching(query)).sort(comparing(query));
  const pages = Math.max(1, Math.ceil(found.length / PAGE_ROWS));
  const page = Math.min(query.page, pages - 1);
  const first = page * PAGE_ROWS;
  return { rows: found.slice(first, first + PAGE_ROWS), found: found.length, page, pages, first };
}

function matching({ text, state }: ListQuery): (row: VipRow) => boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) =>
    (state === null || row.state === state) && words.every((word) => textOf(row).includes(word));
}

/** Searchable texts by row: a row that has not changed stays the same object from event to event. */
const texts = new WeakMap<VipRow, string>();

function textOf(row: VipRow): string {
  let text = texts.get(row);
  if (text === undefined) {
    const { id, fqdn, address, port, protocol, apps, reason, state, spread } = row;
    const words = [id, fqdn, `${address}:${port}`, protocol, ...apps, reason, state, ...figuresText(row)];
    text = [...words, spread?.uneven && 'uneven'].join(' ').toLowerCase();
    texts.set(row, text);
  }
  return text;
}

/** Why backends get fewer connections than their weight would give them: `1 ejected`, `2 in slow start`. */
export function figuresText({
  ejected,
  inSlowStart,
  leftOut,
}: Omit<Figures, 'backends' | 'inRotation'>): readonly string[] {
  return [
    ejected > 0 && `${ejected} ejected`,
    inSlowStart > 0 && `${inSlowStart} in slow start`,
    leftOut > 0 && `${leftOut} left out`,
  ].filter((text) => text !== false);
}

function comparing({ sort, descending }: ListQuery): (a: VipRow, b: VipRow) => number {
  const compare = COMPARE[sort];
  const direction = descending ? -1 : 1;
  // Rows that compare equal are sorted by name, so that they do not move while numbers change.
  return (a, b) => direction * compare(a, b) || byName(a, b);
}

const COMPARE: Readonly<Record<Column, (a: VipRow, b: VipRow) => number>> = {
  name: byName,
  address: (a, b) => addressText(a).localeCompare(addressText(b), 'en', { numeric: true }),
  state: (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state),
  backends: (a, b) => a.inRotation - b.inRotation || a.backends - b.backends,
  connections: (a, b) => a.activeConnections - b.activeConnections,
  rate: (a, b) => (a.connectionRate ?? 0) - (b.connectionRate ?? 0),
  since: (a, b) => compareText(a.since, b.since),
};

function byName(a: VipRow, b: VipRow): number {
  return (
    compareText(a.fqdn ?? `~${addressText(a)}`, b.fqdn ?? `~${addressText(b)}`) || compareText(a.id, b.id)
  );
}

function addressText({ address, port }: VipRow): string {
  return `${address ?? '~'}:${port}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
