/**
 * `backends-main.ts FIFO`: serves the ports of every instance (instance.sh), HTTP on the first and UDP on the second,
 * in the one namespace that has the addresses of all agents.
 *
 * An instance that is asked to end drains as a careful service does: it serves on for a while, so that the news can
 * get around, and closes each kept connection with its next answer. It ends when the time is over and nobody is
 * connected. One that is killed takes its sockets with it. Lines on stdin set how long: `linger 3000`.
 */

import { createSocket, type Socket } from 'node:dgram';
import { constants, openSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { Socket as Pipe } from 'node:net';
import { createInterface } from 'node:readline';

/** Connections that are still there then are cut. */
const LONGEST_DRAIN_MS = 90_000;
const LOOK_MS = 250;
/** Checks are made all the time; they are no clients. */
export const HEALTH_PATH = '/health';

interface Instance {
  readonly pid: number;
  readonly task: string;
  readonly http: Server;
  readonly udp: Socket | null;
  drainingSince: number | null;
  /** When a client came: by a new connection, or with a query. */
  lastClient: number;
}

const instances = new Map<number, Instance>();
let lingerMs = 3_000;

createInterface(process.stdin)
  .on('line', (line) => {
    lingerMs = Number(line.split(' ')[1]);
  })
  .on('close', () => process.exit(0));
// Open for writing too, or it would end whenever nobody writes.
const fifo = openSync(process.argv[2] ?? '', constants.O_RDWR | constants.O_NONBLOCK);
createInterface(new Pipe({ fd: fifo, readable: true, writable: false })).on('line', (line) => {
  const [order, pid = '', host = '', port0 = '', port1 = '', task = ''] = line.split(' ');
  if (order === 'serve') serve(Number(pid), task, host, Number(port0), Number(port1));
  const instance = instances.get(Number(pid));
  if (order === 'drain' && instance) instance.drainingSince ??= Date.now();
});
setInterval(look, LOOK_MS);

function serve(pid: number, task: string, host: string, port: number, udpPort: number): void {
  const http = createServer((request, response) => {
    if (instance.drainingSince !== null) response.setHeader('Connection', 'close');
    if (request.url === HEALTH_PATH) response.setHeader('Connection', 'close');
    else if (!request.socket.bytesWritten) instance.lastClient = Date.now();
    response.end(`${task}\n`);
  });
  // Never closed because of idleness: a client could send its next request just then.
  http.keepAliveTimeout = 0;
  http.listen(port, host);
  const instance: Instance = {
    pid,
    task,
    http,
    udp: udpPort === 0 ? null : answering(task, host, udpPort, () => (instance.lastClient = Date.now())),
    drainingSince: null,
    lastClient: 0,
  };
  instances.set(pid, instance);
}

function answering(task: string, host: string, port: number, asked: () => void): Socket {
  const socket = createSocket('udp4');
  socket.on('message', (message, { address, port: from }) => {
    asked();
    socket.send(`${message.toString().trim()} ${task}`, from, address);
  });
  socket.bind(port, host);
  return socket;
}

function look(): void {
  for (const instance of instances.values()) {
    const { pid, drainingSince, http } = instance;
    if (!exists(pid)) end(instance);
    else if (drainingSince !== null && Date.now() - drainingSince >= lingerMs) {
      http.getConnections((_error, count) => {
        const cut = Date.now() - drainingSince > LONGEST_DRAIN_MS;
        if (!instances.has(pid) || (count > 0 && !cut)) return;
        end(instance);
        process.kill(pid, 'SIGUSR1');
      });
    }
  }
}

/** Told on stdout: how long after it was asked to end the last client came to it. */
function end({ pid, task, http, udp, drainingSince, lastClient }: Instance): void {
  instances.delete(pid);
  http.close();
  http.closeAllConnections();
  udp?.close();
  const late = drainingSince === null ? null : Math.max(0, lastClient - drainingSince);
  process.stdout.write(`${JSON.stringify({ task, late })}\n`);
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
