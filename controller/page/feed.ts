/** What the page knows of the host, put together from the events that it has heard. */

import type { AllRows, ChangedRows, Findings, Overview, VipRow } from '../status/rows.ts';

export interface Feed {
  /** null before the first event. */
  readonly known: Known | null;
  /** Whether the connection stands, as far as the browser knows. */
  readonly connected: boolean;
  /** When an event was last heard, in milliseconds by the browser's clock. */
  readonly heardAt: number | null;
  /** Why the controller tells nothing; null while it does. */
  readonly refused: Refusal | null;
}

export interface Refusal {
  /** Whether a token was shown. */
  readonly tried: boolean;
  /** In the controller's words. */
  readonly text: string;
}

export interface Known {
  readonly overview: Overview;
  readonly findings: Findings;
  readonly rows: ReadonlyMap<string, VipRow>;
  /** Connections per second of each VIP at the last events, the newest last. */
  readonly samples: ReadonlyMap<string, readonly number[]>;
}

/** Two minutes of them. */
export const MOST_SAMPLES = 60;

export const NOTHING_HEARD: Feed = { known: null, connected: false, heardAt: null, refused: null };

export function heardAll(feed: Feed, { overview, findings, vips }: AllRows, now: number): Feed {
  const rows = new Map(vips.map((row) => [row.id, row]));
  const samples = sampled(feed.known?.samples ?? new Map(), rows);
  return { known: { overview, findings, rows, samples }, ...heard(now) };
}

/** Changes to nothing are none: after a pause the server sends everything first. */
export function heardChanges(feed: Feed, changes: ChangedRows, now: number): Feed {
  const { known } = feed;
  if (known === null) return feed;
  const rows = new Map(known.rows);
  for (const id of changes.gone) rows.delete(id);
  for (const row of changes.vips) rows.set(row.id, row);
  const findings = changes.findings ?? known.findings;
  const samples = sampled(known.samples, rows);
  return { known: { overview: changes.overview, findings, rows, samples }, ...heard(now) };
}

function heard(now: number): Omit<Feed, 'known'> {
  return { connected: true, heardAt: now, refused: null };
}

function sampled(before: Known['samples'], rows: Known['rows']): Known['samples'] {
  return new Map(
    [...rows.values()].map(({ id, connectionRate }) => [
      id,
      [...(before.get(id) ?? []), connectionRate ?? 0].slice(-MOST_SAMPLES),
    ]),
  );
}

/** Events come every two seconds; two may be late. */
const STALE_MS = 7_000;

export type Freshness =
  | { readonly kind: 'connecting' | 'live' }
  | { readonly kind: 'stale'; readonly seconds: number };

/** Whether what is shown is what is. */
export function freshnessOf({ heardAt }: Feed, now: number): Freshness {
  if (heardAt === null) return { kind: 'connecting' };
  const age = now - heardAt;
  return age < STALE_MS ? { kind: 'live' } : { kind: 'stale', seconds: Math.round(age / 1_000) };
}
