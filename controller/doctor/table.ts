/** The table of checks. `docs/doctor.md` has a row for each. */

export const GROUPS = ['Kernel', 'Settings', 'This process', 'Network', 'Limits', 'Names'] as const;

interface CheckRow {
  /** Heading in the report. */
  readonly group: (typeof GROUPS)[number];
  /** The most severe finding it can make; null if it only informs. */
  readonly severity: 'warning' | 'problem' | null;
  /** Set if it concerns the host as a whole rather than a network namespace. */
  readonly hostOnly?: true;
  /** Checks that must pass before this one can: they are fixed first. */
  readonly needs?: readonly string[];
}

/** All checks, in the order of the report. Codes are a contract: scripts and runbooks use them. */
// biome-ignore format: aligned table
export const CHECKS = {
  'ipvs':            { group: 'Kernel',       severity: 'problem', needs: ['ipvs-module', 'capability'] },
  'ipvs-module':     { group: 'Kernel',       severity: 'problem', hostOnly: true },
  'module':          { group: 'Kernel',       severity: 'problem', hostOnly: true },
  'nftables':        { group: 'Kernel',       severity: 'warning', needs: ['capability'] },
  'setting':         { group: 'Settings',     severity: 'problem' },
  'ipvs-setting':    { group: 'Settings',     severity: 'problem', needs: ['ipvs'] },
  'ipvs-timeouts':   { group: 'Settings',     severity: 'warning' },
  'rate-estimator':  { group: 'Settings',     severity: 'warning', hostOnly: true },
  'spread':          { group: 'Settings',     severity: null, hostOnly: true },
  'controller':      { group: 'This process', severity: 'warning', hostOnly: true, needs: ['ipvs'] },
  'capability':      { group: 'This process', severity: 'problem', hostOnly: true },
  'pool':            { group: 'Network',      severity: 'problem' },
  'vip-address':     { group: 'Network',      severity: 'problem' },
  'other-writer':    { group: 'Network',      severity: 'warning' },
  'network-manager': { group: 'Network',      severity: 'warning', hostOnly: true },
  'bridges':         { group: 'Network',      severity: 'warning' },
  'packet-filter':   { group: 'Network',      severity: 'warning' },
  'network-namespaces': { group: 'Network',   severity: 'problem', hostOnly: true },
  'conntrack':       { group: 'Limits',       severity: 'problem' },
  'ipvs-tables':     { group: 'Limits',       severity: 'warning' },
  'ipvs-connections': { group: 'Limits',      severity: 'problem' },
  'local-ports':     { group: 'Limits',       severity: 'warning' },
  'zone':            { group: 'Names',        severity: 'warning', hostOnly: true, needs: ['controller'] },
} as const satisfies Readonly<Record<string, CheckRow>>;

export type CheckCode = keyof typeof CHECKS;

export const checkCodes = Object.keys(CHECKS) as readonly CheckCode[];

/** Returns the row of a check. `needs` is empty if the check depends on no other. */
export function checkRow(code: CheckCode): CheckRow & { readonly needs: readonly string[] } {
  const row: CheckRow = CHECKS[code];
  return { ...row, needs: row.needs ?? [] };
}
