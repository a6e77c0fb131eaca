import { type IpvsClient as Client, IpvsClient } from 'ipvs-netlink-ts';
import { createKernelTable } from '../../controller/apply/kernel-table.ts';
import type { Table } from '../../controller/model/kernel.ts';
import type { IpvsTable, StepFailure } from '../../controller/ports.ts';
import type { Gate, StoryKernel } from '../support/model/kernel.ts';
import { ipvsadm } from './ipvs-kernel.ts';

/**
 * The kernel of this machine for stories, its table emptied at the start and at the end; `ipvsadm` is who looks at it.
 *
 * What goes wrong with requests is played by the port: the kernel itself neither loses nor refuses on demand.
 */
export async function realStoryKernel(): Promise<StoryKernel> {
  const other = await IpvsClient.open();
  await other.flush();
  const clients: Client[] = [other];
  return {
    async open(gate) {
      const client = await IpvsClient.open();
      clients.push(client);
      return gated(createKernelTable(client), gate);
    },
    print: async () => ipvsadm('-Sn'),
    async meddle(changes) {
      await other.batch(changes);
    },
    // Nobody answers at the addresses of the stories.
    connect: () => false,
    async close() {
      await other.flush();
      for (const client of clients) client.close();
    },
  };
}

function gated(table: IpvsTable, gate: Gate): IpvsTable {
  const troubled = async (read: () => Promise<Table>): Promise<Table> => {
    const trouble = gate.trouble();
    if (trouble === 'endless' || trouble === 'cut') throw new Error(`the dump is ${trouble}`);
    return await read();
  };
  return {
    observe: (only) => troubled(() => table.observe(only)),
    observeInBackground: (keep) => troubled(() => table.observeInBackground(keep)),
    async apply(steps) {
      if (steps.length === 0) return [];
      const trouble = gate.trouble();
      if (trouble === 'unsent') throw new Error('no buffer space available');
      const failures: StepFailure[] = [];
      if (gate.calm()) {
        failures.push(...(await table.apply(steps)));
        gate.wrote(ipvsadm('-Sn'));
      } else {
        for (const step of steps) {
          const verdict = gate.admit();
          if (verdict !== 'pass') {
            failures.push({ step, error: new Error(verdict) });
            continue;
          }
          failures.push(...(await table.apply([step])));
          gate.wrote(ipvsadm('-Sn'));
        }
      }
      if (trouble !== 'lost') return failures;
      return steps.map((step) => ({ step, error: new Error('outcome unknown') }));
    },
    close: () => table.close(),
  };
}
