import { describe, expect, test } from '@jest/globals';
import {
  type Destination,
  IpvsClient,
  isIpvsError,
  type ServiceId,
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

  test('time-outs not given stay as they are', async () => {
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
      'not-found | stop sync daemon master: it does not run (ESRCH)',
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

describe('errors say what was tried, on what, why, and what to do', () => {
  const other: ServiceId = { ...web, port: 81 };

  test.each<[string, (client: IpvsClient) => Promise<unknown>, string]>([
    [
      'a service twice',
      (c) => c.addService(web),
      'exists | add service tcp/10.96.4.7:80: the service exists (EEXIST)',
    ],
    [
      'an unknown scheduler',
      (c) => c.addService({ ...web, port: 82, scheduler: 'wlcc' }),
      'unsupported | add service tcp/10.96.4.7:82: kernel has no scheduler "wlcc" (ENOENT)',
    ],
    [
      'an unknown engine',
      (c) => c.updateService({ ...web, persistenceEngine: 'sap' }),
      'unsupported | update service tcp/10.96.4.7:80: kernel has no scheduler "wlc" or no persistence engine "sap" (ENOENT)',
    ],
    [
      'a service that is not there',
      (c) => c.removeService(other),
      'not-found | remove service tcp/10.96.4.7:81: no such service (ESRCH)',
    ],
    [
      'reading it',
      (c) => c.getService(other),
      'not-found | get service tcp/10.96.4.7:81: no such service (ESRCH)',
    ],
    [
      'listing its destinations',
      (c) => c.listDestinations(other),
      'not-found | get service tcp/10.96.4.7:81: no such service (ESRCH)',
    ],
    [
      'adding one to it',
      (c) => c.addDestination(other, backend),
      'not-found | add destination 10.1.2.3:31244 to tcp/10.96.4.7:81: no such service (ESRCH)',
    ],
    [
      'a destination that is not there',
      (c) => c.updateDestination(web, { ...backend, port: 1 }),
      'not-found | update destination 10.1.2.3:1 of tcp/10.96.4.7:80: no such destination (ENOENT)',
    ],
    [
      'a destination twice',
      (c) => c.addDestination(web, backend),
      'exists | add destination 10.1.2.3:31244 to tcp/10.96.4.7:80: the destination exists (EEXIST)',
    ],
    [
      'thresholds upside down',
      (c) => c.updateDestination(web, { ...backend, upperThreshold: 1, lowerThreshold: 2 }),
      'invalid | update destination 10.1.2.3:31244 of tcp/10.96.4.7:80: a weight or threshold is out of range (ERANGE)',
    ],
    [
      'an impossible port',
      (c) => c.addService({ ...web, port: 65_536 }),
      'invalid | add service tcp/10.96.4.7:65536: port 65536: expected an integer from 0 to 65535',
    ],
    [
      'an impossible address',
      (c) => c.addService({ ...web, address: '10.1.2' }),
      'invalid | add service tcp/10.1.2:80: "10.1.2" is no IPv4 or IPv6 address',
    ],
    [
      'a name too long',
      (c) => c.addService({ ...web, port: 83, scheduler: 'a'.repeat(16) }),
      `invalid | add service tcp/10.96.4.7:83: scheduler "${'a'.repeat(16)}": expected 1 to 15 characters`,
    ],
    [
      'an unknown word',
      (c) => c.addDestination(web, { ...backend, forwardingMethod: 'nat' as 'local' }),
      'invalid | add destination 10.1.2.3:31244 to tcp/10.96.4.7:80: forwarding method "nat": expected one of masquerade, local, tunnel, direct-route, bypass',
    ],
    [
      'a negative weight',
      (c) => c.addDestination(web, { ...backend, weight: -1 }),
      'invalid | add destination 10.1.2.3:31244 to tcp/10.96.4.7:80: weight -1: expected an integer from 0 to 2147483647',
    ],
    [
      'fwmark 0',
      (c) => c.addService({ fwmark: 0, family: 'ipv4', scheduler: 'rr' }),
      'invalid | add service fwmark/0/ipv4: fwmark 0: expected an integer from 1 to 4294967295',
    ],
  ])('%s', async (_, act, message) => {
    const { client } = await start();
    await client.addService(web);
    await client.addDestination(web, backend);
    expect(await failure(act(client))).toBe(message);
  });

  test('a kernel without IPVS is told from a missing service, and says what to load', async () => {
    const message = await failure(start({ hasIpvs: false }));
    expect(message).toMatch(/^unsupported \| the kernel has no IPVS: load it with "modprobe ip_vs"/);
  });

  test('without CAP_NET_ADMIN the capability is named', async () => {
    const { kernel, client } = await start();
    kernel.faults = { refuse: () => 1 };
    const hint = 'the process lacks CAP_NET_ADMIN in its network namespace (EPERM)';
    expect(await failure(client.listTable())).toBe(`not-permitted | list table: ${hint}`);
    expect(await failure(client.flush())).toBe(`not-permitted | flush: ${hint}`);
    expect(await failure(client.removeService(web))).toBe(
      `not-permitted | remove service tcp/10.96.4.7:80: ${hint}`,
    );
  });

  test("the kernel's own words come first, where it has any", async () => {
    const { kernel, client } = await start();
    kernel.faults = { refuse: () => 22, words: () => 'Unknown flag' };
    expect(await failure(client.flush())).toBe('invalid | flush: Unknown flag (EINVAL)');
    expect(await failure(client.removeService(web))).toBe(
      'invalid | remove service tcp/10.96.4.7:80: Unknown flag (EINVAL)',
    );
  });

  test('an error number without a meaning of its own is kept', async () => {
    const { kernel, client } = await start();
    kernel.faults = { refuse: () => 12 };
    await expect(client.flush()).rejects.toMatchObject({ code: 'rejected', errno: 12, op: 'flush' });
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

  test('without 64-bit counters the 32-bit ones are read', async () => {
    const { client } = await start({ before: '4.1' });
    await client.addService(web);
    expect((await client.getService(web)).stats).toMatchObject({ connections: 0n, inByteRate: 0 });
  });
});
