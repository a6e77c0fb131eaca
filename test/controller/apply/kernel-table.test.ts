import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { createKernelTable } from '../../../controller/apply/kernel-table.ts';
import type { Step } from '../../../controller/model/kernel.ts';
import type { IpvsTable } from '../../../controller/ports.ts';
import { WEIGHT_1, WLC } from '../../support/builders.ts';

const service = { protocol: 'tcp', address: '11.0.0.1', port: 80 };
const backend = { address: '10.0.0.1', port: 31000, ...WEIGHT_1 };
const settings = { ...service, ...WLC };
const make: readonly [Step, Step] = [
  { op: 'add-service', service: settings },
  { op: 'add-backend', service, backend },
];

let kernel: FakeKernel;
let table: IpvsTable;
beforeEach(async () => {
  kernel = new FakeKernel({ immediate: true });
  table = createKernelTable(await IpvsClient.open({ transport: kernel.transport() }));
});
afterEach(() => table.close());

test('a service that is there already stays as it is, whoever made it, and the step says so', async () => {
  await table.apply([{ op: 'add-service', service: { ...settings, scheduler: 'rr' } }]);
  const before = kernel.print();
  const add: Step = { op: 'add-service', service: settings };
  expect(await table.apply([add])).toMatchObject([{ step: add, why: 'exists', error: { code: 'exists' } }]);
  expect(kernel.print()).toBe(before);
});

test('other steps that have been made already succeed, and lead to the same table', async () => {
  expect(await table.apply(make)).toEqual([]);
  const once = kernel.print();
  const [, addBackend] = make;
  expect(await table.apply([addBackend, { op: 'update-service', service: settings }])).toEqual([]);
  expect(kernel.print()).toBe(once);
  const remove: readonly Step[] = [
    { op: 'remove-backend', service, backend },
    { op: 'remove-service', service },
  ];
  expect(await table.apply(remove)).toEqual([]);
  expect(await table.apply(remove)).toEqual([]);
  expect(kernel.print()).toBe('');
});

test('a failure comes with the step that was asked for, also where another way to it was tried', async () => {
  await table.apply(make);
  kernel.faults = { refuse: ({ command }) => (command === 'SET_DEST' ? 12 : 0) };
  const [failure, ...others] = await table.apply(make.slice(1));
  expect(others).toEqual([]);
  expect(failure?.step).toBe(make[1]);
  expect(failure?.error.message).toContain('update destination');
});

test('read in the background, a service stands in the table as what is kept of it, and one by firewall mark not at all', async () => {
  await table.apply(make);
  const other = await IpvsClient.open({ transport: kernel.transport() });
  await other.addService({ fwmark: 7, family: 'ipv4', scheduler: 'wlc' });
  other.close();
  const seen = await table.observe();
  const known = [...seen.values()][0];
  if (known === undefined) throw new Error('the kernel has no service');
  const given: unknown[] = [];
  const beside = await table.observeInBackground((read) => {
    given.push(read);
    return known;
  });
  expect(given).toEqual([known]);
  expect([...beside]).toEqual([['tcp/11.0.0.1:80', known]]);
  expect(beside.get('tcp/11.0.0.1:80')).toBe(known);
});
