import { checkIpvs, checkModules, checkNftables } from './checks/kernel.ts';
import { checkConntrack, checkPorts } from './checks/limits.ts';
import { checkNames } from './checks/names.ts';
import { checkNamespaces } from './checks/namespaces.ts';
import { checkBridges, checkManagers, checkOwners, checkPools, checkVipAddresses } from './checks/network.ts';
import { checkCapabilities, checkController } from './checks/process.ts';
import { checkEstimator, checkKeepalive, checkSysctls } from './checks/settings.ts';
import { checkSpread } from './checks/spread.ts';
import { checkTables } from './checks/tables.ts';
import type { DoctorDocument, Finding, Found } from './document.ts';
import type { Facts } from './facts.ts';
import { checkRow, GROUPS } from './table.ts';

/** In the order of the report. */
const EXAMINATIONS: readonly ((facts: Facts) => Found[])[] = [
  checkIpvs,
  checkModules,
  checkNftables,
  checkSysctls,
  checkKeepalive,
  checkEstimator,
  checkSpread,
  checkController,
  checkCapabilities,
  checkPools,
  checkVipAddresses,
  checkOwners,
  checkManagers,
  checkBridges,
  checkNamespaces,
  checkConntrack,
  checkTables,
  checkPorts,
  checkNames,
];

function byGroup(a: Finding, b: Finding): number {
  return GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group);
}

/** Adds the heading and the problem to fix first. */
function complete(one: Found, all: readonly Found[]): Finding {
  const after = one.state === 'ok' ? null : (rootCause(one, all)?.check ?? null);
  return { ...one, group: checkRow(one.code).group, after };
}

/** Returns the first problem in the chain of those that `one` depends on; undefined if it depends on none. */
function rootCause({ code }: Found, all: readonly Found[]): Found | undefined {
  const { needs } = checkRow(code);
  const before = all.find((other) => other.state === 'problem' && needs.includes(other.code));
  return before === undefined ? undefined : (rootCause(before, all) ?? before);
}

/**
 * Runs all checks on `facts`. If the facts were read in another network namespace, `namespace` is its path, and findings about
 * the host as a whole are left out. `now` is in milliseconds since the epoch.
 */
export function examine(facts: Facts, now: number, namespace: string | null = null): DoctorDocument {
  const all = EXAMINATIONS.flatMap((check) => check(facts));
  const found = namespace === null ? all : all.filter(({ code }) => checkRow(code).hostOnly !== true);
  const findings = found.map((one) => complete(one, found)).sort(byGroup);
  const summary = { ok: 0, warning: 0, problem: 0 };
  for (const { state } of findings) summary[state] += 1;
  return {
    apiVersion: 'marathon-ipvs/v1',
    at: new Date(now).toISOString(),
    kernel: facts.kernelRelease,
    namespace,
    controller: facts.controller?.url ?? null,
    summary,
    findings,
  };
}
