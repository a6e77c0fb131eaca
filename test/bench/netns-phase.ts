/** A helper of netns-bench `--in-memory`: what netns-helper.ts is, with an IPVS kernel in its memory and nothing to make reachable. */

import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { createKernelTable } from '../../controller/apply/kernel-table.ts';
import { type HelperPorts, serveCalls } from '../../controller/netns/helper.ts';

const kernel = new FakeKernel();
const open = () => IpvsClient.open({ transport: kernel.transport() });
const table = createKernelTable(await open(), await open());
const reachability: HelperPorts['reachability'] = {
  ensure: async () => ({ changed: [], problems: [], advice: [] }),
  repair: async () => [],
  exists: async () => [],
  remove: async () => [],
  close: () => undefined,
};
// It keeps what it was asked.
setInterval(() => {
  kernel.requests = [];
}, 1_000).unref();
await serveCalls({ table, reachability }, process.stdin, process.stdout);
