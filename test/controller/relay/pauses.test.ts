import { expect, test } from '@jest/globals';
import { snapshot, web } from '../../support/builders.ts';
import type { RequestInfo } from '../../support/kubernetes/faults.ts';
import type { TestKubernetes } from '../../support/kubernetes/start-kubernetes.ts';
import { clock, startServer } from '../source/kubernetes/setup.ts';
import { until } from '../source/support.ts';
import { relaying } from './relaying.ts';

const writesASlice = ({ method, path }: Omit<RequestInfo, 'watch'>) =>
  method === 'PATCH' && path.includes('/endpointslices/');
const written = (server: TestKubernetes) => server.requests.filter(writesASlice);
const appAt = (address: string) => snapshot(web('/a', { VIP_0: 'a:80' }, `${address}:1`));
const isLease = ({ path }: RequestInfo) => path.includes('/leases');

test('after the server asked to wait, what is written is what the sources say by then', async () => {
  const server = await startServer();
  const busy = { status: 429, body: { kind: 'Status', message: 'busy' }, headers: { 'retry-after': '20' } };
  // The second time the write fails, and the round with it.
  server.faults.next(writesASlice, busy, 2);
  const { say } = await relaying(server, appAt('10.0.0.1'), { random: () => 0 });
  await until('it is postponed again', () => written(server).length === 2);
  await clock.sleep(6_000);
  say(appAt('10.0.0.2'));
  const published = () => JSON.stringify(server.operations.storage.all('discovery.k8s.io/endpointslices'));
  await until('it is published', () => published().includes('10.0.0.2'));
  expect(written(server)).toHaveLength(3);
});

test('a relay whose machine slept writes nothing before its lease is renewed', async () => {
  const server = await startServer();
  let sleptMs = 0;
  const woken = { ...clock, epoch: () => clock.epoch() + sleptMs };
  const { say, health } = await relaying(server, appAt('10.0.0.1'), { clock: woken });
  await until('it is published', () => written(server).length === 1);
  server.faults.next(isLease, { status: 500, body: { kind: 'Status', message: 'broken' } }, 1_000);
  sleptMs = 3_600_000;
  say(appAt('10.0.0.2'));
  const saysWhy = () => health.ready().text.includes('the lease was not renewed in time');
  await until('it writes or says why not', () => saysWhy() || written(server).length > 1);
  expect(written(server)).toHaveLength(1);
  server.faults.clear();
  await until('it is renewed', () => written(server).length === 2);
});
