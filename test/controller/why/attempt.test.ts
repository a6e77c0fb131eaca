import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { attempt } from '../../../controller/why/read/attempt.ts';

/** A busy host may leave a process without a processor for so long. */
function stall(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a connection that succeeds while the process stalls is no timeout', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const attempts = attempt({ queries: [], connections: [{ address: '127.0.0.1', port }], waitMs: 50 });
  stall(200);
  expect((await attempts).connections).toMatchObject([{ outcome: 'connected' }]);
  server.close();
});
