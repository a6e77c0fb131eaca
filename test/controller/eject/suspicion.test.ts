import { describe, expect, test } from '@jest/globals';
import { signOf } from '../../../controller/eject/suspicion.ts';
import type { Counted } from '../../../controller/ports.ts';

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

describe('what counters say of a backend', () => {
  test('new connections and no packet back are a suspicion', () => {
    const now = counted(13, [53, 5_180], [40, 9_000]);
    expect(signOf(TCP, [NONE, now, now])).toEqual({ kind: 'nothing', connections: 3 });
  });

  test('a reply that is counted with the next reading is in time', () => {
    const after = counted(11, [51, 5_060], [40, 9_000]);
    expect(signOf(TCP, [NONE, after, counted(11, [53, 5_300], [41, 9_060])])).toEqual({ kind: 'replies' });
  });

  test('connections of the last reading alone have had no time for a reply', () => {
    expect(signOf(TCP, [NONE, NONE, counted(14, [54, 5_240], [40, 9_000])])).toEqual({ kind: 'quiet' });
  });

  test('packets as small as resets are no replies, over IPv6 too', () => {
    const now = counted(12, [52, 5_120], [42, 9_080]);
    expect(signOf(TCP, [NONE, now, now])).toEqual({ kind: 'errors', connections: 2 });
    const six = counted(12, [52, 5_160], [42, 9_120]);
    expect(signOf({ ...TCP, family: 'ipv6' }, [NONE, six, six])).toEqual({ kind: 'errors', connections: 2 });
  });

  test('ICMP errors, which quote the packet that they are about, are no replies', () => {
    const now = counted(12, [54, 5_240], [43, 9_264]);
    expect(signOf(TCP, [NONE, now, now])).toEqual({ kind: 'errors', connections: 2 });
    const datagrams = counted(11, [52, 5_200], [42, 9_256]);
    expect(signOf(UDP, [NONE, datagrams, datagrams])).toEqual({ kind: 'errors', connections: 1 });
  });

  test('a SYN-ACK is a reply, also where the client then resets', () => {
    const now = counted(11, [52, 5_100], [41, 9_044]);
    expect(signOf(TCP, [NONE, now, now])).toEqual({ kind: 'replies' });
  });

  test('a UDP backend that never replies is none, since many protocols have no replies', () => {
    const now = counted(13, [90, 9_000], [40, 9_000]);
    expect(signOf(UDP, [NONE, now, now])).toEqual({ kind: 'quiet' });
  });

  test('a counter that went backwards is that of another destination', () => {
    expect(signOf(TCP, [NONE, NONE, counted(1, [1, 60], [0, 0])])).toBeNull();
  });
});
