import { keepaliveWarning, MARGIN_SECONDS } from '../../status/keepalive.ts';
import { type Finding, fine } from '../document.ts';
import type { Facts, SysctlFact } from '../facts.ts';
import { isBefore } from '../kernel-version.ts';

/** Whether the kernel settings are as the data path needs them. */
export function checkSysctls({
  sysctls,
  kernelRelease,
}: Pick<Facts, 'sysctls' | 'kernelRelease'>): Finding[] {
  return sysctls.map((sysctl) => sysctlFinding(sysctl, kernelRelease));
}

function sysctlFinding({ name, wanted, why, value, error, writable }: SysctlFact, release: string): Finding {
  const check = `sysctl ${name}`;
  if (value === wanted) return fine('Settings', check, value);
  const how = writable
    ? '`run` writes it unless --write-sysctls=false'
    : 'this process may not write it, so `run` in its place could not either';
  return {
    group: 'Settings',
    check,
    state: 'problem',
    found: value ?? error ?? 'cannot be read',
    wanted: `${wanted} on kernel ${release}`,
    why: value === null ? why : `${why}; ${how}`,
    command: `sysctl -w ${name}=${wanted}`,
  };
}

/** Whether an idle TCP connection outlives the time until its first keepalive. */
export function checkKeepalive({
  ipvs,
  keepaliveSeconds,
}: Pick<Facts, 'ipvs' | 'keepaliveSeconds'>): Finding[] {
  if (!('timeouts' in ipvs)) return [];
  const { tcp, tcpFin, udp } = ipvs.timeouts;
  const check = 'IPVS time-outs';
  const found = `tcp ${tcp} s, tcp FIN ${tcpFin} s, udp ${udp} s; net.ipv4.tcp_keepalive_time ${keepaliveSeconds ?? 'unknown'} s`;
  const why = keepaliveWarning(tcp, keepaliveSeconds);
  if (why === null || keepaliveSeconds === null) return [fine('Settings', check, found)];
  const enough = keepaliveSeconds + MARGIN_SECONDS;
  return [
    {
      group: 'Settings',
      check,
      state: 'warning',
      found,
      wanted: `a tcp time-out above ${keepaliveSeconds} s, or clients with a keepalive below ${tcp} s`,
      why: `${why}; both are per network namespace`,
      command: `ipvsadm --set ${enough} 0 0`,
    },
  ];
}

/** Above this many services the estimator's timer is felt before Linux 6.2. */
const MANY_SERVICES = 1_000;

/** Whether counting rates costs latency (kubernetes and cloud operators saw 10 to 200 ms with thousands of services). */
export function checkEstimator({
  estimation,
  ipvs,
  kernelRelease,
}: Pick<Facts, 'estimation' | 'ipvs' | 'kernelRelease'>): Finding[] {
  const services = 'services' in ipvs ? ipvs.services.length : 0;
  const check = 'rate estimator';
  const counted = `${services} services on kernel ${kernelRelease}`;
  if (estimation === '0') return [fine('Settings', check, `switched off: rates are not known; ${counted}`)];
  if (!isBefore(kernelRelease, 6, 2)) {
    return [fine('Settings', check, `in threads of its own since Linux 6.2; ${counted}`)];
  }
  if (services <= MANY_SERVICES) return [fine('Settings', check, `in a timer, for ${counted}`)];
  return [
    {
      group: 'Settings',
      check,
      state: 'warning',
      found: `in one timer on one processor, for ${counted}`,
      wanted: estimation === null ? 'Linux 6.2 or newer' : 'switched off, or Linux 6.2 or newer',
      why: `before Linux 6.2 it walks all services and backends every two seconds and delays packets meanwhile; without it \`status\` shows no rates`,
      command: estimation === null ? null : 'sysctl -w net.ipv4.vs.run_estimation=0',
    },
  ];
}
