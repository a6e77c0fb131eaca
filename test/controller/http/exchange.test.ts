import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exchange } from '../../../controller/http/exchange.ts';

let server: Server;
let url: URL;
beforeAll(async () => {
  server = createServer((request, response) => {
    const status = request.url?.slice(1);
    response.socket?.end(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\n{}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

test.each([
  ['000', 'answered with an HTTP status below 100, which is not valid'],
  ['099', 'answered with an HTTP status below 100, which is not valid'],
  ['100', 'answered with HTTP status 100 (Continue), which was not asked for'],
  ['101', 'answered with HTTP status 101 (Switching Protocols), which was not asked for'],
])('the status %s, with which no exchange can end, is named', async (status, message) => {
  const asked = exchange(new URL(status, url), { method: 'GET' });
  await expect(asked).rejects.toMatchObject({ name: 'InvalidStatus', message });
});

test('a status that HTTP does not define is an answer', async () => {
  const { statusCode, body } = await exchange(new URL('999', url), { method: 'GET' });
  expect([statusCode, await body.text()]).toEqual([999, '{}']);
});
