import { expect, test } from '@jest/globals';
import type {
  AddressServiceId,
  IpvsClient,
  ObservedDestination,
  ObservedService,
  Stats,
} from 'ipvs-netlink-ts';
import { createDestinationCounters } from '../../../controller/eject/counters.ts';

const ZERO: Stats = {
  ...{ connections: 0n, inPackets: 0n, outPackets: 0n, inBytes: 0n, outBytes: 0n },
  ...{ connectionRate: 0, inPacketRate: 0, outPacketRate: 0, inByteRate: 0, outByteRate: 0 },
};

/** A kernel with services of one destination each, of which a test sets how many connections they have had. */
function kernelWith(services: number) {
  const connections = new Map<string, bigint>();
  const asked: string[] = [];
  const statsOf = (address: string) => ({ ...ZERO, connections: connections.get(address) ?? 0n });
  const client: Pick<IpvsClient, 'listServices' | 'listDestinations' | 'close'> = {
    listServices: async () =>
      Array.from({ length: services }, (_, i): ObservedService => {
        const address = `11.0.${i >> 8}.${i & 255}`;
        return { protocol: 'tcp', address, port: 80, scheduler: 'wlc', stats: statsOf(address) };
      }),
    listDestinations: async (id) => {
      const { address } = id as AddressServiceId;
      asked.push(address);
      const counts = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0 };
      const at = { address: '10.0.0.1', port: 80, weight: 1, forwardingMethod: 'masquerade' as const };
      return [{ ...at, ...counts, stats: statsOf(address) } satisfies ObservedDestination];
    },
    close: () => undefined,
  };
  return { connections, asked, counters: createDestinationCounters(client) };
}

test('only services that get new connections are read, until replies to these were counted', async () => {
  const { connections, asked, counters } = kernelWith(3);
  const read = async () => {
    const { services } = await counters.read(() => true);
    return services
      .get('tcp/11.0.0.1:80')
      ?.get('10.0.0.1:80')
      ?.map((one) => one.connections);
  };
  await read();
  expect(asked).toEqual([]);
  connections.set('11.0.0.1', 5n);
  expect(await read()).toEqual([5, 5, 5]);
  connections.set('11.0.0.1', 7n);
  expect(await read()).toEqual([5, 5, 7]);
  asked.splice(0);
  for (let i = 0; i < 6; i += 1) await counters.read(() => true);
  expect(asked).toEqual(['11.0.0.1', '11.0.0.1', '11.0.0.1']);
  connections.set('11.0.0.1', 8n);
  expect(await read()).toEqual([7, 7, 8]);
  for (let i = 0; i < 40; i += 1) await read();
  connections.set('11.0.0.1', 9n);
  expect(await read()).toEqual([9, 9, 9]);
});

test('services that are not watched are not read', async () => {
  const { connections, asked, counters } = kernelWith(3);
  const isWatched = (key: string) => key === 'tcp/11.0.0.2:80';
  await counters.read(isWatched);
  connections.set('11.0.0.1', 1n).set('11.0.0.2', 1n);
  await counters.read(isWatched);
  expect(asked).toEqual(['11.0.0.2']);
});

test('services that time did not allow are reported, and read first the next time', async () => {
  const { connections, asked, counters } = kernelWith(1_200);
  await counters.read(() => true);
  for (let i = 0; i < 1_200; i += 1) connections.set(`11.0.${i >> 8}.${i & 255}`, 1n);
  expect(await counters.read(() => true)).toMatchObject({ left: 700, entries: 1_200 + 500 });
  for (let i = 0; i < 2; i += 1) await counters.read(() => true);
  expect(new Set(asked).size).toBe(1_200);
  expect(asked).toHaveLength(1_500);
  for (let i = 0; i < 2; i += 1) await counters.read(() => true);
  expect(await counters.read(() => true)).toMatchObject({ left: 0 });
});
