/** The state of the host as the page knows it, built from the events it has received. */

import type { AllRows, ChangedRows, Findings, Overview, VipRow } from '../status/rows.ts';

export interface Feed {
  /** null before the first event. */
  readonly known: Known | null;
  /** Whether the connection is open, as far as the browser knows. */
  readonly connected: boolean;
  /** When the last event was received, in milliseconds of the browser's clock; null before the first. */
  readonly receivedAt: number | null;
  /** Why the controller refuses access; null if it does not. */
  readonly refused: Refusal | null;
}

export interface Refusal {
  /** Whether a token was sent. */
  readonly hadToken: boolean;
  /** The controller's message. */
  readonly text: string;
}

export interface Known {
  readonly overview: Overview;
  readonly findings: Findings;
  readonly rows: ReadonlyMap<string, VipRow>;
  /** Connections per second of each VIP at the most recent events, newest last. */
  readonly samples: ReadonlyMap<string, readonly number[]>;
}

/** Two minutes of samples. */
export const MAX_SAMPLES = 60;

export const EMPTY_FEED: Feed = { known: null, connected: false, receivedAt: null, refused: null };

/** The feed after an `all` event. */
export function withAll(feed: Feed, { overview, findings, vips }: AllRows, now: number): Feed {
  const rows = new Map(vips.map((row) => [row.id, row]));
  const samples = sampled(feed.known?.samples ?? new Map(), rows);
  return { known: { overview, findings, rows, samples }, ...received(now) };
}

/** The feed after a `changes` event; unchanged before the first `all`, which the server always sends first. */
export function withChanges(feed: Feed, changes: ChangedRows, now: number): Feed {
  const { known } = feed;
  if (known === null) return feed;
  const rows = new Map(known.rows);
  for (const id of changes.gone) rows.delete(id);
  for (const row of changes.vips) rows.set(row.id, row);
  const findings = changes.findings ?? known.findings;
  const samples = sampled(known.samples, rows);
  return { known: { overview: changes.overview, findings, rows, samples }, ...received(now) };
}

function received(now: number): Omit<Feed, 'known'> {
  return { connected: true, receivedAt: now, refused: null };
}

function sampled(before: Known['samples'], rows: Known['rows']): Known['samples'] {
  return new Map(
    [...rows.values()].map(({ id, connectionRate }) => [
      id,
      [...(before.get(id) ?? []), connectionRate ?? 0].slice(-MAX_SAMPLES),
    ]),
  );
}

/** Events come every two seconds; two may be late. */
const STALE_MS = 7_000;

export type Freshness =
  | { readonly kind: 'connecting' | 'live' }
  | { readonly kind: 'stale'; readonly seconds: number };

/** Whether the shown state is current. */
export function freshnessOf({ receivedAt }: Feed, now: number): Freshness {
  if (receivedAt === null) return { kind: 'connecting' };
  const age = now - receivedAt;
  return age < STALE_MS ? { kind: 'live' } : { kind: 'stale', seconds: Math.round(age / 1_000) };
}
