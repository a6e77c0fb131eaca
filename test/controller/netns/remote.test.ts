/** The helper and its client, connected by pipes as by standard input and output. */

import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { ControllerError } from '../../../controller/errors.ts';
import type { ObservedService, Step, Table } from '../../../controller/model/kernel.ts';
import { serviceKey } from '../../../controller/model/service.ts';
import { type HelperPorts, serveCalls } from '../../../controller/netns/helper.ts';
import { RemoteNamespace } from '../../../controller/netns/remote.ts';
import { serviceFields } from '../../../controller/settings/settings.ts';
import { systemClock } from '../../../controller/time.ts';

const service: ObservedService = {
  protocol: 'tcp',
  address: 'fd01:c::7',
  port: 80,
  ...serviceFields.unset,
  backends: new Map(),
};
const TABLE: Table = new Map([[serviceKey(service), service]]);
const STEPS: readonly Step[] = [
  { op: 'add-service', service },
  { op: 'remove-service', service: { protocol: 'udp', address: '10.0.0.1', port: 53 } },
];

function joined(
  ports: { table?: Partial<HelperPorts['table']>; reachability?: object },
  clock = systemClock,
) {
  const [toHelper, fromHelper] = [new PassThrough(), new PassThrough()];
  let killed = 0;
  const remote = new RemoteNamespace(
    { input: toHelper, output: fromHelper, kill: () => void killed++ },
    clock,
  );
  const served = serveCalls(ports as HelperPorts, toHelper, fromHelper);
  return { remote, toHelper, fromHelper, served, killed: () => killed };
}

test('a table is read through the helper, whole or some services of it', async () => {
  const asked: unknown[] = [];
  const { remote } = joined({
    table: {
      observe: async (only) => {
        asked.push(only);
        return TABLE;
      },
      observeInBackground: async () => TABLE,
    },
  });
  expect(await remote.table.observe()).toEqual(TABLE);
  const { protocol, address, port } = service;
  expect(await remote.table.observe([{ protocol, address, port }])).toEqual(TABLE);
  expect(asked).toEqual([undefined, [{ protocol, address, port }]]);
  const known = { ...service };
  const inBackground = await remote.table.observeInBackground(() => known);
  expect(inBackground.get(serviceKey(service))).toBe(known);
});

test('a failed step is returned with its error', async () => {
  const { remote } = joined({
    table: {
      apply: async (steps) =>
        steps
          .slice(0, 1)
          .map((step) => ({ step, error: new Error('no such scheduler'), why: 'no-scheduler' })),
    },
  });
  const [failure, ...others] = await remote.table.apply(STEPS);
  expect(others).toEqual([]);
  expect(failure?.step).toBe(STEPS[0]);
  expect(failure).toMatchObject({ error: { message: 'no such scheduler' }, why: 'no-scheduler' });
});

test('answers reach their callers in whatever order they arrive', async () => {
  const first = Promise.withResolvers<readonly string[]>();
  const { remote } = joined({
    reachability: { exists: () => first.promise, repair: async () => ['route added'] },
  });
  const exists = remote.reachability.exists();
  expect(await remote.reachability.repair()).toEqual(['route added']);
  first.resolve(['interface vip0']);
  expect(await exists).toEqual(['interface vip0']);
});

test('an error of the kernel is passed on, with whether to retry', async () => {
  const refusal = new ControllerError('kernel', 'the table cannot be used', { retry: 'never' });
  const { remote } = joined({ table: { observe: () => Promise.reject(refusal) } });
  await expect(remote.table.observe()).rejects.toMatchObject({ message: refusal.message, retry: 'never' });
});

test('pending and later calls to a helper that ended reject with the reason', async () => {
  const { remote, killed } = joined({ table: { observe: () => new Promise<Table>(() => undefined) } });
  const waiting = remote.table.observe();
  remote.end('the helper was killed');
  remote.end('exit status 1');
  await expect(waiting).rejects.toThrow('the helper was killed');
  await expect(remote.reachability.ensure([])).rejects.toThrow('the helper was killed');
  expect(killed()).toBe(1);
});

test('a helper that does not answer in time is stopped, and its calls reject', async () => {
  const clock = { ...systemClock, sleep: async () => undefined };
  const { remote, killed } = joined({ table: { observe: () => new Promise<Table>(() => undefined) } }, clock);
  await expect(remote.table.observe()).rejects.toThrow('its helper has not answered for 60 s');
  expect(killed()).toBe(1);
});

test('a helper that writes something else is stopped', async () => {
  const { remote, fromHelper } = joined({ table: { observe: () => new Promise<Table>(() => undefined) } });
  const waiting = remote.table.observe();
  fromHelper.write('warning: something\n');
  await expect(waiting).rejects.toThrow('its helper sent an invalid answer');
});

test('a helper ends with its input, after finishing the calls in progress', async () => {
  const done: string[] = [];
  const { toHelper, served } = joined({
    table: {
      apply: async () => {
        done.push('applied');
        return [];
      },
    },
  });
  toHelper.end(`${JSON.stringify({ id: 0, call: 'apply', args: STEPS })}\n`);
  await served;
  expect(done).toEqual(['applied']);
});
