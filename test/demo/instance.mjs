/**
 * One instance of the demo's app: an HTTP server on $PORT0 that answers with its own name. Ends as a well-behaved
 * instance does: after SIGTERM it still answers for a while, so that nobody who was sent here is turned away.
 *
 * JavaScript, because taking the types out of TypeScript would double the time that it takes to start in the lab.
 */

import { createServer } from 'node:http';

const LINGER_MS = 1500;

const { PORT0 = '0', HOST = 'localhost', MESOS_TASK_ID = 'nobody' } = process.env;
const server = createServer((_request, response) => {
  // Each request is a new decision of the kernel's only where each is a new connection.
  response.setHeader('Connection', 'close');
  response.end(`${HOST}:${PORT0} ${MESOS_TASK_ID}\n`);
});
server.listen(Number(PORT0));

process.once('SIGTERM', () => {
  setTimeout(() => server.close(() => process.exit(0)), LINGER_MS);
});
