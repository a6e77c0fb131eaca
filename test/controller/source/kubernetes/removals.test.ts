import { describe, expect, test } from '@jest/globals';
import { kubernetesSource } from '../../../../controller/source/kubernetes/source.ts';
import type { TestKubernetes } from '../../../support/kubernetes/start-kubernetes.ts';
import { Host } from '../../../support/loop.ts';
import { until } from '../support.ts';
import {
  clientOf,
  clock,
  inBackground,
  removeApp,
  removeObject,
  startServer,
  write,
  writeApp,
  writeSlice,
} from './setup.ts';

const NAMES = ['a', 'b', 'c'] as const;
const ALL = ['10.0.0.1:8080 w1', '10.0.0.2:8080 w1', '10.0.0.3:8080 w1'];

/** A host with a VIP of each of three apps, which have one backend each. */
async function startHost(): Promise<{ readonly server: TestKubernetes; readonly host: Host }> {
  const server = await startServer();
  for (const [i, name] of NAMES.entries()) {
    writeApp(server, name);
    writeSlice(server, name, `10.0.0.${i + 1}`);
  }
  const host = new Host(clock);
  const source = kubernetesSource(await clientOf(server), { context: '', clock, gatherMs: 0 });
  inBackground((signal) => host.follow(source, signal));
  await until('all is in the kernel', () => host.backends.join() === ALL.join());
  return { server, host };
}

const removeSlice = (server: TestKubernetes, name: string) =>
  removeObject(server, 'discovery.k8s.io', 'endpointslices', `${name}-1`);

describe('what the API server reports of each object is named, and never held', () => {
  test('MarathonApps that are deleted', async () => {
    const { server, host } = await startHost();
    for (const name of NAMES) removeApp(server, name);
    await until('all VIPs are gone', () => host.world.kernel.size === 0);
    expect([...host.held]).toEqual([]);
  });

  test('endpoints that leave their EndpointSlices', async () => {
    const { server, host } = await startHost();
    for (const name of NAMES) writeSlice(server, name);
    await until('all backends are gone', () => host.backends.length === 0);
    expect([...host.held]).toEqual([]);
  });

  test('EndpointSlices that are deleted', async () => {
    const { server, host } = await startHost();
    for (const name of NAMES) removeSlice(server, name);
    await until('all backends are gone', () => host.backends.length === 0);
    expect([...host.held]).toEqual([]);
  });

  test('also what happened while the API server was away, if it still knows it', async () => {
    const { server, host } = await startHost();
    const away = server.restart(300, false);
    for (const name of NAMES) removeApp(server, name);
    await away;
    await until('all VIPs are gone', () => host.world.kernel.size === 0);
    expect([...host.held]).toEqual([]);
  });
});

describe('a mass that no event names is held', () => {
  test.each([
    ['MarathonApps', removeApp],
    ['EndpointSlices', removeSlice],
    ['endpoints', (server: TestKubernetes, name: string) => writeSlice(server, name)],
  ])('%s that a new list lacks', async (_what, remove) => {
    const { server, host } = await startHost();
    const away = server.restart(100, true);
    for (const name of NAMES) remove(server, name);
    server.operations.storage.compact();
    await away;
    await until('it is held', () => host.held.has('missing'));
    expect(host.backends).toEqual(ALL);
    await until('another list confirms it', () => host.backends.length === 0);
  });

  test('endpoints that are not ready, as when no node reports any more', async () => {
    const { server, host } = await startHost();
    for (const [i, name] of NAMES.entries())
      write(server, 'discovery.k8s.io', 'endpointslices', {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        ports: [{ name: '', port: 8080, protocol: 'TCP' }],
        endpoints: [{ addresses: [`10.0.0.${i + 1}`], conditions: { ready: false } }],
      });
    await until('it is held', () => host.held.has('unhealthy'));
    expect(host.backends.join()).toContain('w1');
  });
});
