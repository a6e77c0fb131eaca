import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { IpvsClient, netlinkTransport } from 'ipvs-netlink-ts';
import { backend, failure, onKernel, web } from './ipvs-kernel.ts';

onKernel.each([
  ['read at once', true],
  ['read by the package', false],
])('errors of the real kernel, replies %s', (_, immediate) => {
  let client: IpvsClient;

  beforeAll(async () => {
    client = await IpvsClient.open({ transport: netlinkTransport({ immediate }) });
  });
  beforeEach(() => client.flush());
  afterAll(() => client.close());

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'a service twice',
      () => client.addService(web),
      'exists | add service tcp/10.96.4.7:80: the service already exists (EEXIST)',
    ],
    [
      'an unknown scheduler',
      () => client.addService({ ...web, port: 82, scheduler: 'wlcc' }),
      'unsupported | add service tcp/10.96.4.7:82: kernel has no scheduler "wlcc" (ENOENT)',
    ],
    [
      'an unknown scheduler for a service that is there',
      () => client.updateService({ ...web, scheduler: 'wlcc' }),
      'unsupported | update service tcp/10.96.4.7:80: kernel has no scheduler "wlcc" (ENOENT)',
    ],
    [
      'an unknown engine',
      () =>
        client.addService({ ...web, port: 82, persistence: { timeoutSeconds: 1 }, persistenceEngine: 'sap' }),
      'unsupported | add service tcp/10.96.4.7:82: kernel has no scheduler "wlc" or no persistence engine "sap" (ENOENT)',
    ],
    [
      'updating a service that is not there',
      () => client.updateService({ ...web, port: 81 }),
      'not-found | update service tcp/10.96.4.7:81: no such service (ESRCH)',
    ],
    [
      'removing it',
      () => client.removeService({ ...web, port: 81 }),
      'not-found | remove service tcp/10.96.4.7:81: no such service (ESRCH)',
    ],
    [
      'reading it',
      () => client.getService({ ...web, port: 81 }),
      'not-found | get service tcp/10.96.4.7:81: no such service (ESRCH)',
    ],
    [
      'listing its destinations',
      () => client.listDestinations({ ...web, port: 81 }),
      'not-found | get service tcp/10.96.4.7:81: no such service (ESRCH)',
    ],
    [
      'zeroing it',
      () => client.zero({ ...web, port: 81 }),
      'not-found | zero tcp/10.96.4.7:81: no such service (ESRCH)',
    ],
    [
      'a destination of it',
      () => client.addDestination({ ...web, port: 81 }, backend),
      'not-found | add destination 10.1.2.3:31244 to tcp/10.96.4.7:81: no such service (ESRCH)',
    ],
    [
      'a destination twice',
      () => client.addDestination(web, backend),
      'exists | add destination 10.1.2.3:31244 to tcp/10.96.4.7:80: the destination already exists (EEXIST)',
    ],
    [
      'updating a destination that is not there',
      () => client.updateDestination(web, { ...backend, port: 1 }),
      'not-found | update destination 10.1.2.3:1 of tcp/10.96.4.7:80: no such destination (ENOENT)',
    ],
    [
      'removing it',
      () => client.removeDestination(web, { ...backend, port: 1 }),
      'not-found | remove destination 10.1.2.3:1 from tcp/10.96.4.7:80: no such destination (ENOENT)',
    ],
    [
      'thresholds upside down',
      () => client.updateDestination(web, { ...backend, upperThreshold: 1, lowerThreshold: 2 }),
      'invalid | update destination 10.1.2.3:31244 of tcp/10.96.4.7:80: a weight or threshold is out of range (ERANGE)',
    ],
    [
      'another family without a tunnel',
      () => client.addDestination(web, { ...backend, address: 'fd00::9' }),
      'invalid | add destination [fd00::9]:31244 to tcp/10.96.4.7:80: kernel refuses the address (not unicast for this host, or of another family without a tunnel) or the tunnel (EINVAL)',
    ],
    [
      'a multicast destination',
      () => client.addDestination(web, { ...backend, address: '224.0.0.1' }),
      'invalid | add destination 224.0.0.1:31244 to tcp/10.96.4.7:80: kernel refuses the address (not unicast for this host, or of another family without a tunnel) or the tunnel (EINVAL)',
    ],
  ])('an error is what it is said to be: %s', async (_name, act, message) => {
    await client.addService(web);
    await client.addDestination(web, backend);
    expect(await failure(act())).toBe(message);
  });
});

onKernel('without CAP_NET_ADMIN', () => {
  test('the client opens, and says what is missing at the first request', () => {
    const script = `
      import { IpvsClient } from 'ipvs-netlink-ts';
      const client = await IpvsClient.open();
      await client.listServices().catch((error) => console.log(error.code, error.message));
    `;
    const without = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin'];
    const node = [process.execPath, '--conditions=source', '--input-type=module', '-e', script];
    const out = execFileSync('env', [...without, ...node], { encoding: 'utf8' });
    expect(out).toBe(
      'not-permitted list services: the process lacks CAP_NET_ADMIN in its network namespace (EPERM)\n',
    );
  });
});
