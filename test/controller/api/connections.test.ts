import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ConnectionLimits } from '../../../controller/api/connections.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Certificates, Secure } from './access/secure.ts';
import { accessOf, Serving, tokenOf } from './serving.ts';

/** More bytes than the buffers of two sockets hold. */
const LARGE = 16_000_000;
const TOKEN = 'a-token-of-some-length';
let serving: Serving;
const sockets: Socket[] = [];
let stop: () => void = () => undefined;

async function start(connections: Partial<ConnectionLimits> = {}): Promise<void> {
  const access = accessOf({ readToken: tokenOf(TOKEN) });
  const metrics = { contentType: 'text/plain', text: async () => 'x'.repeat(LARGE) };
  serving = await Serving.start({ connections, access, metrics, clock: new FakeClock() });
}

afterEach(async () => {
  stop();
  for (const socket of sockets.splice(0)) socket.destroy();
  await serving.close();
});

/** A connection that stands, from an address of this host. */
async function opened(bytes = '', localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port: serving.port, host: '127.0.0.1', localAddress });
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (bytes !== '') socket.write(bytes);
  return socket;
}

async function openedTimes(count: number, bytes: string, localAddress?: string): Promise<Socket[]> {
  const all: Socket[] = [];
  for (let opening = 0; opening < count; opening += 1) all.push(await opened(bytes, localAddress));
  return all;
}

async function ended(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
}

/** Opens connections as fast as the server ends them, until stopped: whoever reaches the address can. */
function attack(port: number, bytes: string, most = 600): () => void {
  const open = new Set<Socket>();
  const more = () => {
    while (open.size < most) {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket));
    }
  };
  more();
  const timer = setInterval(more, 5);
  return () => {
    clearInterval(timer);
    for (const socket of open) socket.destroy();
  };
}

const HALF = 'GET /livez HTTP/1.1\r\nHost: localh';
const SLOW_BODY = 'POST /v1/apps HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{';
const PROBES = 20;

describe.each([
  ['say nothing', ''],
  ['send half a request', HALF],
  ['send a body slowly', SLOW_BODY],
])('while other clients %s', (_, bytes) => {
  test('a probe from the same host is answered', async () => {
    await start();
    stop = attack(serving.port, bytes);
    const statuses: number[] = [];
    for (let probe = 0; probe < PROBES; probe += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      statuses.push((await serving.get('/livez')).status);
    }
    expect(statuses).toEqual(Array.from({ length: PROBES }, () => 200));
  });
});

describe('over TLS', () => {
  let certificates: Certificates;
  let secure: Secure;

  beforeEach(async () => {
    certificates = new Certificates();
    secure = await Secure.start(certificates);
    serving = secure.serving;
  });
  afterEach(async () => {
    await secure.close();
    certificates.remove();
  });

  test.each([
    ['nothing', ''],
    ['the beginning of a handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('a probe is answered while other clients send %s', async (_, bytes) => {
    stop = attack(serving.port, bytes);
    const statuses: number[] = [];
    for (let probe = 0; probe < PROBES; probe += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      statuses.push((await secure.get('/livez')).status);
    }
    expect(statuses).toEqual(Array.from({ length: PROBES }, () => 200));
  });
});

describe('with too many waiting connections', () => {
  test('the oldest is closed, and the new one stays', async () => {
    await start({ waiting: 4 });
    const [oldest, ...others] = await openedTimes(5, HALF);
    await ended(oldest as Socket);
    expect(others.map(({ closed }) => closed)).toEqual([false, false, false, false]);
  });

  test('only the client with the most connections loses one', async () => {
    await start({ waiting: 6 });
    const [lonely] = await openedTimes(1, HALF, '127.0.0.2');
    const many = await openedTimes(9, HALF);
    await Promise.all(many.slice(0, 4).map(ended));
    expect([lonely, ...many.slice(4)].map((socket) => socket?.closed)).toEqual(Array(6).fill(false));
  });

  test('a connection that is idle after an answer may be closed, but not one with an active event stream', async () => {
    await start({ waiting: 2 });
    serving.converge();
    const head = `HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
    const watching = await opened(`GET /v1/events ${head}`);
    const idle = await opened(`GET /livez ${head}`);
    await Promise.all([once(watching, 'data'), once(idle, 'data')]);
    await openedTimes(20, HALF);
    await ended(idle);
    expect(watching.closed).toBe(false);
  });
});

describe('an answer that the client does not read', () => {
  const ask = `GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;

  test('is aborted at the time limit, even if the client reads slowly', async () => {
    await start({ sendingMs: 300 });
    const slow = await opened(ask);
    slow.pause();
    const sip = setInterval(() => slow.read(1), 50);
    await once(slow, 'readable');
    await ended(slow);
    clearInterval(sip);
    expect((await serving.get('/livez')).status).toBe(200);
  });

  test('may take longer than an idle connection', async () => {
    await start({ idleMs: 50 });
    const slow = await opened(ask);
    slow.pause();
    await new Promise((resolve) => setTimeout(resolve, 400));
    let size = 0;
    slow.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > LARGE) slow.end();
    });
    await ended(slow);
    expect(size).toBeGreaterThan(LARGE);
  });

  test('makes room for new connections if there are too many', async () => {
    await start({ answering: 3 });
    const [first] = await openedTimes(3, ask);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await serving.get('/livez')).status).toBe(200);
    await ended(first as Socket);
  });
});
