import { checkIpvs, checkModules, checkNftables } from './checks/kernel.ts';
import { checkConntrack, checkPorts } from './checks/limits.ts';
import { checkNames } from './checks/names.ts';
import { checkBridges, checkManagers, checkOwners, checkPools, checkVipAddresses } from './checks/network.ts';
import { checkCapabilities, checkController } from './checks/process.ts';
import { checkEstimator, checkKeepalive, checkSysctls } from './checks/settings.ts';
import { checkSpread } from './checks/spread.ts';
import { checkTables } from './checks/tables.ts';
import type { DoctorDocument, Finding } from './document.ts';
import type { Facts } from './facts.ts';

/** In the order in which people read them. */
const CHECKS: readonly ((facts: Facts) => Finding[])[] = [
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
  checkConntrack,
  checkTables,
  checkPorts,
  checkNames,
];

const GROUPS: readonly Finding['group'][] = [
  'Kernel',
  'Settings',
  'This process',
  'Network',
  'Limits',
  'Names',
];

function byGroup(a: Finding, b: Finding): number {
  return GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group);
}

/** All findings on this host. `now` in milliseconds since the epoch. */
export function examine(facts: Facts, now: number): DoctorDocument {
  const findings = CHECKS.flatMap((check) => check(facts)).sort(byGroup);
  const summary = { ok: 0, warning: 0, problem: 0 };
  for (const { state } of findings) summary[state] += 1;
  return {
    apiVersion: 'marathon-ipvs/v1',
    at: new Date(now).toISOString(),
    kernel: facts.kernelRelease,
    controller: facts.controller?.url ?? null,
    summary,
    findings,
  };
}
