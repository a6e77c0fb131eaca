import { beforeEach, describe, expect, test } from '@jest/globals';
import { createResponder, type Responder } from '../../../controller/dns/responder.ts';
import { INDEX, question, WEB } from './asking.ts';
import { Meter } from './serving.ts';

const QUERY = question(WEB, { edns: {} });

let meter: Meter;
let responder: Responder;
beforeEach(() => {
  meter = new Meter();
  responder = createResponder(INDEX, meter);
});

describe('a client that exceeds the rate limit', () => {
  test('gets a truncated reply, no longer than its query, to every other query, and none to the rest', () => {
    const replies = Array.from({ length: 5_100 }, () => responder.udp(QUERY, '203.0.113.9'));
    const over = replies.slice(5_000);
    expect(replies.slice(0, 5_000).every((reply) => (reply?.length ?? 0) > QUERY.length)).toBe(true);
    expect(over.filter((reply) => reply === null)).toHaveLength(50);
    expect(over.filter((reply) => reply?.length === QUERY.length)).toHaveLength(50);
    expect(meter.drops).toEqual(Array(50).fill('rate'));
    expect(meter.answers.filter(({ truncated }) => truncated)).toHaveLength(50);
  });

  test('is still answered over TCP, and others over UDP', () => {
    for (let i = 0; i < 5_002; i++) responder.udp(QUERY, '203.0.113.9');
    expect(responder.tcp(QUERY)?.length).toBeGreaterThan(QUERY.length);
    expect(responder.udp(QUERY, '203.0.113.10')?.length).toBeGreaterThan(QUERY.length);
  });

  test('is not limited if it is this host, whose addresses cannot be forged', () => {
    const replies = Array.from({ length: 5_100 }, () => responder.udp(QUERY, '127.0.0.1'));
    expect(replies.every((reply) => (reply?.length ?? 0) > QUERY.length)).toBe(true);
  });
});

test('a message that is not a query is counted and not answered', () => {
  expect([responder.udp(Buffer.alloc(3), '203.0.113.9'), responder.tcp(Buffer.alloc(3))]).toEqual([
    null,
    null,
  ]);
  expect(meter.drops).toEqual(['ignored', 'ignored']);
});
