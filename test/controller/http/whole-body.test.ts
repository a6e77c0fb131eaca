/** How much memory a large answer takes, in a process of its own. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const MIB = 2 ** 20;
const SIZE = 192 * MIB;
const EXCHANGE = fileURLToPath(new URL('../../../controller/http/exchange.ts', import.meta.url));

/** Serves SIZE bytes, and prints by how many bytes the process grew while they were read. */
const READING = `
import { createServer } from 'node:http';
import { createGzip } from 'node:zlib';
import { Readable } from 'node:stream';
const { exchange, wholeBody } = await import(${JSON.stringify(EXCHANGE)});
const piece = Buffer.alloc(${MIB}, 'x');
const body = () => Readable.from((function* () {
  for (let i = 0; i < ${SIZE / MIB}; i++) {
    // What is counted is what is held, not what nobody has collected yet.
    if (i % 8 === 0) gc();
    yield piece;
  }
})());
const server = createServer((request, response) => {
  if (request.url === '/plain') return body().pipe(response);
  response.writeHead(200, { 'content-encoding': 'gzip' });
  body().pipe(createGzip({ level: 1 })).pipe(response);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const before = process.memoryUsage.rss();
const url = new URL('http://127.0.0.1:' + server.address().port + process.argv[1]);
const { length } = await wholeBody(await exchange(url, { method: 'GET' }));
console.log(JSON.stringify({ length, grown: process.resourceUsage().maxRSS * 1_024 - before }));
process.exit();
`;

test.each(['/plain', '/zipped'])('a large answer is held once: %s', async (path) => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--input-type=module',
    '-e',
    READING,
    path,
  ]);
  const { length, grown } = JSON.parse(stdout);
  expect(length).toBe(SIZE);
  // Its pieces and a copy of them were twice as much.
  expect(grown).toBeLessThan(1.7 * SIZE);
});
