import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { createKernelCounters } from '../../../controller/apply/kernel-counters.ts';

/** Nothing is below a path that leads through a file. */
const NOWHERE = `${fileURLToPath(import.meta.url)}/proc`;

async function kernelWith(services: number) {
  const kernel = new FakeKernel({ immediate: true });
  const client = await IpvsClient.open({ transport: kernel.transport() });
  for (let at = 0; at < services; at += 1) {
    const service = { protocol: 'tcp', address: `11.0.${at >> 8}.${at & 255}`, port: 80 } as const;
    await client.addService({ ...service, scheduler: 'wlc' });
    await client.addDestination(service, {
      address: '10.0.0.1',
      port: 80,
      weight: 1,
      forwardingMethod: 'masquerade',
    });
    kernel.setConnections(
      service,
      { address: '10.0.0.1', port: 80 },
      { activeConnections: at, inactiveConnections: 2 },
    );
  }
  return { kernel, client };
}

test('only the services that are asked for are read, and those that the kernel lacks are left out', async () => {
  const { kernel, client } = await kernelWith(3);
  await client.addService({ fwmark: 7, family: 'ipv4', scheduler: 'rr' });
  kernel.requests = [];
  const reading = await createKernelCounters(client, NOWHERE).read(['tcp/11.0.0.2:80', 'tcp/9.9.9.9:9']);
  expect([...reading.services.keys()]).toEqual(['tcp/11.0.0.2:80']);
  expect(reading.services.get('tcp/11.0.0.2:80')?.backends.get('10.0.0.1:80')).toMatchObject({
    activeConnections: 2,
    inactiveConnections: 2,
    traffic: { connections: 0, inBytes: 0 },
  });
  expect(reading).toMatchObject({
    ipvsVersion: '1.2.1',
    conntrack: null,
    timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
  });
  expect(kernel.requests.filter(({ command }) => command === 'GET_DEST')).toHaveLength(1);
  expect(kernel.writes).toEqual([]);
});

test('other work comes in between while a large table is read', async () => {
  const { kernel, client } = await kernelWith(300);
  kernel.requests = [];
  const seen = [0];
  let reading = true;
  const other = () => {
    seen.push(kernel.requests.length);
    if (reading) setImmediate(other);
  };
  setImmediate(other);
  const keys = Array.from({ length: 300 }, (_, at) => `tcp/11.0.${at >> 8}.${at & 255}:80`);
  const { services } = await createKernelCounters(client, NOWHERE).read(keys);
  reading = false;
  expect(services.size).toBe(300);
  const stretches = seen.slice(1).map((count, at) => count - (seen[at] ?? 0));
  expect(Math.max(...stretches)).toBeLessThan(100);
});
