/** Every check of the doctor. `docs/doctor.md` has a row for each. */

export const GROUPS = ['Kernel', 'Settings', 'This process', 'Network', 'Limits', 'Names'] as const;

interface CheckRow {
  /** Under which heading people look for it. */
  readonly group: (typeof GROUPS)[number];
  /** The gravest that it finds; null: it only tells. */
  readonly gravest: 'warning' | 'problem' | null;
  /** It is about the host as a whole, and not about a network namespace of it. */
  readonly ofHost?: true;
  /** Checks without which this one cannot be as wanted: they are fixed first. */
  readonly needs?: readonly string[];
}

/** Codes are a contract: scripts and runbooks know them. In the order in which people read them. */
// biome-ignore format: aligned table
export const CHECKS = {
  'ipvs':            { group: 'Kernel',       gravest: 'problem', needs: ['ipvs-module', 'capability'] },
  'ipvs-module':     { group: 'Kernel',       gravest: 'problem', ofHost: true },
  'module':          { group: 'Kernel',       gravest: 'problem', ofHost: true },
  'nftables':        { group: 'Kernel',       gravest: 'warning', needs: ['capability'] },
  'setting':         { group: 'Settings',     gravest: 'problem' },
  'ipvs-setting':    { group: 'Settings',     gravest: 'problem', needs: ['ipvs'] },
  'ipvs-timeouts':   { group: 'Settings',     gravest: 'warning' },
  'rate-estimator':  { group: 'Settings',     gravest: 'warning', ofHost: true },
  'spread':          { group: 'Settings',     gravest: null, ofHost: true },
  'controller':      { group: 'This process', gravest: 'warning', ofHost: true, needs: ['ipvs'] },
  'capability':      { group: 'This process', gravest: 'problem', ofHost: true },
  'pool':            { group: 'Network',      gravest: 'problem' },
  'vip-address':     { group: 'Network',      gravest: 'problem' },
  'other-writer':    { group: 'Network',      gravest: 'warning' },
  'network-manager': { group: 'Network',      gravest: 'warning', ofHost: true },
  'bridges':         { group: 'Network',      gravest: 'warning' },
  'packet-filter':   { group: 'Network',      gravest: 'warning' },
  'network-namespaces': { group: 'Network',   gravest: 'problem', ofHost: true },
  'conntrack':       { group: 'Limits',       gravest: 'problem' },
  'ipvs-tables':     { group: 'Limits',       gravest: 'warning' },
  'ipvs-connections': { group: 'Limits',      gravest: 'problem' },
  'local-ports':     { group: 'Limits',       gravest: 'warning' },
  'zone':            { group: 'Names',        gravest: 'warning', ofHost: true, needs: ['controller'] },
} as const satisfies Readonly<Record<string, CheckRow>>;

export type CheckCode = keyof typeof CHECKS;

export const checkCodes = Object.keys(CHECKS) as readonly CheckCode[];

/** What is known of a check; of one that needs none an empty list. */
export function checkRow(code: CheckCode): CheckRow & { readonly needs: readonly string[] } {
  const row: CheckRow = CHECKS[code];
  return { ...row, needs: row.needs ?? [] };
}
