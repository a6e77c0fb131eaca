/** The notation of `ipvsadm`: prints steps, and reads a table saved with `ipvsadm -Sn`. */

import { familyOf, parseAddress } from '../address.ts';
import { endpointKey } from '../model/endpoint.ts';
import type { ObservedBackend, ObservedService, Step, Table } from '../model/kernel.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { backendFields, serviceFields } from '../settings/settings.ts';
import { type IpvsadmOptions, Refused } from '../settings/values.ts';

/** A step as a line that `ipvsadm -R` accepts: `-a -t 11.0.0.1:80 -r 10.0.0.1:31000 -m -w 1`. */
export function formatStep(step: Step): string {
  const service = `${step.service.protocol === 'udp' ? '-u' : '-t'} ${endpointKey(step.service)}`;
  switch (step.op) {
    case 'add-service':
    case 'update-service': {
      const settings = serviceFields.print(step.service, familyOf(step.service.address));
      return `${step.op === 'add-service' ? '-A' : '-E'} ${service} ${settings}`;
    }
    case 'remove-service':
      return `-D ${service}`;
    case 'add-backend':
    case 'update-backend': {
      const settings = backendFields.print(step.backend, familyOf(step.backend.address));
      return `${step.op === 'add-backend' ? '-a' : '-e'} ${service} -r ${endpointKey(step.backend)} ${settings}`;
    }
    case 'remove-backend':
      return `-d ${service} -r ${endpointKey(step.backend)}`;
  }
}

/**
 * Parses the output of `ipvsadm -Sn` (or `ipvsadm-save -n`). Services by firewall mark are skipped, as in an observed table.
 * Throws an error that names the line.
 */
export function parseTable(text: string): Table {
  const table = new Map<ServiceKey, ObservedService & { readonly backends: Map<string, ObservedBackend> }>();
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]?.startsWith('#')) continue;
    const fail = (why: string) => new Error(`line ${index + 1}: ${why}: ${line.trim().slice(0, 200)}`);
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

type Fail = (why: string) => Error;

const OURS = [...serviceFields.ipvsadm, ...backendFields.ipvsadm];
/** Options of ipvsadm 1.31 without a value, and those with one. */
const FLAGS = new Set([
  ...['-6', '--tun-nocsum', '--tun-csum', '--tun-remcsum'],
  ...OURS.filter(({ hasValue }) => !hasValue).map(({ short }) => short),
]);
const VALUES = new Set([
  ...['-t', '-u', '--sctp-service', '-f', '-r', '--tun-type', '--tun-port'],
  ...OURS.filter(({ hasValue }) => hasValue).map(({ short }) => short),
]);
/** Long forms that some versions print, and their short forms. */
const LONG = new Map([
  ['--tcp-service', '-t'],
  ['--udp-service', '-u'],
  ['--fwmark-service', '-f'],
  ['--real-server', '-r'],
  ['--ipv6', '-6'],
  ...OURS.map(({ short, long }) => [long, short] as const),
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

function parseService(
  options: IpvsadmOptions,
  fail: Fail,
): ObservedService & { backends: Map<string, ObservedBackend> } {
  const protocol = PROTOCOLS.find(([option]) => options.has(option));
  if (protocol === undefined) throw fail('no service: expected -t, -u, --sctp-service or -f');
  const { address, port } = parseEndpoint(options.get(protocol[0]) ?? '', fail);
  const settings = serviceFields.parse(options, familyOf(address));
  if (settings instanceof Refused) throw fail(settings.reason);
  return { protocol: protocol[1], address, port, ...settings, backends: new Map() };
}

function parseBackend(options: IpvsadmOptions, fail: Fail): ObservedBackend {
  const { address, port } = parseEndpoint(options.get('-r') ?? '', fail);
  const settings = backendFields.parse(options, familyOf(address));
  if (settings instanceof Refused) throw fail(settings.reason);
  return { address, port, ...settings, activeConnections: 0, inactiveConnections: 0 };
}

function parseEndpoint(text: string, fail: Fail): { address: string; port: number } {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|(\d+\.\d+\.\d+\.\d+)):(\d+)$/.exec(text);
  const address = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (address === undefined || parseAddress(address) === null || port > 65_535)
    throw fail(`expected ADDRESS:PORT in numbers (ipvsadm -Sn), got "${text}"`);
  return { address: address.toLowerCase(), port };
}
