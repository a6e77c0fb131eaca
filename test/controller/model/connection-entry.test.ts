import { expect, test } from '@jest/globals';
import { entryOf, splitLine } from '../../../controller/model/connection-entry.ts';

test('a line of the kernel is the key of a connection and its state', () => {
  const found = splitLine('TCP 0A080002 D3A2 0B860D37 15B3 0A090001 7918 ESTABLISHED     899');
  expect(found).toEqual(['TCP 0A080002 D3A2 0B860D37 15B3 0A090001 7918', 'ESTABLISHED']);
  expect(entryOf(found?.[0] ?? '')).toEqual({
    protocol: 'tcp',
    client: { address: '10.8.0.2', port: 54_178 },
    vip: { address: '11.134.13.55', port: 5_555 },
    backend: { address: '10.9.0.1', port: 31_000 },
  });
});

test('IPv6 has all of its colons, and what a persistence engine adds is no part of it', () => {
  const fd = 'fd00:0000:0000:0000:0000:0000:0000:000';
  const found = splitLine(`UDP ${fd}1 D3A2 ${fd}2 0050 ${fd}3 7918 UDP             298 sip call-id`);
  expect(found?.[1]).toBe('UDP');
  expect(entryOf(found?.[0] ?? '')).toMatchObject({
    protocol: 'udp',
    vip: { address: 'fd00::2', port: 80 },
    backend: { address: 'fd00::3', port: 31_000 },
  });
});

test.each(['', 'TCP', 'TCP 0A080002 D3A2 0B860D37'])('%j is no line of a connection', (line) => {
  expect(splitLine(line)).toBeNull();
});
