/** `listeners-main.ts ADDRESS PORT…`: tells each client the port that it has come to, and holds the connection as long as it does. */

import { createServer } from 'node:net';

const [address, ...ports] = process.argv.slice(2);
for (const port of ports)
  createServer((socket) => {
    // A client may reset.
    socket.on('error', () => undefined);
    socket.write(port);
  }).listen(Number(port), address);
process.stdin.on('end', () => process.exit(0)).resume();
