import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { HttpOptions } from '../../../controller/api/http.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Serving } from './serving.ts';

/** More bytes than the buffers of two sockets hold. */
const LARGE = 16_000_000;
const ASK = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
const LAST = 'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
let serving: Serving;
const sockets: Socket[] = [];

async function start(text: () => Promise<string>, over: Partial<HttpOptions> = {}): Promise<void> {
  serving = await Serving.start({
    ...over,
    metrics: { contentType: 'text/plain', text },
    clock: new FakeClock(),
  });
}
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await serving.close();
});

/** A connection that sends several requests at once and reads nothing of the answers. */
async function sent(bytes: string): Promise<Socket> {
  const socket = serving.opened();
  sockets.push(socket);
  socket.pause();
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

test('requests sent together are answered in their order, each once the one before has been answered', async () => {
  let running = 0;
  let made = 0;
  await start(async () => {
    running += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    made += 1;
    const text = `answer ${made}, ${running} at a time;`;
    running -= 1;
    return text;
  });
  const socket = await sent(ASK.repeat(3) + LAST);
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  socket.resume();
  await once(socket, 'close');
  expect(received.match(/answer.*?;/g)).toEqual([1, 2, 3].map((at) => `answer ${at}, 1 at a time;`));
  expect(received).toMatch(/ok\n$/);
});

test('a client that sends hundreds of requests at once is disconnected, and few of them are handled', async () => {
  let made = 0;
  await start(async () => {
    made += 1;
    return 'x'.repeat(10_000);
  });
  const socket = await sent(ASK.repeat(1_400));
  socket.resume();
  await once(socket, 'close');
  expect(made).toBeLessThan(20);
  expect((await serving.get('/livez')).status).toBe(200);
});

test('clients that read no answer and send another request make room for others', async () => {
  await start(async () => 'x'.repeat(LARGE), { connections: { answering: 3 } });
  const [first] = await Promise.all([sent(ASK), sent(ASK), sent(ASK)]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const socket of sockets) socket.write(ASK);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await serving.get('/livez')).status).toBe(200);
  first?.resume();
  if (first?.closed === false) await once(first, 'close');
});

test('an answer to the second of two requests has a time limit too', async () => {
  await start(async () => 'x'.repeat(LARGE), { connections: { sendingMs: 300 } });
  const slow = await sent(LAST.replace('Connection: close\r\n', '') + ASK);
  const sip = setInterval(() => slow.read(1), 50);
  await new Promise((resolve) => setTimeout(resolve, 500));
  slow.resume();
  if (!slow.closed) await once(slow, 'close');
  clearInterval(sip);
  expect(slow.bytesRead).toBeLessThan(LARGE);
});
