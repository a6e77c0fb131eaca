/** What the page's list needs of the status, small enough to be sent every two seconds; and what of it has changed. */

import { serviceFields } from '../setting-fields.ts';
import type { StatusDocument, VipDocument } from './document.ts';
import { type Figures, figuresOf } from './figures.ts';
import { spreadText } from './words.ts';

/** A VIP without its backends. Rates are per second; null where the kernel's counters are not known. */
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
  /** null where nothing can be said of it. */
  readonly spread: { readonly text: string; readonly uneven: boolean } | null;
  readonly connectionRate: number | null;
  readonly inByteRate: number | null;
  readonly outByteRate: number | null;
}

/** What may be long and seldom changes. */
export type Findings = Pick<
  StatusDocument,
  'conflicts' | 'rejected' | 'warnings' | 'failures' | 'refused' | 'largeRemovals'
>;
/** What is small and changes with every second. */
export type Overview = Omit<StatusDocument, 'vips' | keyof Findings>;

/** The data of an `all` event of `GET /v1/events`. */
export interface AllRows {
  readonly overview: Overview;
  readonly findings: Findings;
  readonly vips: readonly VipRow[];
}

/** The data of a `changes` event: rows that are new or differ, and the ids of those that are gone. */
export interface ChangedRows {
  readonly overview: Overview;
  /** Absent where they are as they were. */
  readonly findings?: Findings;
  readonly vips: readonly VipRow[];
  readonly gone: readonly string[];
}

export function rowsOf(document: StatusDocument): AllRows {
  const { vips, conflicts, rejected, warnings, failures, refused, largeRemovals, ...overview } = document;
  return {
    overview,
    findings: { conflicts, rejected, warnings, failures, refused, largeRemovals },
    vips: vips.map(toRow),
  };
}

/** The list has no room for them; JSON leaves out what is undefined. */
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

/** Makes the function that tells what has changed since it was asked before; everything is new to it at first. */
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
