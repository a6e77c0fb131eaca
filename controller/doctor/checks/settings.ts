import { diesBeforeKeepalive, keepaliveRemedies } from '../../apply/keepalive.ts';
import { isBefore, kernelVersion } from '../../apply/kernel-version.ts';
import { isOfIpvs, loadAtBoot, setSysctl, setSysctlOf } from '../../fixes.ts';
import type { IpvsTables } from '../../model/counters.ts';
import { type Found, fine } from '../document.ts';
import type { Facts, SysctlFact } from '../facts.ts';

/** Checks that kernel settings have the values that the data path needs. */
export function checkSysctls({
  sysctls,
  kernelRelease,
  controller,
}: Pick<Facts, 'sysctls' | 'kernelRelease' | 'controller'>): Found[] {
  return sysctls.map((sysctl) => {
    const { name, wanted, why, value, onlyAdvised, writable } = sysctl;
    const check = `sysctl ${name}`;
    const code = isOfIpvs(name) ? 'ipvs-setting' : 'setting';
    if (value === wanted) return fine(code, check, value);
    // Only a warning if `run` will set it when it starts.
    const willBeSet = writable && controller === null && !onlyAdvised;
    const lacksIpvs = sysctl.missing && isOfIpvs(name);
    return {
      code,
      check,
      state: willBeSet || onlyAdvised ? 'warning' : 'problem',
      found: value ?? whyUnread(sysctl, lacksIpvs),
      wanted: `${wanted} on kernel ${kernelRelease}`,
      why: willBeSet ? `${why}; `.concat('`run` sets it, unless --no-write-sysctls') : why,
      command: setSysctlOf(name, wanted, { missing: sysctl.missing }),
    };
  });
}

function whyUnread({ missing, error }: SysctlFact, lacksIpvs: boolean): string {
  if (lacksIpvs) return 'does not exist: it comes with the module ip_vs, and with each network namespace';
  return missing ? 'does not exist on this kernel' : (error ?? 'cannot be read');
}

/** Checks that IPVS keeps an idle TCP connection until its first keepalive. */
export function checkKeepalive({
  ipvs,
  keepaliveSeconds,
}: Pick<Facts, 'ipvs' | 'keepaliveSeconds'>): Found[] {
  if (!('timeouts' in ipvs)) return [];
  const { tcp, tcpFin, udp } = ipvs.timeouts;
  const check = 'IPVS timeouts';
  const found = `tcp ${tcp} s, tcp FIN ${tcpFin} s, udp ${udp} s; net.ipv4.tcp_keepalive_time ${keepaliveSeconds ?? 'unknown'} s`;
  if (!diesBeforeKeepalive(tcp, keepaliveSeconds)) return [fine('ipvs-timeouts', check, found)];
  const remedies = keepaliveRemedies(tcp, keepaliveSeconds);
  return [
    {
      code: 'ipvs-timeouts',
      check,
      state: 'warning',
      found,
      wanted: `a tcp timeout above ${keepaliveSeconds} s, or clients with a keepalive below ${tcp} s`,
      why: 'an idle connection through a VIP ends before its keepalive; both are per network namespace, and `run --tcp-timeout` keeps the first',
      command: `${setSysctl('net.ipv4.tcp_keepalive_time', String(remedies.keepaliveSeconds))} # for clients on this host; to cover clients in containers too: tcp-timeout: ${remedies.timeoutSeconds} in the file of run --config, and restart it`,
    },
  ];
}

/** Before Linux 6.2, the estimator's timer delays packets noticeably above this many services. */
const MANY_SERVICES = 1_000;

/** Checks whether rate estimation adds latency (operators saw 10 to 200 ms with thousands of services). */
export function checkEstimator({
  estimation,
  ipvs,
  kernelRelease,
  tables,
}: Pick<Facts, 'estimation' | 'ipvs' | 'kernelRelease' | 'tables'>): Found[] {
  const services = 'services' in ipvs ? ipvs.services.length : 0;
  const check = 'rate estimator';
  const counted = `${services} services on kernel ${kernelRelease}`;
  const { switchedOn, processors, nice } = estimation;
  if (switchedOn === '0' || processors === '')
    return [fine('rate-estimator', check, `switched off: counters and rates are not updated; ${counted}`)];
  const version = kernelVersion(kernelRelease);
  if (version === null || !isBefore(version, [6, 2])) {
    const where = processors === null ? '' : ` (processors ${processors}, nice ${nice ?? 'unknown'})`;
    const threads = inWords(tables?.estimation ?? null);
    return [
      fine('rate-estimator', check, `in its own threads since Linux 6.2${where}${threads}; ${counted}`),
    ];
  }
  if (services <= MANY_SERVICES) return [fine('rate-estimator', check, `in a timer, for ${counted}`)];
  return [
    {
      code: 'rate-estimator',
      check,
      state: 'warning',
      found: `in one timer on one processor, for ${counted}`,
      wanted: switchedOn === null ? 'Linux 6.2 or newer' : 'switched off, or Linux 6.2 or newer',
      why: `before Linux 6.2 it walks all services and backends every two seconds and delays packets meanwhile; if it is switched off, counters are not updated: \`status\` shows no traffic, and --eject finds nothing`,
      command:
        switchedOn === null
          ? null
          : `${loadAtBoot('ip_vs')} && ${setSysctl('net.ipv4.vs.run_estimation', '0')}`,
    },
  ];
}

function inWords(threads: IpvsTables['estimation']): string {
  if (threads === null || threads.threads === null) return '';
  const most = threads.maxThreads === null ? '' : ` of at most ${threads.maxThreads}`;
  return `, ${threads.threads}${most}, each for up to ${threads.perThread} services and backends`;
}
