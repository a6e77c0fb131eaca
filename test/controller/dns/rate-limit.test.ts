import { beforeEach, describe, expect, test } from '@jest/globals';
import { clientOf, RateLimit } from '../../../controller/dns/rate-limit.ts';

let limit: RateLimit;
beforeEach(() => {
  limit = new RateLimit({ perSecond: 3, clients: 4 });
});

function excesses(client: string, times: number, now = 0): number[] {
  return Array.from({ length: times }, () => limit.excess(client, now));
}

describe('replies per client and second', () => {
  test('a client gets its allowance, and what exceeds it is counted', () => {
    expect(excesses('10.0.0.1', 5)).toEqual([0, 0, 0, 1, 2]);
  });

  test('each second starts a new allowance, even if the clock goes back', () => {
    excesses('10.0.0.1', 5);
    expect(limit.excess('10.0.0.1', 999)).toBe(3);
    expect(limit.excess('10.0.0.1', 1_000)).toBe(0);
    expect(excesses('10.0.0.1', 4, 1_000)).toEqual([0, 0, 1, 2]);
    expect(limit.excess('10.0.0.1', -5_000)).toBe(0);
  });

  test("clients do not use up each other's allowance", () => {
    excesses('10.0.0.1', 9);
    expect(excesses('10.0.0.2', 3)).toEqual([0, 0, 0]);
  });

  test('IPv6 clients are counted by /64 network', () => {
    expect(
      ['fd00::1', 'fd00::2', 'fd00:0:0:0:9::', 'fd00::ffff:1:2:3'].map((one) => limit.excess(one, 0)),
    ).toEqual([0, 0, 0, 1]);
    expect(limit.excess('fd00:0:0:1::1', 0)).toBe(0);
    expect(['fe80::1%eth0', 'fe80::2%eth0'].map((one) => limit.excess(one, 0))).toEqual([0, 0]);
  });

  test('an IPv4 client is the same over a dual-stack socket', () => {
    expect([clientOf('::ffff:10.0.0.1'), clientOf('10.0.0.1')]).toEqual(['10.0.0.1', '10.0.0.1']);
  });

  test('clients beyond the maximum share one allowance', () => {
    for (const client of ['a', 'b', 'c', 'd']) limit.excess(client, 0);
    expect(['e', 'f', 'g', 'h'].map((client) => limit.excess(client, 0))).toEqual([0, 0, 0, 1]);
    expect(excesses('a', 2)).toEqual([0, 0]);
  });
});
