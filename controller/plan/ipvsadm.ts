/** The notation of `ipvsadm`: steps are printed in it, and a table saved with `ipvsadm -Sn` is read from it. */

import {
  endpointKey,
  type ObservedBackend,
  type ObservedService,
  type ServiceKey,
  type Step,
  serviceKey,
  type Table,
} from '../model.ts';

/** One line that `ipvsadm -R` accepts: `-a -t 11.0.0.1:80 -r 10.0.0.1:31000 -m -w 1`. */
export function formatStep(step: Step): string {
  const service = `${step.service.protocol === 'udp' ? '-u' : '-t'} ${endpointKey(step.service)}`;
  switch (step.op) {
    case 'add-service':
    case 'update-service': {
      const { scheduler, persistenceSeconds } = step.service;
      const persistence = persistenceSeconds > 0 ? ` -p ${persistenceSeconds}` : '';
      return `${step.op === 'add-service' ? '-A' : '-E'} ${service} -s ${scheduler}${persistence}`;
    }
    case 'remove-service':
      return `-D ${service}`;
    case 'add-backend':
    case 'update-backend': {
      const { weight } = step.backend;
      return `${step.op === 'add-backend' ? '-a' : '-e'} ${service} -r ${endpointKey(step.backend)} -m -w ${weight}`;
    }
    case 'remove-backend':
      return `-d ${service} -r ${endpointKey(step.backend)}`;
  }
}

/** A line of a saved table that cannot be read. */
export class TableSyntaxError extends Error {
  override readonly name = 'TableSyntaxError';
}

/**
 * Reads the output of `ipvsadm -Sn` (or `ipvsadm-save -n`). Services by firewall mark are left out, as they are of
 * an observed table. Throws a `TableSyntaxError` that names the line.
 */
export function parseTable(text: string): Table {
  const table = new Map<ServiceKey, ObservedService & { readonly backends: Map<string, ObservedBackend> }>();
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]?.startsWith('#')) continue;
    const fail = (why: string) =>
      new TableSyntaxError(`line ${index + 1}: ${why}: ${line.trim().slice(0, 200)}`);
    if (words[0] !== '-A' && words[0] !== '-a') throw fail(NOT_A_TABLE);
    const options = parseOptions(words.slice(1), fail);
    if (options.has('-f')) continue;

    const service = parseService(options, fail);
    const key = serviceKey(service);
    if (words[0] === '-A') table.set(key, service);
    else {
      const backend = parseBackend(options, fail);
      const owner = table.get(key);
      if (owner === undefined) throw fail('a destination of a service that no line above adds');
      owner.backends.set(endpointKey(backend), backend);
    }
  }
  return table;
}

const NOT_A_TABLE = 'expected a line of `ipvsadm -Sn`, starting with -A or -a';

type Fail = (why: string) => TableSyntaxError;

/** Options of ipvsadm 1.31 that stand without a value, and those that have one. */
const FLAGS = new Set(['-m', '-g', '-i', '-o', '-6', '--tun-nocsum', '--tun-csum', '--tun-remcsum']);
const VALUES = new Set([
  ...['-t', '-u', '--sctp-service', '-f', '-s', '-p', '-M', '-b', '--pe', '-r', '-w', '-x', '-y'],
  ...['--tun-type', '--tun-port'],
]);
/** Long forms that some versions print, and the letter each stands for. */
const LONG = new Map([
  ['--tcp-service', '-t'],
  ['--udp-service', '-u'],
  ['--fwmark-service', '-f'],
  ['--scheduler', '-s'],
  ['--persistent', '-p'],
  ['--netmask', '-M'],
  ['--sched-flags', '-b'],
  ['--real-server', '-r'],
  ['--weight', '-w'],
  ['--u-threshold', '-x'],
  ['--l-threshold', '-y'],
  ['--masquerading', '-m'],
  ['--gatewaying', '-g'],
  ['--ipip', '-i'],
  ['--ops', '-o'],
  ['--ipv6', '-6'],
]);

function parseOptions(words: readonly string[], fail: Fail): Map<string, string> {
  const options = new Map<string, string>();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const name = LONG.get(word) ?? word;
    if (FLAGS.has(name)) options.set(name, '');
    else if (VALUES.has(name)) {
      at += 1;
      options.set(name, words[at] ?? '');
    } else throw fail(`unknown option ${word}`);
  }
  return options;
}

const PROTOCOLS = [
  ['-t', 'tcp'],
  ['-u', 'udp'],
  ['--sctp-service', 'sctp'],
] as const;

/** Bits of <linux/ip_vs.h> that can be written: IP_VS_SVC_F_ONEPACKET and the scheduler's own three. */
const FLAG_BITS = new Map([
  ['flag-1', 0x8],
  ['flag-2', 0x10],
  ['flag-3', 0x20],
  ['sh-fallback', 0x8],
  ['sh-port', 0x10],
  ['mh-fallback', 0x8],
  ['mh-port', 0x10],
]);

function parseService(
  options: ReadonlyMap<string, string>,
  fail: Fail,
): ObservedService & { backends: Map<string, ObservedBackend> } {
  const protocol = PROTOCOLS.find(([option]) => options.has(option));
  if (protocol === undefined) throw fail('no service: expected -t, -u, --sctp-service or -f');
  const { address, port } = parseEndpoint(options.get(protocol[0]) ?? '', fail);
  let flags = options.has('-o') ? 0x4 : 0;
  for (const flag of options.get('-b')?.split(',') ?? []) {
    const bit = FLAG_BITS.get(flag);
    if (bit === undefined) throw fail(`unknown scheduler flag ${flag}`);
    flags |= bit;
  }
  return {
    protocol: protocol[1],
    address,
    port,
    scheduler: options.get('-s') ?? 'wlc',
    flags,
    persistenceSeconds: number(options, '-p', 0, fail),
    persistencePrefix: parsePrefix(options.get('-M'), address, fail),
    backends: new Map(),
  };
}

function parseBackend(options: ReadonlyMap<string, string>, fail: Fail): ObservedBackend {
  return {
    ...parseEndpoint(options.get('-r') ?? '', fail),
    weight: number(options, '-w', 1, fail),
    forward: options.has('-m') ? 'masquerade' : options.has('-i') ? 'tunnel' : 'direct-route',
    upperThreshold: number(options, '-x', 0, fail),
    lowerThreshold: number(options, '-y', 0, fail),
    activeConnections: 0,
    inactiveConnections: 0,
  };
}

function number(options: ReadonlyMap<string, string>, option: string, absent: number, fail: Fail): number {
  const text = options.get(option);
  if (text === undefined) return absent;
  if (!/^\d+$/.test(text)) throw fail(`${option} wants a number`);
  return Number(text);
}

function parseEndpoint(text: string, fail: Fail): { address: string; port: number } {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|(\d+\.\d+\.\d+\.\d+)):(\d+)$/.exec(text);
  const address = parts?.[1] ?? parts?.[2];
  if (address === undefined) throw fail(`expected ADDRESS:PORT in numbers (ipvsadm -Sn), got "${text}"`);
  return { address: address.toLowerCase(), port: Number(parts?.[3]) };
}

/** IPv4 persistence masks are printed dotted, IPv6 ones as a prefix length. */
function parsePrefix(text: string | undefined, address: string, fail: Fail): number {
  if (text === undefined) return address.includes(':') ? 128 : 32;
  if (/^\d+$/.test(text)) return Number(text);
  const bits = text
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
  if (!/^1*0*$/.test(bits) || bits.length !== 32) throw fail(`-M wants a netmask, got "${text}"`);
  return bits.lastIndexOf('1') + 1;
}
