import { expect, jest, test } from '@jest/globals';
import { IpvsClient, type VirtualService } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';

const SERVICES = 400;

/** A client of a kernel with many services without destinations: what is asked and answered most often, and least of. */
async function manyServices(): Promise<IpvsClient> {
  const client = await IpvsClient.open({ transport: new FakeKernel({ immediate: true }).transport() });
  await client.batch(
    Array.from({ length: SERVICES }, (_, index) => {
      const service: VirtualService = {
        protocol: 'tcp',
        address: '11.0.0.1',
        port: 1 + index,
        scheduler: 'wlc',
      };
      return { op: 'add-service', service };
    }),
  );
  return client;
}

test('a long read asks what time it is once for many requests, since where that is a system call it costs as much as one', async () => {
  const client = await manyServices();
  const now = jest.spyOn(performance, 'now');
  try {
    await client.listTable();
    expect(now.mock.calls.length).toBeLessThan(SERVICES / 10);
  } finally {
    now.mockRestore();
  }
});

test('a long read of small replies lets the event loop turn again and again once its time is up', async () => {
  const client = await manyServices();
  let time = 0;
  const now = jest.spyOn(performance, 'now').mockImplementation(() => {
    time += 1_000;
    return time;
  });
  try {
    let turns = 0;
    let isRead = false;
    const read = client.listTable().then(() => {
      isRead = true;
    });
    while (!isRead) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    await read;
    expect(turns).toBeGreaterThan(SERVICES / 50);
  } finally {
    now.mockRestore();
  }
});
