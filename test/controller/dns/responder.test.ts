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

describe('a client that asks more than it may in a second', () => {
  test('gets half of its replies as "ask over TCP", no longer than its queries, and the others not at all', () => {
    const replies = Array.from({ length: 5_100 }, () => responder.udp(QUERY, '203.0.113.9'));
    const over = replies.slice(5_000);
    expect(replies.slice(0, 5_000).every((reply) => (reply?.length ?? 0) > QUERY.length)).toBe(true);
    expect(over.filter((reply) => reply === null)).toHaveLength(50);
    expect(over.filter((reply) => reply?.length === QUERY.length)).toHaveLength(50);
    expect(meter.drops).toEqual(Array(50).fill('rate'));
    expect(meter.answers.filter(({ truncated }) => truncated)).toHaveLength(50);
  });

  test('is answered over TCP as ever, and others over UDP', () => {
    for (let i = 0; i < 5_002; i++) responder.udp(QUERY, '203.0.113.9');
    expect(responder.tcp(QUERY)?.length).toBeGreaterThan(QUERY.length);
    expect(responder.udp(QUERY, '203.0.113.10')?.length).toBeGreaterThan(QUERY.length);
  });

  test('may be this host: nobody elsewhere can ask in its name', () => {
    const replies = Array.from({ length: 5_100 }, () => responder.udp(QUERY, '127.0.0.1'));
    expect(replies.every((reply) => (reply?.length ?? 0) > QUERY.length)).toBe(true);
  });
});

test('what is no query is counted and not answered', () => {
  expect([responder.udp(Buffer.alloc(3), '203.0.113.9'), responder.tcp(Buffer.alloc(3))]).toEqual([
    null,
    null,
  ]);
  expect(meter.drops).toEqual(['ignored', 'ignored']);
});
