import { loadAtBoot, setSysctl } from '../../fixes.ts';
import { type Found, fine } from '../document.ts';
import type { Facts, PortRangeFact } from '../facts.ts';

/** Shares of the connection-tracking table. A full table drops packets. */
const FULL = { warning: 0.8, problem: 0.95 };

/** Checks that the connection-tracking table has room: every VIP connection has an entry in it. */
export function checkConntrack({ conntrack }: Pick<Facts, 'conntrack'>): Found[] {
  const check = 'connection tracking';
  if (conntrack === null) return [fine('conntrack', check, 'its size cannot be read here')];
  const { count, max } = conntrack;
  const share = max === 0 ? 0 : count / max;
  const found = `${count} of ${max} entries (${Math.round(share * 100)} %)`;
  if (share < FULL.warning) return [fine('conntrack', check, found)];
  return [
    {
      code: 'conntrack',
      check,
      state: share < FULL.problem ? 'warning' : 'problem',
      found,
      wanted: `less than ${FULL.warning * 100} %`,
      why: 'a full table drops the first packet of every new connection of this host, VIP or not',
      // At boot the setting exists only once the module is loaded.
      command: `${setSysctl('net.netfilter.nf_conntrack_max', String(max * 2))} && ${loadAtBoot('nf_conntrack')}`,
    },
  ];
}

/** Minimum for a host with clients; the kernel's default is 28,232. */
const MIN_PORTS = 10_000;
/** How long a port stays in use after its connection ended: TCP_TIMEWAIT_LEN, and equally long in connection tracking. */
const TIME_WAIT_SECONDS = 120;

/** Checks that clients on this host have enough ports, and that no task listens on one of them. */
export function checkPorts({
  portRange,
  controller,
  addresses,
}: Pick<Facts, 'portRange' | 'controller' | 'addresses'>): Found[] {
  if (portRange === null) return [];
  const { low, high } = portRange;
  const size = high - low + 1;
  const check = 'local ports';
  const rate = Math.floor(size / TIME_WAIT_SECONDS);
  const found = `${low} to ${high}: ${rate} new connections/s from one address to one backend`;
  if (size < MIN_PORTS) {
    return [
      {
        code: 'local-ports',
        check,
        state: 'warning',
        found,
        wanted: `at least ${MIN_PORTS} ports`,
        why: 'clients with one source address share these ports for each backend, and a port stays in use for two minutes after its connection ended',
        command: setSysctl('net.ipv4.ip_local_port_range', '32768 60999'),
      },
    ];
  }
  const taken = tasksWithin(portRange, controller, addresses);
  if (taken.length === 0) return [fine('local-ports', check, found)];
  const reserved = [portRange.reserved, ...taken].filter((text) => text !== '').join(',');
  return [
    {
      code: 'local-ports',
      check,
      state: 'warning',
      found: `${low} to ${high}; tasks of this host listen on ${taken.slice(0, 5).join(', ')}${taken.length > 5 ? ` and ${taken.length - 5} more` : ''} of them`,
      wanted: 'ports of tasks outside the range, or reserved',
      why: 'a client may take the port before the task listens on it',
      command: setSysctl('net.ipv4.ip_local_reserved_ports', reserved),
    },
  ];
}

function tasksWithin(
  { low, high, reserved }: PortRangeFact,
  controller: Facts['controller'],
  addresses: Facts['addresses'],
): number[] {
  const here = new Set(addresses.map(({ address }) => address));
  const kept = reserved.split(',').map((text) => text.split('-').map(Number));
  const isKept = (port: number) => kept.some(([from = 0, to = from]) => port >= from && port <= to);
  const ports = new Set<number>();
  for (const { backends } of controller?.vips ?? []) {
    for (const { address, port } of backends) {
      if (here.has(address) && port >= low && port <= high && !isKept(port)) ports.add(port);
    }
  }
  return [...ports].sort((a, b) => a - b);
}
