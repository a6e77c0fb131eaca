import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Change } from 'ipvs-netlink-ts';
import { viewOf } from '../../ipvs/src/codec.ts';
import { Encoder } from '../../ipvs/src/encoder.ts';
import { readDestination, readService } from '../../ipvs/src/replies.ts';
import { fromHex, hex } from '../support/hex.ts';

/** The messages of a capture that go one way, without the netlink header. */
function captured(name: string, direction: '>' | '<'): string[] {
  const text = readFileSync(new URL(`captures/${name}.txt`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${direction} `) && !line.includes(': '))
    .map((line) => line.slice(2));
}

/** The one message of a capture that is not ipvsadm asking for the version. */
function sent(name: string): string {
  const [, message] = captured(name, '>');
  if (message === undefined) throw new Error(`capture ${name} has no message`);
  return message;
}

/** What is sent for a change, without the netlink header. */
function encoded(change: Change): string {
  const encoder = new Encoder(28);
  encoder.change(change, 1);
  return hex(encoder.take().subarray(16));
}

/** ipvsadm claims all 32 flags; we only claim those that a writer may set. */
const ourMask = (message: string): string => message.replace(/(0c000700 \S+) ffffffff/, '$1 3d000000');

/** Where only the id of a service is read, ipvsadm sends the options too, with an empty scheduler. */
const idOnly = (message: string): string =>
  message
    .replace(/ 05000600 00000000 0c000700 00000000 ffffffff 08000800 00000000 08000900 \S+/, '')
    .replace(' 54000180 ', ' 30000180 ');

/** ipvsadm always sends a tunnel; we only where one is set, since kernels before 5.2 know none. */
const withoutTunnel = (message: string): string => {
  const none = ' 05000d00 00000000 06000e00 00000000 06000f00 00000000';
  return message.includes(none) ? message.replace(none, '').replace(' 60000280 ', ' 48000280 ') : message;
};

const web = { protocol: 'tcp', address: '10.96.4.7', port: 80 } as const;
const dns = { protocol: 'udp', address: 'fd00::7', port: 53 } as const;
const masquerade = { weight: 1, forwardingMethod: 'masquerade' } as const;
const tunnel = { port: 80, weight: 1, forwardingMethod: 'tunnel' } as const;

describe('a change is the bytes that ipvsadm sends for it', () => {
  test.each<[string, Change]>([
    ['add-service-tcp', { op: 'add-service', service: { ...web, scheduler: 'wlc' } }],
    [
      'add-service-udp-ipv6-one-packet',
      { op: 'add-service', service: { ...dns, scheduler: 'rr', onePacket: true } },
    ],
    [
      'add-service-persistent',
      {
        op: 'add-service',
        service: {
          protocol: 'tcp',
          address: '10.96.4.8',
          port: 443,
          scheduler: 'sh',
          schedulerFlags: ['flag-1', 'flag-2'],
          persistence: { timeoutSeconds: 300, prefixLength: 24 },
        },
      },
    ],
    [
      'add-service-fwmark-ipv6',
      {
        op: 'add-service',
        service: {
          fwmark: 5,
          family: 'ipv6',
          scheduler: 'mh',
          persistence: { timeoutSeconds: 60, prefixLength: 64 },
        },
      },
    ],
    [
      'add-service-sctp',
      { op: 'add-service', service: { protocol: 'sctp', address: '10.96.4.9', port: 99, scheduler: 'wrr' } },
    ],
    [
      'add-service-persistence-engine',
      {
        op: 'add-service',
        service: {
          protocol: 'udp',
          address: '10.96.4.10',
          port: 5060,
          scheduler: 'rr',
          persistence: { timeoutSeconds: 30 },
          persistenceEngine: 'sip',
        },
      },
    ],
    ['update-service', { op: 'update-service', service: { ...web, scheduler: 'rr' } }],
  ])('%s', (name, change) => {
    expect(encoded(change)).toBe(ourMask(sent(name)));
  });

  test.each<[string, Change]>([
    ['remove-service', { op: 'remove-service', service: web }],
    ['zero', { op: 'zero', service: web }],
    [
      'add-destination-masquerade',
      {
        op: 'add-destination',
        service: web,
        destination: { ...masquerade, address: '10.1.2.3', port: 31244, weight: 3 },
      },
    ],
    [
      'add-destination-thresholds',
      {
        op: 'add-destination',
        service: web,
        destination: {
          address: '10.1.2.4',
          port: 80,
          weight: 1,
          forwardingMethod: 'direct-route',
          upperThreshold: 100,
          lowerThreshold: 50,
        },
      },
    ],
    [
      'add-destination-gue',
      {
        op: 'add-destination',
        service: web,
        destination: {
          ...tunnel,
          address: '10.1.2.5',
          tunnel: { type: 'gue', port: 6080, checksum: 'remote-checksum' },
        },
      },
    ],
    [
      'add-destination-gre',
      {
        op: 'add-destination',
        service: web,
        destination: { ...tunnel, address: '10.1.2.6', tunnel: { type: 'gre', checksum: 'checksum' } },
      },
    ],
    [
      'add-destination-other-family',
      { op: 'add-destination', service: web, destination: { ...tunnel, address: 'fd00::9' } },
    ],
    [
      'add-destination-ipv6',
      { op: 'add-destination', service: dns, destination: { ...masquerade, address: 'fd00::8', port: 5353 } },
    ],
    [
      'update-destination',
      {
        op: 'update-destination',
        service: web,
        destination: { ...masquerade, address: '10.1.2.3', port: 31244, weight: 0 },
      },
    ],
  ])('%s', (name, change) => {
    expect(encoded(change)).toBe(withoutTunnel(idOnly(sent(name))));
  });

  test('remove-destination, for which ipvsadm sends settings that the kernel does not read', () => {
    const change: Change = {
      op: 'remove-destination',
      service: web,
      destination: { address: '10.1.2.4', port: 80 },
    };
    const [head = '', tail = ''] = idOnly(sent('remove-destination')).split(' 60000280 ');
    const id = tail.split(' ').slice(0, 9).join(' ');
    expect(encoded(change)).toBe(`${head} 28000280 ${id}`);
  });
});

describe('what the kernel sent to ipvsadm is read as ipvsadm printed it', () => {
  const replies = captured('list', '<').map((line) => {
    const bytes = fromHex(line);
    return { view: viewOf(bytes), from: 0, to: bytes.length };
  });
  const command = (index: number): number => replies[index]?.view.getUint8(0) ?? 0;
  const pick = (number: number) => replies.filter((_, index) => command(index) === number);

  test('services, each with family, flags, persistence and engine', () => {
    const services = pick(1).map((reply) => {
      const { stats, ...service } = readService(reply);
      expect(stats.connections).toBe(0n);
      return service;
    });
    expect(services).toEqual([
      { protocol: 'udp', address: 'fd00::7', port: 53, scheduler: 'rr', onePacket: true },
      { protocol: 'tcp', address: '10.96.4.7', port: 80, scheduler: 'rr' },
      {
        protocol: 'tcp',
        address: '10.96.4.8',
        port: 443,
        scheduler: 'sh',
        schedulerFlags: ['flag-1', 'flag-2'],
        persistence: { timeoutSeconds: 300, prefixLength: 24 },
      },
      { protocol: 'sctp', address: '10.96.4.9', port: 99, scheduler: 'wrr' },
      {
        protocol: 'udp',
        address: '10.96.4.10',
        port: 5060,
        scheduler: 'rr',
        persistence: { timeoutSeconds: 30 },
        persistenceEngine: 'sip',
      },
      { fwmark: 5, family: 'ipv6', scheduler: 'mh', persistence: { timeoutSeconds: 60, prefixLength: 64 } },
    ]);
  });

  test('destinations, each with method, thresholds and tunnel', () => {
    const destinations = pick(5).map((reply) => readDestination(reply, 'ipv4'));
    const counters = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0 };
    expect(destinations.map(({ stats: _, ...destination }) => destination)).toEqual([
      { ...tunnel, ...counters, address: 'fd00::9' },
      { ...tunnel, ...counters, address: '10.1.2.6', tunnel: { type: 'gre', checksum: 'checksum' } },
      {
        ...tunnel,
        ...counters,
        address: '10.1.2.5',
        tunnel: { type: 'gue', port: 6080, checksum: 'remote-checksum' },
      },
      {
        ...counters,
        address: '10.1.2.4',
        port: 80,
        weight: 1,
        forwardingMethod: 'direct-route',
        upperThreshold: 100,
        lowerThreshold: 50,
      },
      { ...masquerade, ...counters, address: '10.1.2.3', port: 31244, weight: 0 },
      { ...masquerade, ...counters, address: 'fd00::8', port: 5353 },
    ]);
  });
});
