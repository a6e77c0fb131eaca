import type { Declared, Rejection } from '../model.ts';
import type { AppClaims, Claim, Spelling } from './claims.ts';

/** What all apps together ask for. */
export interface Findings {
  /** By VIP; the claims of each in the order of their apps. */
  readonly claims: ReadonlyMap<string, readonly Claim[]>;
  /** `label.framework` of every named VIP. */
  readonly names: ReadonlySet<string>;
  /** Addresses of the IP VIPs. */
  readonly ipVips: ReadonlySet<string>;
  /** Every VIP label, with its text if that is valid. */
  readonly labels: ReadonlyMap<string, string | null>;
  readonly declared: readonly Declared[];
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

/** Brings together what the apps ask for, given in the order of their ids. */
export function collect(apps: readonly AppClaims[]): Findings {
  const claims = new Map<string, Claim[]>();
  const names = new Set<string>();
  const ipVips = new Set<string>();
  const labels = new Map<string, string | null>();
  const declared: Declared[] = [];
  const rejected: Rejection[] = [];
  const warnings: string[] = [];
  const spellings = new Map<string, Spelling>();

  for (const app of apps) {
    for (const claim of app.claims) {
      const sharers = claims.get(claim.key);
      if (sharers === undefined) claims.set(claim.key, [claim]);
      else sharers.push(claim);
      const { address, named } = claim.target;
      if (address !== null) ipVips.add(address.text);
      if (named !== null) names.add(named.fullName);
      declared.push(claim.declared);
    }
    for (const [key, text] of app.labels) labels.set(key, text);
    for (const spelling of app.spellings) warnings.push(...folded(spellings, spelling));
    for (const rejection of app.rejected) rejected.push(rejection);
    for (const warning of app.warnings) warnings.push(warning);
  }
  return { claims, names, ipVips, labels, declared, rejected, warnings };
}

/** Two labels that only cleaning made equal may have been meant as two VIPs. */
function folded(known: Map<string, Spelling>, spelling: Spelling): readonly string[] {
  const first = known.get(spelling.fullName);
  if (first === undefined) known.set(spelling.fullName, spelling);
  if (first === undefined || first.written === spelling.written) return [];
  const both = [first, spelling].map(({ written, place }) => `${written} (${place})`).join(' and ');
  return [`${both} are one VIP: ${spelling.fullName}`];
}
