/**
 * `connections-main.ts ADDRESS PORT RATE HOLD_MS [MOST [FROM]]`: opens so many connections a second from the namespace that
 * this process runs in, MOST in all, from its address FROM, and holds each for so long, until stdin ends. Then one line of JSON
 * tells when each was opened, in milliseconds since the epoch, and to which backend: `[[1764400000000, 8001], …]`, with 0 where
 * none answered.
 */

import { connect } from 'node:net';

const [host = '', port, rate, holdMs, most = 'Infinity', localAddress] = process.argv.slice(2);
const opened: [number, number][] = [];
const perSecond = Number(rate);
let due = 0;
let before = performance.now();

const opening = setInterval(() => {
  const now = performance.now();
  // After a standstill, not more than what a quarter of a second would have seen is made up for.
  due = Math.min(due + ((now - before) / 1_000) * perSecond, perSecond / 4);
  before = now;
  for (; due >= 1 && opened.length < Number(most); due -= 1) open();
}, 1_000 / perSecond);

function open(): void {
  const connection: [number, number] = [Date.now(), 0];
  opened.push(connection);
  const socket = connect({ host, port: Number(port), localAddress });
  socket.on('error', () => socket.destroy());
  socket.once('data', (data) => {
    connection[1] = Number(data);
    setTimeout(() => socket.end(), Number(holdMs));
  });
}

process.stdin
  .on('end', () => {
    clearInterval(opening);
    // What was opened last is answered, or not, by then.
    setTimeout(() => process.stdout.write(`${JSON.stringify(opened)}\n`, () => process.exit(0)), 1_000);
  })
  .resume();
