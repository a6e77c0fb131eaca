/**
 * One instance of the demo's app: an HTTP server on $PORT0 that answers with its own name. Ends as a well-behaved
 * instance does: after SIGTERM it still answers until no client has come for a second, so that nobody who was sent here
 * is turned away. How long that takes depends on the machine: the host must hear of it and set weight 0 first.
 *
 * JavaScript, because taking the types out of TypeScript would double the time that it takes to start in the lab.
 */

import { createServer } from 'node:http';

/** Looks rather than time: where the machine stands still, so do the clients and what counts here. */
const LOOK_MS = 100;
const QUIET_LOOKS = 10;

const { PORT0 = '0', HOST = 'localhost', MESOS_TASK_ID = 'nobody' } = process.env;
let isAsked = false;
const server = createServer(({ url }, response) => {
  if (url !== '/health') isAsked = true;
  // Each request is a new decision of the kernel's only where each is a new connection.
  response.setHeader('Connection', 'close');
  response.end(`${HOST}:${PORT0} ${MESOS_TASK_ID}\n`);
});
server.listen(Number(PORT0));

process.once('SIGTERM', () => {
  let quiet = 0;
  const look = setInterval(() => {
    quiet = isAsked ? 0 : quiet + 1;
    isAsked = false;
    if (quiet < QUIET_LOOKS) return;
    clearInterval(look);
    server.close(() => process.exit(0));
  }, LOOK_MS);
});
