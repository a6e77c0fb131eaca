import { describe, expect, test } from '@jest/globals';
import { isForCounters, signOf, signText } from '../../../controller/eject/suspicion.ts';
import type { Counted } from '../../../controller/model/counters.ts';

const TCP = { protocol: 'tcp', family: 'ipv4' } as const;
const UDP = { protocol: 'udp', family: 'ipv4' } as const;

function counted(
  connections: number,
  [inPackets, inBytes]: number[],
  [outPackets, outBytes]: number[],
): Counted {
  return {
    connections,
    inPackets: inPackets ?? 0,
    inBytes: inBytes ?? 0,
    outPackets: outPackets ?? 0,
    outBytes: outBytes ?? 0,
  };
}

const NONE = counted(10, [50, 5_000], [40, 9_000]);

describe('what counters reveal about a backend', () => {
  test('new connections and no packet back are a suspicion', () => {
    const now = counted(13, [53, 5_180], [40, 9_000]);
    expect(signOf(TCP, [NONE, now, now])).toEqual({ kind: 'nothing', connections: 3, packets: 0 });
  });

  test('a client that asks again, without any reply, is one where nobody connects anew', () => {
    const again = counted(10, [51, 5_060], [40, 9_000]);
    expect(signOf(TCP, [NONE, again, again])).toEqual({ kind: 'nothing', connections: 0, packets: 0 });
    expect(signOf(UDP, [NONE, again, again])).toEqual({ kind: 'quiet' });
    const six = counted(10, [51, 5_080], [40, 9_000]);
    expect(signOf({ ...TCP, family: 'ipv6' }, [NONE, six, six])).toMatchObject({ kind: 'nothing' });
  });

  test('packets that only acknowledge or reset need no reply', () => {
    const acknowledged = counted(10, [53, 5_144], [40, 9_000]);
    expect(signOf(TCP, [NONE, acknowledged, acknowledged])).toEqual({ kind: 'quiet' });
  });

  test('a reply that is counted with the next reading is in time', () => {
    const after = counted(11, [51, 5_060], [40, 9_000]);
    expect(signOf(TCP, [NONE, after, counted(11, [53, 5_300], [41, 9_060])])).toMatchObject({
      kind: 'replies',
    });
  });

  test('connections of the last reading alone have had no time for a reply', () => {
    expect(signOf(TCP, [NONE, NONE, counted(14, [54, 5_240], [40, 9_000])])).toEqual({ kind: 'quiet' });
  });

  test('packets as small as resets are no replies, over IPv6 too', () => {
    const now = counted(12, [52, 5_120], [42, 9_080]);
    expect(signOf(TCP, [NONE, now, now])).toMatchObject({ kind: 'errors', connections: 2 });
    const six = counted(12, [52, 5_160], [42, 9_120]);
    expect(signOf({ ...TCP, family: 'ipv6' }, [NONE, six, six])).toMatchObject({
      kind: 'errors',
      connections: 2,
    });
  });

  test('ICMP errors, which quote the packet that they are about, are no replies', () => {
    const now = counted(12, [54, 5_240], [43, 9_264]);
    expect(signOf(TCP, [NONE, now, now])).toMatchObject({ kind: 'errors', connections: 2 });
    const datagrams = counted(11, [52, 5_200], [42, 9_256]);
    expect(signOf(UDP, [NONE, datagrams, datagrams])).toMatchObject({ kind: 'errors', connections: 1 });
  });

  test('several ICMP errors for each new connection, as this host makes them when it is cut off, are no replies', () => {
    const now = counted(12, [58, 5_480], [46, 9_000 + 6 * 88]);
    expect(signOf(TCP, [NONE, now, now])).toMatchObject({ kind: 'errors', connections: 2 });
  });

  test('a SYN-ACK is a reply, also where the client then resets', () => {
    const now = counted(11, [52, 5_100], [41, 9_052]);
    expect(signOf(TCP, [NONE, now, now])).toMatchObject({ kind: 'replies' });
  });

  test('fewer packets than connections are a suspicion: what a backend sends again answers none of them', () => {
    const now = counted(15, [55, 5_300], [42, 12_000]);
    expect(signOf(TCP, [NONE, now, now])).toEqual({ kind: 'fewer', connections: 5, packets: 2 });
    expect(signOf(UDP, [NONE, now, now])).toMatchObject({ kind: 'replies' });
  });

  test('resets are a suspicion also beside what a backend sends again', () => {
    const now = counted(13, [53, 5_180], [44, 9_000 + 3 * 40 + 52]);
    expect(signOf(TCP, [NONE, now, now])).toMatchObject({ kind: 'errors', connections: 3 });
  });

  test('new connections are surely answered where twice as many packets came, and none is where nobody connected', () => {
    const answered = (now: Counted) => signOf(TCP, [NONE, now, now]);
    expect(answered(counted(12, [58, 5_400], [44, 9_800]))).toEqual({ kind: 'replies', areAnswered: true });
    expect(answered(counted(12, [58, 5_400], [43, 9_800]))).toEqual({ kind: 'replies', areAnswered: false });
    expect(answered(counted(10, [58, 5_400], [44, 9_800]))).toEqual({ kind: 'replies', areAnswered: false });
  });

  test('a UDP backend that never replies is none, since many protocols have no replies', () => {
    const now = counted(13, [90, 9_000], [40, 9_000]);
    expect(signOf(UDP, [NONE, now, now])).toEqual({ kind: 'quiet' });
  });

  test('a counter that went backwards is that of another destination', () => {
    expect(signOf(TCP, [NONE, NONE, counted(1, [1, 60], [0, 0])])).toBeNull();
  });
});

test('counters tell of UDP, of open connections, and of all where the table of connections cannot be read', () => {
  const isNew = { kind: 'nothing', connections: 1, packets: 0 } as const;
  expect(isForCounters(isNew, 'tcp', true)).toBe(false);
  expect(isForCounters(isNew, 'tcp', false)).toBe(true);
  expect(isForCounters(isNew, 'udp', true)).toBe(true);
  expect(isForCounters({ ...isNew, connections: 0 }, 'tcp', true)).toBe(true);
  expect(isForCounters({ kind: 'replies', areAnswered: true }, 'tcp', true)).toBe(false);
});

test.each([
  ['nothing', 1, 0, '1 connection, no reply'],
  ['nothing', 0, 0, 'clients repeat requests, no reply'],
  ['fewer', 7, 1, '7 connections, 1 packet back'],
  ['errors', 7, 7, '7 connections, only resets or ICMP errors back'],
] as const)('%s is told in words', (kind, connections, packets, text) => {
  expect(signText({ kind, connections, packets })).toBe(text);
});
