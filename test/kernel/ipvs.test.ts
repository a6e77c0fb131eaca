import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  type Change,
  type Destination,
  IpvsClient,
  netlinkTransport,
  type ServiceId,
  type VirtualService,
} from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { backend, ipvsadm, onKernel, web } from './ipvs-kernel.ts';

onKernel.each([
  ['read at once', true],
  ['read by the package', false],
])('the real kernel, replies %s', (_, immediate) => {
  let client: IpvsClient;

  beforeAll(async () => {
    client = await IpvsClient.open({ transport: netlinkTransport({ immediate }) });
  });
  beforeEach(() => client.flush());
  afterAll(() => client.close());

  const services: readonly VirtualService[] = [
    web,
    { ...web, address: 'fd00::7' },
    { protocol: 'udp', address: '10.96.4.8', port: 53, scheduler: 'rr', onePacket: true },
    { protocol: 'udp', address: 'fd00::8', port: 53, scheduler: 'wrr', onePacket: true },
    { protocol: 'sctp', address: '10.96.4.9', port: 99, scheduler: 'lc' },
    { protocol: 'sctp', address: 'fd00::9', port: 99, scheduler: 'sed' },
    { fwmark: 1, family: 'ipv4', scheduler: 'nq' },
    { fwmark: 2_147_483_647, family: 'ipv6', scheduler: 'lblc' },
    { ...web, port: 1, scheduler: 'sh', schedulerFlags: ['flag-1', 'flag-2'] },
    { ...web, port: 2, scheduler: 'mh', schedulerFlags: ['flag-2'] },
    { ...web, port: 3, scheduler: 'rr', persistence: { timeoutSeconds: 300 } },
    { ...web, port: 4, scheduler: 'rr', persistence: { timeoutSeconds: 300, prefixLength: 24 } },
    {
      ...web,
      address: 'fd00::a',
      port: 4,
      scheduler: 'rr',
      persistence: { timeoutSeconds: 1, prefixLength: 64 },
    },
    { ...web, port: 0, scheduler: 'rr', persistence: { timeoutSeconds: 60 } },
    {
      protocol: 'udp',
      address: '10.96.4.10',
      port: 5060,
      scheduler: 'rr',
      persistence: { timeoutSeconds: 30 },
      persistenceEngine: 'sip',
    },
  ];

  test('services of every kind are read back as they were added, and as ipvsadm prints them', async () => {
    const kernel = new FakeKernel();
    const fake = await IpvsClient.open({ transport: kernel.transport() });
    for (const each of [client, fake]) {
      expect(await each.batch(services.map((service): Change => ({ op: 'add-service', service })))).toEqual(
        [],
      );
    }
    const listed = (await client.listServices()).map(({ stats: _stats, ...rest }) => rest);
    expect(listed).toHaveLength(services.length);
    expect(listed).toEqual(expect.arrayContaining([...services]));
    for (const service of services) expect(await client.getService(service)).toMatchObject(service);
    // The fake kernel prints what ipvsadm prints, line by line; only the order is the kernel's own.
    expect(ipvsadm('-Sn').split('\n').sort()).toEqual(kernel.print().split('\n').sort());
  });

  test('the largest mark is read back as it was added, where ipvsadm prints -1', async () => {
    const service: VirtualService = { fwmark: 4_294_967_295, family: 'ipv4', scheduler: 'rr' };
    await client.addService(service);
    expect(await client.listServices()).toMatchObject([service]);
    expect(ipvsadm('-Sn')).toBe('-A -f -1 -s rr\n');
  });

  test.each('rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh'.split(' '))(
    'scheduler %s',
    async (scheduler) => {
      await client.addService({ ...web, scheduler });
      expect(ipvsadm('-Sn')).toBe(`-A -t 10.96.4.7:80 -s ${scheduler}\n`);
    },
  );

  const destinations: readonly Destination[] = [
    backend,
    { ...backend, address: '10.1.2.4', port: 80, forwardingMethod: 'direct-route', weight: 0 },
    { ...backend, address: '10.1.2.5', port: 80, forwardingMethod: 'tunnel' },
    {
      ...backend,
      address: '10.1.2.6',
      port: 80,
      forwardingMethod: 'tunnel',
      tunnel: { type: 'gue', port: 6080 },
    },
    {
      ...backend,
      address: '10.1.2.7',
      port: 80,
      forwardingMethod: 'tunnel',
      tunnel: { type: 'gue', port: 1, checksum: 'remote-checksum' },
    },
    {
      ...backend,
      address: '10.1.2.8',
      port: 80,
      forwardingMethod: 'tunnel',
      tunnel: { type: 'gre', checksum: 'checksum' },
    },
    { ...backend, address: 'fd00::9', port: 80, forwardingMethod: 'tunnel' },
    { ...backend, address: '127.0.0.1', port: 80, forwardingMethod: 'local' },
    { ...backend, address: '10.1.2.10', port: 80, forwardingMethod: 'bypass' },
    { ...backend, address: '10.1.2.11', weight: 2_147_483_647 },
  ];

  test('destinations of every method and tunnel are read back as they were added, and as ipvsadm prints them', async () => {
    const kernel = new FakeKernel();
    const fake = await IpvsClient.open({ transport: kernel.transport() });
    const changes: Change[] = [
      { op: 'add-service', service: web },
      ...destinations.map((destination): Change => ({ op: 'add-destination', service: web, destination })),
    ];
    for (const each of [client, fake]) expect(await each.batch(changes)).toEqual([]);
    const listed = await client.listDestinations(web);
    expect(listed).toEqual(expect.arrayContaining(destinations.map((each) => expect.objectContaining(each))));
    expect(listed).toHaveLength(destinations.length);
    const printed = (text: string) =>
      text
        .split('\n')
        .filter((line) => !/-r (127|10.1.2.10)/.test(line))
        .sort();
    expect(printed(ipvsadm('-Sn'))).toEqual(printed(kernel.print()));
  });

  test('thresholds are set, and an update gives all new settings', async () => {
    await client.addService({ ...web, persistence: { timeoutSeconds: 60 } });
    await client.addDestination(web, { ...backend, upperThreshold: 100, lowerThreshold: 50 });
    expect(ipvsadm('-Ln', '--thresholds')).toMatch(/10\.1\.2\.3:31244 +100 +50/);
    await client.updateService({ ...web, scheduler: 'rr' });
    await client.updateDestination(web, { ...backend, weight: 0 });
    expect(ipvsadm('-Sn')).toBe('-A -t 10.96.4.7:80 -s rr\n-a -t 10.96.4.7:80 -r 10.1.2.3:31244 -m -w 0\n');
    expect(await client.listDestinations(web)).toEqual([
      expect.not.objectContaining({ upperThreshold: 100 }),
    ]);
  });

  test('a tunnel that is updated to another method leaves nothing of the tunnel', async () => {
    await client.addService(web);
    await client.addDestination(web, {
      ...backend,
      forwardingMethod: 'tunnel',
      tunnel: { type: 'gue', port: 6080 },
    });
    await client.updateDestination(web, { ...backend, forwardingMethod: 'tunnel' });
    expect((await client.listDestinations(web))[0]).not.toHaveProperty('tunnel');
  });

  test('removing a service removes its destinations', async () => {
    await client.addService(web);
    await client.addDestination(web, backend);
    await client.removeService(web);
    await client.addService(web);
    expect(await client.listDestinations(web)).toEqual([]);
  });

  test('a batch in which each of 1,000 messages fails harms neither process nor table', async () => {
    const changes = Array.from(
      { length: 1_000 },
      (_each, index): Change => ({ op: 'add-service', service: { ...web, port: 1 + index } }),
    );
    expect(await client.batch(changes)).toEqual([]);
    const failures = await client.batch(changes);
    expect(failures).toHaveLength(1_000);
    expect(
      failures.every(({ error }, index) => error.code === 'exists' && failures[index]?.index === index),
    ).toBe(true);
    expect(await client.listServices()).toHaveLength(1_000);
  });

  test('a table of some hundred services is read whole, and as ipvsadm prints it', async () => {
    const changes = Array.from({ length: 300 }, (_each, index): Change[] => {
      const service: VirtualService = { ...web, address: `10.97.${index >> 8}.${index & 255}` };
      const add = (place: number): Change => ({
        op: 'add-destination',
        service,
        destination: { ...backend, port: 1 + place },
      });
      return [
        { op: 'add-service', service },
        ...Array.from({ length: index % 40 }, (_e, place) => add(place)),
      ];
    }).flat();
    expect(await client.batch(changes)).toEqual([]);
    const table = await client.listTable();
    expect(table).toHaveLength(300);
    for (const { service, destinations: found } of table) {
      const [third = 0, last = 0] = ('address' in service ? service.address : '')
        .split('.')
        .slice(2)
        .map(Number);
      expect(found).toHaveLength((256 * third + last) % 40);
    }
    expect(ipvsadm('-Sn').trim().split('\n')).toHaveLength(changes.length);
  });

  test('many requests at the same time are answered each by its own reply', async () => {
    const ids: ServiceId[] = Array.from({ length: 50 }, (_each, index) => ({ ...web, port: 1 + index }));
    await Promise.all(ids.map((id) => client.addService({ ...id, scheduler: 'rr' })));
    const found = await Promise.all(ids.map((id) => client.getService(id)));
    expect(found.map((each) => 'port' in each && each.port)).toEqual(ids.map((_id, index) => 1 + index));
  });
});
