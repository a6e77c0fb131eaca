import { expect, test } from '@jest/globals';
import { MAX_QUERY } from '../../controller/dns/query.ts';
import { TCP_LIMITS } from '../../controller/dns/tcp.ts';
import { repository } from '../../docs/site/repository.ts';

test('the page on names states the bounds of DNS over TCP as they are', () => {
  const page = repository.textOf('docs/dns.md').replace(/\s+/g, ' ');
  const { connections, perClient, idleMs } = TCP_LIMITS;
  expect(page).toContain(`has at most ${connections} connections at a time`);
  expect(page).toContain(`at most ${perClient} of them`);
  expect(page).toContain(`closed after ${idleMs / 1_000} s without a query`);
  expect(page).toContain(`a query of more than ${MAX_QUERY} bytes`);
});
