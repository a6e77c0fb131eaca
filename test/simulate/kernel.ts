/** The kernel of a host, bytes and all: the controller's way to it, at each write of which it may die, and other programs'. */

import { type Change, IpvsClient, type Link, type Transport } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { createKernelTable } from '../../controller/apply/kernel-table.ts';
import type { Step, Table } from '../../controller/model/kernel.ts';
import type { IpvsTable } from '../../controller/ports.ts';
import { REFUSED_ADDRESS } from './cluster.ts';
import type { Life } from './life.ts';

/** Without `mh`. */
const HAS_SCHEDULERS = ['rr', 'wlc', 'sh', 'lc'];
export const LACKS_SCHEDULERS: ReadonlySet<string> = new Set(['mh']);
const ENOENT = 2;
const EINVAL = 22;
const ENOMEM = 12;
/** Replies are there at once: a time limit never decides. */
const TIMEOUT_MS = 60_000;
const REFUSED_BYTES = Buffer.from(REFUSED_ADDRESS.split('.').map(Number));

export class HostKernel {
  readonly #kernel: FakeKernel;
  readonly #other: IpvsClient;
  readonly #witness: IpvsTable;
  /** So many writes of the controller are refused from now on. */
  refusals = 0;
  cutDumps = false;

  static async create(): Promise<HostKernel> {
    const kernel = new FakeKernel({ immediate: true, schedulers: HAS_SCHEDULERS });
    return new HostKernel(
      kernel,
      await IpvsClient.open({ transport: kernel.transport(), timeoutMs: TIMEOUT_MS }),
    );
  }

  private constructor(kernel: FakeKernel, other: IpvsClient) {
    this.#kernel = kernel;
    this.#other = other;
    this.#witness = createKernelTable(other);
  }

  /** The whole table, as another program reads it. */
  read(): Promise<Table> {
    return this.#witness.observe();
  }

  print(): string {
    return this.#kernel.print();
  }

  /** Another program's writes; those that the kernel refuses are not made. Returns whether all were. */
  async edit(changes: readonly Change[]): Promise<boolean> {
    const results = await this.#other.batch(changes);
    return results.every((result) => result === null || result === undefined);
  }

  connect(protocol: 'tcp' | 'udp', service: Address, backend: Address, activeConnections: number): void {
    this.#kernel.setConnections({ protocol, ...service }, backend, { activeConnections });
  }

  /** The controller's way to the table; `wrote` is called after each call that wrote. */
  async open(
    life: Life,
    wrote: (before: Table, steps: readonly Step[]) => Promise<void>,
  ): Promise<IpvsTable> {
    const transport = this.#faulty(this.#kernel.transport(), life);
    const table = createKernelTable(await IpvsClient.open({ transport, timeoutMs: TIMEOUT_MS }));
    const dump = async (read: () => Promise<Table>) => {
      await life.unlessDead();
      const observed = await read();
      await life.unlessDead();
      return observed;
    };
    return {
      observe: (only) => dump(() => table.observe(only)),
      observeInBackground: (keep) => dump(() => table.observeInBackground(keep)),
      apply: async (steps) => {
        await life.unlessDead();
        this.#kernel.requests = [];
        const before = await this.read();
        const failures = await table.apply(steps);
        await wrote(before, steps);
        await life.unlessDead();
        return failures;
      },
      close: () => table.close(),
    };
  }

  /** The same transport: the faults are of what is sent there alone, whatever else is under way. */
  #faulty(transport: Transport, life: Life): Transport {
    const open: Transport['open'] = (protocol, events) => {
      const link = transport.open(protocol, events);
      const send: Link['send'] = (bytes) => {
        this.#kernel.faults = {
          failDumps: this.cutDumps ? ENOMEM : undefined,
          refuse: (request) => this.#admit(life, request),
        };
        link.send(bytes);
        this.#kernel.faults = {};
      };
      return { ...link, send };
    };
    return { ...transport, open };
  }

  #admit(life: Life, { command, bytes }: { command: string; bytes: Uint8Array }): number {
    if (command.startsWith('GET')) return 0;
    // What the kernel refuses for what it says takes no effect, and may be tried again for ever.
    if (command.endsWith('SERVICE') && Buffer.from(bytes).includes('mh\0')) return ENOENT;
    if (command.endsWith('DEST') && Buffer.from(bytes).includes(REFUSED_BYTES)) return EINVAL;
    if (this.refusals > 0) {
      this.refusals -= 1;
      return ENOMEM;
    }
    return life.write() ? 0 : ENOMEM;
  }

  close(): void {
    this.#other.close();
  }
}

interface Address {
  readonly address: string;
  readonly port: number;
}
