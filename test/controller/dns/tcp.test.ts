import { afterEach, describe, expect, test } from '@jest/globals';
import { createResponder } from '../../../controller/dns/responder.ts';
import { openTcp, type TcpLimits } from '../../../controller/dns/tcp.ts';
import type { Listener } from '../../../controller/dns/udp.ts';
import { INDEX, question, WEB } from './asking.ts';
import { framed, Meter, TcpClient, until } from './serving.ts';

let listener: Listener;
let meter: Meter;
const clients: TcpClient[] = [];
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await listener.close();
});

async function start(limits: Partial<TcpLimits>): Promise<void> {
  meter = new Meter();
  const responder = createResponder(INDEX, meter);
  listener = await openTcp('127.0.0.1', 0, responder, meter, {
    idleMs: 10_000,
    connections: 8,
    perClient: 8,
    ...limits,
  });
}

async function client(from = '127.0.0.1'): Promise<TcpClient> {
  const connected = await TcpClient.connect(listener.port, '127.0.0.1', from);
  clients.push(connected);
  return connected;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('slow clients', () => {
  test('one that sends nothing is disconnected after the time limit', async () => {
    await start({ idleMs: 100 });
    const silent = await client();
    await until(() => silent.closed);
    expect(meter.drops).toEqual([]);
  });

  test('a byte now and then does not extend the time limit', async () => {
    await start({ idleMs: 300 });
    const slow = await client();
    for (const byte of framed(question(WEB)).subarray(0, 40)) {
      slow.socket.write(Buffer.of(byte));
      await pause(25);
      if (slow.closed) break;
    }
    expect(slow.closed).toBe(true);
    expect(meter.drops).toEqual(['slow']);
  });

  test('each query restarts the time limit', async () => {
    await start({ idleMs: 300 });
    const steady = await client();
    for (let i = 0; i < 6; i++) {
      steady.socket.write(framed(question(WEB)));
      await pause(100);
    }
    expect(steady.closed).toBe(false);
    expect(steady.messages()).toHaveLength(6);
  });

  test('replies to one that never reads are not buffered without limit', async () => {
    await start({ idleMs: 500 });
    const deaf = await client();
    deaf.socket.pause();
    const many = Buffer.concat(Array(2_000).fill(framed(question(WEB, { edns: {} }))));
    let sent = 0;
    for (; sent < 400 && !deaf.closed; sent++) {
      if (!deaf.socket.write(many)) await Promise.race([pause(20)]);
    }
    const answered = meter.answers.length;
    expect(answered).toBeLessThan((sent * 2_000) / 2);
    await until(() => deaf.closed || meter.drops.includes('slow'));
    expect(meter.drops).toEqual(['slow']);
  });
});

test('one connection more than allowed closes the longest idle one', async () => {
  await start({ connections: 3 });
  const [first, second, third] = [await client(), await client(), await client()];
  for (const { socket } of [first, third]) socket.write(framed(question(WEB)));
  await until(() => first.messages().length + third.messages().length === 2);
  const fourth = await client();
  fourth.socket.write(framed(question(WEB)));
  await until(() => second.closed && fourth.messages().length === 1);
  expect([first.closed, third.closed]).toEqual([false, false]);
});

test('a client at its own limit loses a connection of its own, even if there is room', async () => {
  await start({ perClient: 2 });
  const [other, first, second] = [await client('127.0.0.2'), await client(), await client()];
  const third = await client();
  third.socket.write(framed(question(WEB)));
  await until(() => first.closed && third.messages().length === 1);
  expect([other.closed, second.closed]).toEqual([false, false]);
});

test('with no room left, the client with the most connections loses one, however new', async () => {
  await start({ connections: 4 });
  const patient = await client('127.0.0.2');
  const greedy = [await client(), await client(), await client()];
  const newcomer = await client('127.0.0.3');
  newcomer.socket.write(framed(question(WEB)));
  await until(() => greedy[0]?.closed === true && newcomer.messages().length === 1);
  for (let more = 0; more < 20; more += 1) await client();
  patient.socket.write(framed(question(WEB)));
  await until(() => patient.messages().length === 1);
  expect([patient.closed, newcomer.closed]).toEqual([false, false]);
});
