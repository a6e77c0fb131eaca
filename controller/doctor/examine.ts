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

/** In the order in which people read them. */
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

/** A finding with what the table of checks says of it: its heading, and which problem is fixed first. */
function placed(one: Found, all: readonly Found[]): Finding {
  const after = one.state === 'ok' ? null : (firstOf(one, all)?.check ?? null);
  return { ...one, group: checkRow(one.code).group, after };
}

/** The problem that has no other one before it; undefined where nothing comes before `one`. */
function firstOf({ code }: Found, all: readonly Found[]): Found | undefined {
  const { needs } = checkRow(code);
  const before = all.find((other) => other.state === 'problem' && needs.includes(other.code));
  return before === undefined ? undefined : (firstOf(before, all) ?? before);
}

/**
 * All findings on this host; on the network namespace that `namespace` leads to those that are about one, since the facts were read
 * there. `now` in milliseconds since the epoch.
 */
export function examine(facts: Facts, now: number, namespace: string | null = null): DoctorDocument {
  const all = EXAMINATIONS.flatMap((check) => check(facts));
  const found = namespace === null ? all : all.filter(({ code }) => checkRow(code).ofHost !== true);
  const findings = found.map((one) => placed(one, found)).sort(byGroup);
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
