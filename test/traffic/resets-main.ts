/** `resets-main.ts ADDRESS PORT RATE`: opens so many connections a second and resets each as soon as it stands, until stdin ends. */

import { connect } from 'node:net';

const [host = '', port, rate] = process.argv.slice(2);

setInterval(() => {
  const socket = connect({ host, port: Number(port) });
  socket.on('error', () => undefined);
  socket.once('connect', () => socket.resetAndDestroy());
}, 1_000 / Number(rate));
process.stdin.on('end', () => process.exit(0)).resume();
