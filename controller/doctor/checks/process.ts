import { writeFile } from '../../fixes.ts';
import { type Found, fine } from '../document.ts';
import type { Facts } from '../facts.ts';

/** Bits of CapEff in /proc/PID/status. <linux/capability.h> */
const NET_BIND_SERVICE = 10;
const NET_ADMIN = 12;
const SYS_ADMIN = 21;

const DROP_IN = '/etc/systemd/system/marathon-ipvs.service.d/capabilities.conf';
const RESTART = 'systemctl daemon-reload && systemctl restart marathon-ipvs # by hand: as root; container:';
const LINES = ['[Service]', 'AmbientCapabilities=CAP_NET_ADMIN CAP_NET_BIND_SERVICE'];
const GRANT = `${writeFile(DROP_IN, LINES)} && ${RESTART} --cap-add NET_ADMIN --cap-add NET_BIND_SERVICE`;

const NETNS_DROP_IN = '/etc/systemd/system/marathon-ipvs.service.d/netns.conf';
const NETNS_LINES = [
  '[Service]',
  // CAP_SYS_PTRACE: to follow paths below /proc of other users' processes.
  'CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_PTRACE',
  'AmbientCapabilities=CAP_SYS_ADMIN CAP_SYS_PTRACE',
  'RestrictNamespaces=net',
  // A new network namespace starts with the kernel's default settings, not the host's.
  'ProtectKernelTunables=no',
  'Environment=MARATHON_IPVS_WRITE_SYSCTLS=true',
  // A helper has eleven threads, and there may be a thousand helpers: systemd's default is 4,915 where kernel.pid_max is 32768.
  'TasksMax=16384',
];
const GRANT_NETNS = `${writeFile(NETNS_DROP_IN, NETNS_LINES)} && ${RESTART} --user 0:0 --privileged --pid host`;

/** Checks that this process has the capabilities that `run` needs. */
export function checkCapabilities({
  capabilities,
  controller,
  unprivilegedPortStart,
  wanted,
}: Pick<Facts, 'capabilities' | 'controller' | 'unprivilegedPortStart' | 'wanted'>): Found[] {
  if (capabilities === null) {
    return [
      {
        code: 'capability',
        check: 'capabilities',
        state: 'warning',
        found: '/proc/self/status does not show them',
        wanted: 'CAP_NET_ADMIN',
        why: '/proc is not mounted here, or is hidden from this process',
        command: null,
      },
    ];
  }
  // A running controller evidently has its capabilities, whatever this process lacks.
  const state = controller === null ? 'problem' : 'warning';
  const lacking = (check: string, why: string, grant = GRANT): Found => {
    const found =
      controller === null
        ? 'this process lacks it'
        : 'this process lacks it; the controller runs and has its own';
    const command = controller === null ? grant : 'marathon-ipvs doctor # as root';
    return { code: 'capability', check, state, found, wanted: 'in effect', why, command };
  };
  const findings: Found[] = [];
  findings.push(
    capabilities.has(NET_ADMIN)
      ? fine('capability', 'CAP_NET_ADMIN', 'in effect')
      : lacking('CAP_NET_ADMIN', 'IPVS, routes and rules cannot be read or written without it'),
  );
  if (wanted.netnsDir !== null) {
    const why = `without it no network namespace of ${wanted.netnsDir} (--netns-dir) can be entered`;
    findings.push(
      capabilities.has(SYS_ADMIN)
        ? fine('capability', 'CAP_SYS_ADMIN', 'in effect')
        : lacking('CAP_SYS_ADMIN', why, GRANT_NETNS),
    );
  }
  const low = wanted.listens.filter(({ port }) => port > 0 && port < unprivilegedPortStart);
  if (low.length === 0) return findings;
  const ports = low.map(({ what, port }) => `${what} on port ${port}`).join(', ');
  findings.push(
    capabilities.has(NET_BIND_SERVICE)
      ? fine('capability', 'CAP_NET_BIND_SERVICE', 'in effect')
      : lacking(
          'CAP_NET_BIND_SERVICE',
          `${ports} needs it (net.ipv4.ip_unprivileged_port_start is ${unprivilegedPortStart})`,
        ),
  );
  return findings;
}

/** Checks that a controller is running. */
export function checkController({ controller }: Pick<Facts, 'controller'>): Found[] {
  const check = 'controller';
  if (controller !== null) {
    return [
      fine(
        'controller',
        check,
        `runs at ${controller.url}, version ${controller.version}, ${controller.vips.length} VIPs`,
      ),
    ];
  }
  return [
    {
      code: 'controller',
      check,
      state: 'warning',
      found: 'none answers; VIPs and their schedulers are not checked',
      wanted: null,
      why: 'the kernel keeps forwarding as it is, and changes are not applied',
      command: 'systemctl enable --now marathon-ipvs',
    },
  ];
}
