/**
 * Load for the machine, on the Node.js of the package: `serve ADDRESS PORT` answers each line with that line; `load ADDRESS
 * PORT` holds connections and opens new ones until it is ended, and then prints what failed.
 */

import { connect, createServer } from 'node:net';

const [what, address, port] = process.argv.slice(2);
if (what === 'serve')
  createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(Number(port), address);
else load();

function load() {
  const counts = { lines: 0, connections: 0, failures: [] };
  for (let n = 0; n < 5; n++) converse(Number.POSITIVE_INFINITY, counts);
  const opening = setInterval(() => converse(1, counts), 200);
  process.on('SIGTERM', () => {
    clearInterval(opening);
    process.stdout.write(`${JSON.stringify(counts)}\n`, () => process.exit(0));
  });
}

/** Sends one line after another, each once the one before was answered. */
function converse(lines, counts) {
  counts.connections++;
  let left = lines;
  const socket = connect({ host: address, port: Number(port), noDelay: true, timeout: 20_000 });
  const fail = (reason) => {
    counts.failures.push(reason);
    socket.destroy();
  };
  socket.on('connect', () => socket.write('line\n'));
  socket.on('data', () => {
    counts.lines++;
    if (--left > 0) setTimeout(() => socket.write('line\n'), 50);
    else socket.destroy();
  });
  socket.on('timeout', () => fail('no answer within 20 s'));
  socket.on('error', ({ code }) => fail(code));
  socket.on('end', () => fail('ended by the backend'));
}
