import { describe, expect, test } from '@jest/globals';
import type { Step } from '../../../controller/model/kernel.ts';
import { formatStep, parseTable } from '../../../controller/plan/ipvsadm.ts';
import { WEIGHT_1, WLC } from '../../support/builders.ts';

const tcp = { protocol: 'tcp', address: '11.134.217.55', port: 5555 } as const;
const udp6 = { protocol: 'udp', address: 'fd01:c::7', port: 53 } as const;

describe('a step is printed as the line that ipvsadm -R takes', () => {
  test.each<[string, Step]>([
    ['-A -t 11.134.217.55:5555 -s wlc', { op: 'add-service', service: { ...tcp, ...WLC } }],
    [
      '-E -t 11.134.217.55:5555 -s sh -p 300',
      { op: 'update-service', service: { ...tcp, ...WLC, scheduler: 'sh', persistenceSeconds: 300 } },
    ],
    [
      '-A -t 11.134.217.55:5555 -s mh -p 60 -M 255.255.255.0 -b mh-fallback,mh-port',
      {
        op: 'add-service',
        service: {
          ...tcp,
          ...WLC,
          scheduler: 'mh',
          flags: 'mh-fallback,mh-port',
          persistenceSeconds: 60,
          persistencePrefix: 24,
        },
      },
    ],
    [
      '-A -u [fd01:c::7]:53 -s rr -p 60 -M 64',
      {
        op: 'add-service',
        service: { ...udp6, ...WLC, scheduler: 'rr', persistenceSeconds: 60, persistencePrefix: 64 },
      },
    ],
    [
      '-a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1 -x 100 -y 75',
      {
        op: 'add-backend',
        service: tcp,
        backend: { address: '10.0.0.1', port: 31000, ...WEIGHT_1, upperThreshold: 100, lowerThreshold: 75 },
      },
    ],
    ['-D -u [fd01:c::7]:53', { op: 'remove-service', service: udp6 }],
    [
      '-a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1',
      { op: 'add-backend', service: tcp, backend: { address: '10.0.0.1', port: 31000, ...WEIGHT_1 } },
    ],
    [
      '-e -u [fd01:c::7]:53 -r [fd01:b::2]:5353 -m -w 0',
      {
        op: 'update-backend',
        service: udp6,
        backend: { address: 'fd01:b::2', port: 5353, ...WEIGHT_1, weight: 0 },
      },
    ],
    [
      '-d -t 11.134.217.55:5555 -r 10.0.0.1:31000',
      { op: 'remove-backend', service: tcp, backend: { address: '10.0.0.1', port: 31000 } },
    ],
  ])('%s', (line, step) => {
    expect(formatStep(step)).toBe(line);
  });
});

describe('a table saved with ipvsadm -Sn is read', () => {
  test('services with their destinations, weights, thresholds and forwarding methods', () => {
    const table = parseTable(
      [
        '-A -t 11.134.217.55:5555 -s wlc',
        '-a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1 -x 100 -y 10',
        '-a -t 11.134.217.55:5555 -r 10.0.0.2:31000 -g -w 0',
        '-A -u [fd01:c::7]:53 -s rr -p 360 -M 64',
        '-a -u [fd01:c::7]:53 -r [fd01:b::2]:5353 -i -w 3 --tun-type gue --tun-port 6080 --tun-nocsum',
        '',
      ].join('\n'),
    );
    expect([...table.keys()]).toEqual(['tcp/11.134.217.55:5555', 'udp/[fd01:c::7]:53']);
    expect(table.get('udp/[fd01:c::7]:53')).toMatchObject({
      scheduler: 'rr',
      persistenceSeconds: 360,
      persistencePrefix: 64,
    });
    expect([...(table.get('tcp/11.134.217.55:5555')?.backends.values() ?? [])]).toMatchObject([
      { address: '10.0.0.1', weight: 1, forward: 'masquerade', upperThreshold: 100, lowerThreshold: 10 },
      { address: '10.0.0.2', weight: 0, forward: 'direct-route' },
    ]);
    expect(table.get('udp/[fd01:c::7]:53')?.backends.get('[fd01:b::2]:5353')).toMatchObject({
      forward: 'tunnel',
      weight: 3,
    });
  });

  test('scheduler flags, one-packet scheduling, a persistence netmask and an engine', () => {
    const table = parseTable(
      '-A -t 1.2.3.4:80 -s sh -b sh-fallback,sh-port\n-A -u 1.2.3.4:80 -s rr -o -p 10 -M 255.255.255.0 --pe sip\n',
    );
    expect(table.get('tcp/1.2.3.4:80')?.flags).toBe('sh-fallback,sh-port');
    expect(table.get('udp/1.2.3.4:80')).toMatchObject({
      flags: 'one-packet',
      persistencePrefix: 24,
      persistenceEngine: 'sip',
    });
  });

  test('services by firewall mark are passed over: they have no address that a VIP could have', () => {
    expect(parseTable('-A -f 7 -s rr -6\n-a -f 7 -r [fd00::1]:0 -g -w 1\n').size).toBe(0);
  });

  test.each([
    ['hello world', 'line 1: expected a line'],
    ['-A -t myhost:http -s rr', 'line 1: expected ADDRESS:PORT in numbers'],
    ['-A -t 999.1.1.1:80 -s rr', 'line 1: expected ADDRESS:PORT in numbers'],
    ['-A -t [::1::2]:80 -s rr', 'line 1: expected ADDRESS:PORT in numbers'],
    ['-A -t 1.2.3.4:99999 -s rr', 'line 1: expected ADDRESS:PORT in numbers'],
    [
      '-A -t 1.2.3.4:80 -s rr\n-a -t 1.2.3.4:80 -r 1.2.3.5:80 -m -w 99999999999',
      'line 2: -w wants a number from 0 to 4294967295',
    ],
    ['-A -t 1.2.3.4:80 -s rr --frobnicate', 'line 1: unknown option --frobnicate'],
    [
      '\n-a -t 1.2.3.4:80 -r 10.0.0.1:80 -m -w 1',
      'line 2: a destination of a service that no line above adds',
    ],
    ['-A -t 1.2.3.4:80 -s rr -p soon', 'line 1: -p wants a number'],
    ['-A -t 1.2.3.4:80 -s rr -M 255.0.255.0', 'line 1: -M: expected a netmask'],
    ['-A -s rr', 'line 1: no service'],
  ])('a line that cannot be read is named: %j', (text, message) => {
    expect(() => parseTable(text)).toThrow(message);
  });
});
