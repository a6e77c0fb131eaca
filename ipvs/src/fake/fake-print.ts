import { viewOf } from '../codec.ts';
import { genlPayload } from '../genl.ts';
import { destinationKey, serviceFamily } from '../id.ts';
import { type Reply, readDestination, readService } from '../replies.ts';
import { type CommandAttrs, commandAttrs } from '../tables.ts';
import type {
  ObservedDestination,
  ObservedService,
  Persistence,
  SchedulerFlag,
  ServiceId,
  Tunnel,
} from '../types.ts';
import type { FakeTable } from './fake-table.ts';

const protocolOptions = { tcp: '-t', udp: '-u', sctp: '--sctp-service' } as const;
const methodOptions = {
  masquerade: '-m',
  'direct-route': '-g',
  tunnel: '-i',
  local: '-l',
  bypass: '-b',
} as const;
const checksumOptions = {
  none: '--tun-nocsum',
  checksum: '--tun-csum',
  'remote-checksum': '--tun-remcsum',
} as const;

/** Prints the table like `ipvsadm -Sn` (version 1.31), plus the thresholds, which ipvsadm reads but does not print. */
export function printTable(table: FakeTable): string {
  let out = '';
  for (const { attrs, destinations } of table.services.values()) {
    const service = readService(replyOf({ service: attrs }));
    out += `-A ${idOptions(service)} ${serviceOptions(service)}\n`;
    for (const destination of destinations.values()) {
      const observed = readDestination(replyOf({ destination }), serviceFamily(service));
      out += `-a ${idOptions(service)} -r ${destinationKey(observed)} ${destinationOptions(observed)}\n`;
    }
  }
  return out;
}

function replyOf(attrs: CommandAttrs): Reply {
  const bytes = genlPayload(0, 1, commandAttrs.write(attrs));
  return { view: viewOf(bytes), from: 0, to: bytes.length };
}

function idOptions(id: ServiceId): string {
  if ('fwmark' in id) return `-f ${id.fwmark}${id.family === 'ipv6' ? ' -6' : ''}`;
  return `${protocolOptions[id.protocol]} ${destinationKey(id)}`;
}

function serviceOptions(service: ObservedService): string {
  const { scheduler, persistence, persistenceEngine, onePacket, schedulerFlags } = service;
  return [
    `-s ${scheduler}`,
    ...(persistence ? persistenceOptions(persistence, serviceFamily(service)) : []),
    ...(persistenceEngine ? [`--pe ${persistenceEngine}`] : []),
    ...(onePacket ? ['-o'] : []),
    ...(schedulerFlags ? [`-b ${schedulerFlags.map((flag) => flagName(scheduler, flag)).join(',')}`] : []),
  ].join(' ');
}

/** The name of a flag in ipvsadm, which has special names for those of `sh` and `mh`. */
function flagName(scheduler: string, flag: SchedulerFlag): string {
  if ((scheduler !== 'sh' && scheduler !== 'mh') || flag === 'flag-3') return flag;
  return `${scheduler}-${flag === 'flag-1' ? 'fallback' : 'port'}`;
}

function persistenceOptions(
  { timeoutSeconds, prefixLength }: Persistence,
  family: 'ipv4' | 'ipv6',
): string[] {
  const timeout = `-p ${timeoutSeconds}`;
  if (prefixLength === undefined) return [timeout];
  return [timeout, `-M ${family === 'ipv6' ? prefixLength : dotted(prefixLength)}`];
}

function dotted(prefixLength: number): string {
  const mask = (0xffff_ffff << (32 - prefixLength)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 0xff).join('.');
}

function destinationOptions(destination: ObservedDestination): string {
  const { forwardingMethod, tunnel, weight, upperThreshold, lowerThreshold } = destination;
  return [
    methodOptions[forwardingMethod],
    `-w ${weight}`,
    ...(forwardingMethod === 'tunnel' ? tunnelOptions(tunnel ?? { type: 'ipip' }) : []),
    ...(upperThreshold ? [`-x ${upperThreshold}`] : []),
    ...(lowerThreshold ? [`-y ${lowerThreshold}`] : []),
  ].join(' ');
}

function tunnelOptions({ type, port, checksum = 'none' }: Tunnel): string[] {
  if (type === 'ipip') return ['--tun-type ipip'];
  return [`--tun-type ${type}`, ...(port ? [`--tun-port ${port}`] : []), checksumOptions[checksum]];
}
