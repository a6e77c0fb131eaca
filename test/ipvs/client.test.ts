import { describe, expect, test } from '@jest/globals';
import {
  type Destination,
  IpvsClient,
  isIpvsError,
  type SyncDaemon,
  type VirtualService,
} from 'ipvs-netlink-ts';
import { FakeKernel, type FakeKernelOptions } from 'ipvs-netlink-ts/testing';

const web: VirtualService = { protocol: 'tcp', address: '10.96.4.7', port: 80, scheduler: 'wlc' };
const backend: Destination = { address: '10.1.2.3', port: 31244, weight: 1, forwardingMethod: 'masquerade' };

async function start(options: FakeKernelOptions = {}) {
  const kernel = new FakeKernel(options);
  const client = await IpvsClient.open({ transport: kernel.transport(), timeoutMs: 200 });
  return { kernel, client };
}

/** The rejection as operators see it. */
async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) =>
      isIpvsError(error) ? `${error.code} | ${error.message}` : `foreign: ${String(error)}`,
  );
}

describe.each([
  ['replies that come as events', false],
  ['replies that are there at once', true],
])('with %s', (_, immediate) => {
  test('an empty table is an empty list and no error', async () => {
    const { client } = await start({ immediate });
    expect(await client.listServices()).toEqual([]);
    expect(await client.listTable()).toEqual([]);
  });

  test.each<[string, VirtualService, string]>([
    ['tcp', web, '-A -t 10.96.4.7:80 -s wlc'],
    [
      'udp, one packet',
      { protocol: 'udp', address: 'fd00::7', port: 53, scheduler: 'rr', onePacket: true },
      '-A -u [fd00::7]:53 -s rr -o',
    ],
    [
      'sctp',
      { protocol: 'sctp', address: '10.96.4.9', port: 99, scheduler: 'wrr' },
      '-A --sctp-service 10.96.4.9:99 -s wrr',
    ],
    ['fwmark', { fwmark: 5, family: 'ipv4', scheduler: 'rr' }, '-A -f 5 -s rr'],
    [
      'fwmark of IPv6, persistent by network',
      {
        fwmark: 4_294_967_295,
        family: 'ipv6',
        scheduler: 'mh',
        persistence: { timeoutSeconds: 60, prefixLength: 64 },
      },
      '-A -f 4294967295 -6 -s mh -p 60 -M 64',
    ],
    [
      'persistence with a mask, scheduler flags',
      {
        ...web,
        scheduler: 'sh',
        schedulerFlags: ['flag-1', 'flag-2'],
        persistence: { timeoutSeconds: 300, prefixLength: 24 },
      },
      '-A -t 10.96.4.7:80 -s sh -p 300 -M 255.255.255.0 -b sh-fallback,sh-port',
    ],
    [
      'a persistence engine',
      {
        protocol: 'udp',
        address: '10.96.4.10',
        port: 5060,
        scheduler: 'rr',
        persistence: { timeoutSeconds: 30 },
        persistenceEngine: 'sip',
      },
      '-A -u 10.96.4.10:5060 -s rr -p 30 --pe sip',
    ],
  ])('a service is read back as it was added: %s', async (_name, service, line) => {
    const { kernel, client } = await start({ immediate });
    await client.addService(service);
    expect(kernel.print()).toBe(`${line}\n`);
    expect((await client.listServices()).map(({ stats: _stats, ...rest }) => rest)).toEqual([service]);
    expect(await client.getService(service)).toMatchObject(service);
  });

  test.each<[string, Destination, string]>([
    ['masquerade', backend, '-r 10.1.2.3:31244 -m -w 1'],
    ['direct route', { ...backend, forwardingMethod: 'direct-route', port: 80 }, '-r 10.1.2.3:80 -g -w 1'],
    [
      'thresholds',
      { ...backend, upperThreshold: 100, lowerThreshold: 50 },
      '-r 10.1.2.3:31244 -m -w 1 -x 100 -y 50',
    ],
    ['plain tunnel', { ...backend, forwardingMethod: 'tunnel' }, '-r 10.1.2.3:31244 -i -w 1 --tun-type ipip'],
    [
      'gue tunnel',
      {
        ...backend,
        forwardingMethod: 'tunnel',
        tunnel: { type: 'gue', port: 6080, checksum: 'remote-checksum' },
      },
      '-r 10.1.2.3:31244 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum',
    ],
    [
      'tunnel to another family',
      {
        ...backend,
        address: 'fd00::9',
        forwardingMethod: 'tunnel',
        tunnel: { type: 'gre', checksum: 'checksum' },
      },
      '-r [fd00::9]:31244 -i -w 1 --tun-type gre --tun-csum',
    ],
    ['largest weight', { ...backend, weight: 2_147_483_647 }, '-r 10.1.2.3:31244 -m -w 2147483647'],
  ])('a destination is read back as it was added: %s', async (_name, destination, line) => {
    const { kernel, client } = await start({ immediate });
    await client.addService(web);
    await client.addDestination(web, destination);
    expect(kernel.print().split('\n')[1]).toBe(`-a -t 10.96.4.7:80 ${line}`);
    expect(await client.listDestinations(web)).toEqual([expect.objectContaining(destination)]);
  });

  test('a service that was read can be written back with something changed', async () => {
    const { kernel, client } = await start({ immediate });
    await client.addService({ ...web, persistence: { timeoutSeconds: 60 } });
    const read = await client.getService(web);
    await client.updateService({ ...read, scheduler: 'rr' });
    expect(kernel.print()).toBe('-A -t 10.96.4.7:80 -s rr -p 60\n');
  });

  test('an update gives all new settings, and a removal takes the destinations along', async () => {
    const { kernel, client } = await start({ immediate });
    await client.addService({ ...web, persistence: { timeoutSeconds: 60 } });
    await client.addDestination(web, { ...backend, upperThreshold: 9 });
    await client.updateService({ ...web, scheduler: 'rr' });
    await client.updateDestination(web, { ...backend, weight: 0 });
    expect(kernel.print()).toBe('-A -t 10.96.4.7:80 -s rr\n-a -t 10.96.4.7:80 -r 10.1.2.3:31244 -m -w 0\n');
    await client.removeService(web);
    expect(kernel.print()).toBe('');
  });

  test('a table of many parts is read whole, each destination with its own service', async () => {
    const { client } = await start({ immediate });
    const services = Array.from({ length: 40 }, (_each, index) => ({ ...web, port: 1000 + index }));
    const changes = services.flatMap((service) => [
      { op: 'add-service' as const, service },
      ...Array.from({ length: 20 }, (_each, place) => ({
        op: 'add-destination' as const,
        service,
        destination: { ...backend, address: `10.2.${service.port - 1000}.${place}` },
      })),
    ]);
    expect(await client.batch(changes)).toEqual([]);
    const table = await client.listTable();
    expect(table.map(({ service }) => 'port' in service && service.port)).toEqual(
      services.map(({ port }) => port),
    );
    for (const [index, { destinations }] of table.entries()) {
      expect(destinations.map(({ address }) => address)).toEqual(
        Array.from({ length: 20 }, (_e, p) => `10.2.${index}.${p}`),
      );
    }
  });

  test('connection counters are read', async () => {
    const { kernel, client } = await start({ immediate });
    await client.addService(web);
    await client.addDestination(web, backend);
    kernel.setConnections(web, backend, {
      activeConnections: 3,
      inactiveConnections: 2,
      persistentConnections: 1,
    });
    const [destination] = await client.listDestinations(web);
    expect(destination).toMatchObject({
      activeConnections: 3,
      inactiveConnections: 2,
      persistentConnections: 1,
    });
  });

  test('timeouts not given stay as they are', async () => {
    const { client } = await start({ immediate });
    await client.setTimeouts({ udpSeconds: 10 });
    expect(await client.getTimeouts()).toEqual({ tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 10 });
  });

  test('the version is 1.2.1 and not 1.1.1', async () => {
    const { client } = await start({ immediate });
    expect(await client.getInfo()).toEqual({ version: '1.2.1', connectionTableSize: 4096 });
  });

  test('a sync daemon of each role may run, with the kernel filling in what was left out', async () => {
    const { client } = await start({ immediate });
    const backup: SyncDaemon = {
      role: 'backup',
      interface: 'eth1',
      syncId: 0,
      group: 'ff02::51',
      port: 9000,
      ttl: 4,
    };
    await client.startSyncDaemon({ role: 'master', interface: 'eth0', syncId: 7 });
    await client.startSyncDaemon(backup);
    expect(await client.listSyncDaemons()).toEqual([
      {
        role: 'master',
        interface: 'eth0',
        syncId: 7,
        maxLength: 1472,
        group: '224.0.0.81',
        port: 8848,
        ttl: 1,
      },
      { ...backup, maxLength: 1472 },
    ]);
    await client.stopSyncDaemon('master');
    expect(await failure(client.stopSyncDaemon('master'))).toBe(
      'not-found | stop sync daemon master: it is not running (ESRCH)',
    );
  });

  test('zero of nothing in particular and flush reach the whole table', async () => {
    const { kernel, client } = await start({ immediate });
    await client.addService(web);
    await client.zero();
    await client.zero(web);
    await client.flush();
    expect(kernel.print()).toBe('');
    expect(kernel.writes.map(({ command }) => command)).toEqual(['NEW_SERVICE', 'ZERO', 'ZERO', 'FLUSH']);
  });
});

describe('older kernels', () => {
  test('a destination without a family has that of its service', async () => {
    const { client } = await start({ before: '3.18' });
    const six: VirtualService = { ...web, address: 'fd00::7' };
    await client.addService(six);
    await client.addDestination(six, { ...backend, address: 'fd00::9' });
    expect(await client.listDestinations(six)).toMatchObject([{ address: 'fd00::9' }]);
  });

  test('without tunnel attributes every tunnel is IPIP, whatever was asked for', async () => {
    for (const before of ['3.18', '4.1', '5.2'] as const) {
      const { client } = await start({ before });
      await client.addService(web);
      const tunnel = { type: 'gue', port: 6_080 } as const;
      await client.addDestination(web, { ...backend, forwardingMethod: 'tunnel', tunnel });
      const [read] = await client.listDestinations(web);
      expect(read?.forwardingMethod).toBe('tunnel');
      // As of every tunnel that is IPIP.
      expect(read).not.toHaveProperty('tunnel');
    }
  });

  test('without 64-bit counters the 32-bit ones are read', async () => {
    const { client } = await start({ before: '4.1' });
    await client.addService(web);
    expect((await client.getService(web)).stats).toMatchObject({ connections: 0n, inByteRate: 0 });
  });
});
