import type { Claim } from './claim.ts';
import type { AppClaims, LabelState, Spelling } from './claims.ts';
import { createGrouping, differenceOf } from './grouping.ts';

/** What all apps together ask for. Collections that did not change are the same objects as before. */
export interface Roster {
  /** By VIP; the claims of each in the order of their apps. */
  readonly claims: ReadonlyMap<string, readonly Claim[]>;
  /** Keys of `claims`, sorted. */
  readonly order: readonly string[];
  /** Those VIPs whose claims changed since the last time. */
  readonly touched: ReadonlySet<string>;
  /** `label.framework` of every named VIP. */
  readonly names: ReadonlySet<string>;
  /** Addresses of the IP VIPs. */
  readonly ipVips: ReadonlySet<string>;
  /** Every VIP label. */
  readonly labels: ReadonlyMap<string, readonly LabelState[]>;
  readonly touchedLabels: ReadonlySet<string>;
  /** About names that are written differently. */
  readonly warnings: readonly string[];
}

/**
 * Makes the function that brings together what apps ask for, in parts. It keeps what it has and exchanges what changed, since
 * to index ten thousand VIPs anew costs more than everything else in a pass.
 */
export function createRoster(): (apps: readonly AppClaims[]) => Generator<undefined, Roster> {
  const claims = createGrouping<Claim>(({ key }) => key, byPlace);
  const owners = createGrouping<Claim>(ownerOf, byPlace);
  const spellings = createGrouping<Spelling>(({ fullName }) => fullName, byPlaceAndText);
  const labels = createGrouping<LabelState>(
    ({ key }) => key,
    () => 0,
  );
  const folded = new Map<string, readonly string[]>();
  let last: readonly AppClaims[] = [];
  let order: readonly string[] = [];
  let names: ReadonlySet<string> = new Set();
  let ipVips: ReadonlySet<string> = new Set();

  return function* (apps) {
    const { gone, come } = differenceOf(last, apps);
    last = apps;
    // Of an app that changed, what did not is the same object, and stays where it is.
    const changed = <T>(of: (app: AppClaims) => readonly T[]) =>
      differenceOf(gone.flatMap(of), come.flatMap(of));

    const claimed = changed((app) => app.claims);
    const touched = claims.exchange(claimed.gone, claimed.come);
    if (touched.keysChanged) order = [...claims.items.keys()].sort();
    yield;
    if (owners.exchange(claimed.gone, claimed.come).keysChanged) ({ names, ipVips } = split(owners.items));

    yield;
    const spelled = changed((app) => app.spellings);
    const rewritten = spellings.exchange(spelled.gone, spelled.come);
    for (const name of rewritten.keys) {
      const warnings = foldedInto(name, spellings.items.get(name) ?? []);
      if (warnings.length > 0) folded.set(name, warnings);
      else folded.delete(name);
    }
    yield;
    const labelled = changed((app) => app.labels);
    const relabelled = labels.exchange(labelled.gone, labelled.come);
    return {
      claims: claims.items,
      order,
      touched: touched.keys,
      names,
      ipVips,
      labels: labels.items,
      touchedLabels: relabelled.keys,
      warnings: [...folded.values()].flat(),
    };
  };
}

function byPlace(a: { readonly place: string }, b: { readonly place: string }): number {
  if (a.place === b.place) return 0;
  return a.place < b.place ? -1 : 1;
}

function byPlaceAndText(a: Spelling, b: Spelling): number {
  return byPlace(a, b) || (a.written < b.written ? -1 : a.written > b.written ? 1 : 0);
}

/** The name that has an address, or an IP VIP's address. */
function ownerOf({ target }: Claim): string {
  return target.address?.text ?? target.named?.fullName ?? '';
}

function split(owners: ReadonlyMap<string, readonly Claim[]>): Pick<Roster, 'names' | 'ipVips'> {
  const names = new Set<string>();
  const ipVips = new Set<string>();
  for (const [owner, [claim]] of owners) (claim?.target.named ? names : ipVips).add(owner);
  return { names, ipVips };
}

/** Two labels that only cleaning made equal may have been meant as two VIPs. */
function foldedInto(name: string, [first, ...others]: readonly Spelling[]): readonly string[] {
  if (first === undefined) return [];
  return others
    .filter(({ written }) => written !== first.written)
    .map((other) => `${quoted(first)} and ${quoted(other)} are one VIP: ${name}`);
}

function quoted({ written, place }: Spelling): string {
  return `${written} (${place})`;
}
