import { describe, expect, test } from '@jest/globals';
import {
  type Destination,
  IpvsClient,
  type IpvsError,
  isIpvsError,
  type ServiceId,
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

describe('errors say what was tried, on what, why, and what to do', () => {
  const other: ServiceId = { ...web, port: 81 };

  test.each<[string, (client: IpvsClient) => Promise<unknown>, string]>([
    [
      'a service twice',
      (c) => c.addService(web),
      'exists | add service tcp/10.96.4.7:80: the service already exists (EEXIST)',
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
      'exists | add destination 10.1.2.3:31244 to tcp/10.96.4.7:80: the destination already exists (EEXIST)',
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
      'invalid | add service tcp/10.1.2:80: "10.1.2" is not an IPv4 or IPv6 address',
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

  test('a kernel without IPVS is distinguished from a missing service, and says what to load', async () => {
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

  test('an error number without a meaning of its own is kept', async () => {
    const { kernel, client } = await start();
    kernel.faults = { refuse: () => 12 };
    await expect(client.flush()).rejects.toMatchObject({ code: 'rejected', errno: 12, op: 'flush' });
  });
});

test('an error of another copy of the package is recognised, other errors are not', () => {
  const copy = Object.assign(new Error('gone'), { name: 'IpvsError', code: 'not-found' }) as IpvsError;
  expect(isIpvsError(copy)).toBe(true);
  expect(isIpvsError(copy, 'not-found')).toBe(true);
  expect(isIpvsError(copy, 'exists')).toBe(false);
  expect(isIpvsError(new Error('other'))).toBe(false);
  expect(isIpvsError(undefined)).toBe(false);
});
