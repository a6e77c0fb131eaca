/** The kernel of a story: one that answers real bytes in memory here, the real one in `test/kernel/`. */

import { type Change, IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel, type FakeVersion } from 'ipvs-netlink-ts/testing';
import { createKernelTable } from '../../../controller/apply/kernel-table.ts';
import type { Table } from '../../../controller/model/kernel.ts';
import type { IpvsTable } from '../../../controller/ports.ts';

export interface StoryKernel {
  /** The controller's way to the table, each single write of which `gate` lets pass and looks at. */
  open(gate: Gate): Promise<IpvsTable>;
  /** The table as `ipvsadm -Sn` prints it. */
  print(): Promise<string>;
  /** Another program's writes; those that the kernel refuses are not made. */
  meddle(changes: readonly Change[]): Promise<void>;
  /** Clients connect to a backend, `10.0.0.1:31001` of `tcp/11.0.0.1:80`. Returns false where they cannot. */
  connect(service: string, backend: string, connections: number): boolean;
  close(): Promise<void>;
}

/** Stands between one controller and the kernel. */
export interface Gate {
  /** What happens to the next single write. */
  admit(): Verdict;
  /** It was made, and the table is now as printed. */
  wrote(printed: string): void;
  /** What goes wrong with whole requests, in this pass. */
  trouble(): Trouble;
  /** Whether nothing goes wrong in this pass, so that its writes may be made and looked at together. */
  calm(): boolean;
}

/** `refuse`: the kernel says no. `die`: it never got there, nor does anything after it. */
export type Verdict = 'pass' | 'refuse' | 'die';

/**
 * `interrupted`: a dump is disturbed by other writers and has to be made again, `endless`: again and again; `cut`: it fails
 * half-way; `lost`: the writes are made and the reply is lost; `unsent`: the socket has no room for them (ENOBUFS).
 */
export type Trouble = 'none' | 'interrupted' | 'endless' | 'cut' | 'lost' | 'unsent';

const ENOMEM = 12;
const ENOBUFS = 105;
/** Replies are there at once or never. */
const TIMEOUT_MS = 5;

/** `before`: an older kernel, as the fake one has it. */
export async function fakeStoryKernel(before?: FakeVersion): Promise<StoryKernel> {
  const kernel = new FakeKernel({ immediate: true, before });
  const other = await IpvsClient.open({ transport: kernel.transport() });
  const clients = [other];
  return {
    async open(gate) {
      const client = await IpvsClient.open({ transport: kernel.transport(), timeoutMs: TIMEOUT_MS });
      clients.push(client);
      return gated(kernel, createKernelTable(client), gate);
    },
    print: async () => kernel.print(),
    meddle: async (changes) => {
      await other.batch(changes);
    },
    connect(service, backend, activeConnections) {
      const [protocol = '', where = ''] = service.split('/');
      const id = { protocol: protocol === 'udp' ? 'udp' : 'tcp', ...endpoint(where) } as const;
      kernel.setConnections(id, endpoint(backend), { activeConnections });
      return true;
    },
    async close() {
      for (const client of clients) client.close();
    },
  };
}

/** The faults of a pass hold for the controller's own requests only. */
function gated(kernel: FakeKernel, table: IpvsTable, gate: Gate): IpvsTable {
  const troubled = async (read: () => Promise<Table>): Promise<Table> => {
    const trouble = gate.trouble();
    const disturbed = { interrupted: 3, endless: 1_000 }[trouble as string];
    kernel.faults = { interruptDumps: disturbed, failDumps: trouble === 'cut' ? ENOMEM : undefined };
    try {
      return await read();
    } finally {
      kernel.faults = {};
    }
  };
  return {
    observe: (only) => troubled(() => table.observe(only)),
    observeInBackground: (keep) => troubled(() => table.observeInBackground(keep)),
    async apply(steps) {
      let pending = false;
      const look = () => {
        if (pending) gate.wrote(kernel.print());
        pending = false;
      };
      const refuse = ({ command }: { command: string }) => {
        if (command.startsWith('GET')) return 0;
        look();
        const verdict = gate.admit();
        pending = verdict === 'pass';
        return pending ? 0 : ENOMEM;
      };
      const send = Object.assign(new Error('no buffer space available'), { errno: ENOBUFS });
      kernel.faults = {
        refuse,
        ...(gate.trouble() === 'lost' && { replies: () => [] }),
        ...(gate.trouble() === 'unsent' && { send }),
      };
      try {
        return await table.apply(steps);
      } finally {
        look();
        kernel.faults = {};
      }
    },
    close: () => table.close(),
  };
}

/** `10.0.0.1:80`, `[fd01:b::2]:80`. */
export function endpoint(text: string): { readonly address: string; readonly port: number } {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}
