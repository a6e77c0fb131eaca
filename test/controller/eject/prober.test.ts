import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { createProber } from '../../../controller/eject/prober.ts';
import type { Target } from '../../../controller/model/ejection.ts';
import { systemClock } from '../../../controller/time.ts';

const prober = createProber(systemClock, { timeoutMs: 300, apartMs: 5 });

function target(protocol: Target['protocol'], port: number): Target {
  return {
    key: `${protocol}/127.0.0.1:${port}`,
    protocol,
    address: '127.0.0.1',
    port,
    agent: 'a',
    task: 't',
  };
}

async function tcpPort(): Promise<{ port: number; close(): Promise<unknown> }> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const at = server.address();
  const port = typeof at === 'object' && at !== null ? at.port : 0;
  return { port, close: () => new Promise((resolve) => server.close(resolve)) };
}

test('a port that somebody listens on is connected to as often as asked', async () => {
  const server = await tcpPort();
  expect(await prober.probe(target('tcp', server.port), 2)).toEqual(['connected', 'connected']);
  await server.close();
});

test('a connection that succeeds while this process stalls is no timeout', async () => {
  const server = await tcpPort();
  const results = prober.probe(target('tcp', server.port), 1);
  await new Promise((resolve) => setImmediate(resolve));
  const end = performance.now() + 500;
  while (performance.now() < end);
  expect(await results).toEqual(['connected']);
  await server.close();
});

test('a port that nobody listens on refuses', async () => {
  const server = await tcpPort();
  await server.close();
  expect(await prober.probe(target('tcp', server.port), 2)).toEqual(['refused', 'refused']);
});

test('of UDP only an ICMP error says anything', async () => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  expect(await prober.probe(target('udp', port), 1)).toEqual(['silent']);
  await new Promise<void>((resolve) => socket.close(resolve));
  expect(await prober.probe(target('udp', port), 1)).toEqual(['refused']);
});
