/** The part of the status that the page's list shows, small enough to send every two seconds, and its changes. */

import { serviceFields } from '../settings/settings.ts';
import type { StatusDocument, VipDocument } from './document.ts';
import { type Figures, figuresOf } from './figures.ts';
import { spreadText } from './format.ts';

/** A VIP without its backends. Rates are per second; null if the kernel's counters are unknown. */
export interface VipRow
  extends Figures,
    Pick<
      VipDocument,
      | 'id'
      | 'name'
      | 'framework'
      | 'fqdn'
      | 'protocol'
      | 'address'
      | 'port'
      | 'scheduler'
      | 'apps'
      | 'state'
      | 'reason'
      | 'since'
      | 'activeConnections'
      | 'inactiveConnections'
    > {
  /** null if there is too little traffic to judge. */
  readonly spread: { readonly text: string; readonly uneven: boolean } | null;
  readonly connectionRate: number | null;
  readonly inByteRate: number | null;
  readonly outByteRate: number | null;
}

/** The parts that may be long and seldom change. */
export type Findings = Pick<
  StatusDocument,
  'conflicts' | 'rejected' | 'warnings' | 'failures' | 'refused' | 'largeRemovals'
>;
/** The parts that are small and change every second. */
export type Overview = Omit<StatusDocument, 'vips' | keyof Findings>;

/** The data of an `all` event of `GET /v1/events`. */
export interface AllRows {
  readonly overview: Overview;
  readonly findings: Findings;
  readonly vips: readonly VipRow[];
}

/** The data of a `changes` event: new and changed rows, and the ids of rows that are gone. */
export interface ChangedRows {
  readonly overview: Overview;
  /** Absent if unchanged. */
  readonly findings?: Findings;
  readonly vips: readonly VipRow[];
  readonly gone: readonly string[];
}

/** Splits a status document into overview, findings and rows. */
export function rowsOf(document: StatusDocument): AllRows {
  const { vips, conflicts, rejected, warnings, failures, refused, largeRemovals, ...overview } = document;
  return {
    overview,
    findings: { conflicts, rejected, warnings, failures, refused, largeRemovals },
    vips: vips.map(toRow),
  };
}

/** Removes the settings, which the list does not show: JSON omits undefined values. */
const NO_SETTINGS: Readonly<Record<string, undefined>> = Object.fromEntries(
  serviceFields.names.map((name) => [name, undefined]),
);

function toRow({ backends, traffic, decision: _, nearness, spread, ...vip }: VipDocument): VipRow {
  return {
    ...vip,
    ...NO_SETTINGS,
    scheduler: vip.scheduler,
    ...figuresOf({ backends, nearness }),
    spread: spread && { text: spreadText(spread), uneven: spread.uneven },
    connectionRate: traffic?.connectionRate ?? null,
    inByteRate: traffic?.inByteRate ?? null,
    outByteRate: traffic?.outByteRate ?? null,
  };
}

/** Creates a function that returns what has changed since its previous call; the first call returns everything. */
export function createChanges(): (now: AllRows) => ChangedRows {
  let known: ReadonlyMap<string, string> = new Map();
  let knownFindings = '';
  return ({ overview, findings, vips }) => {
    const written = new Map(vips.map((vip) => [vip.id, JSON.stringify(vip)]));
    const changed = vips.filter(({ id }) => known.get(id) !== written.get(id));
    const gone = [...known.keys()].filter((id) => !written.has(id));
    const writtenFindings = JSON.stringify(findings);
    const same = writtenFindings === knownFindings;
    known = written;
    knownFindings = writtenFindings;
    return { overview, ...(!same && { findings }), vips: changed, gone };
  };
}
