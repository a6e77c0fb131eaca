import { toDestinationIdAttrs, toServiceIdAttrs } from '../convert.ts';
import { IpvsError } from '../errors.ts';
import { destinationKey, serviceKey } from '../id.ts';
import type { Transport } from '../transport.ts';
import type { DestinationId, ServiceId } from '../types.ts';
import { NETLINK } from '../uapi.ts';
import { fakeLink } from './fake-link.ts';
import { printTable } from './fake-print.ts';
import { answerAll, type FakeVersion } from './fake-replies.ts';
import { addressKey, FakeTable } from './fake-table.ts';
import type { FakeFaults, FakeRequest } from './faults.ts';

/** Options of {@link FakeKernel}; each may be left out. */
export interface FakeKernelOptions {
  /**
   * Whether the IPVS module is there.
   * @defaultValue true
   */
  readonly hasIpvs?: boolean | undefined;
  /**
   * Schedulers that can be loaded.
   * @defaultValue those of Linux 6.1
   */
  readonly schedulers?: readonly string[] | undefined;
  /**
   * Leaves out what kernels before this one leave out: `3.18` the family of destinations, `4.1` the 64-bit counters too,
   * `5.2` the tunnel attributes, which each of these passes over in a request.
   * @defaultValue none: as Linux 6.1
   */
  readonly before?: FakeVersion | undefined;
  /**
   * Whether replies can be read at once, as on the real socket, or come as events.
   * @defaultValue false
   */
  readonly immediate?: boolean | undefined;
}

/** Connections of a destination as its counters have them. */
export interface FakeConnections {
  readonly activeConnections?: number;
  readonly inactiveConnections?: number;
  readonly persistentConnections?: number;
}

const SCHEDULERS = 'rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos'.split(' ');

/**
 * The IPVS of one network namespace, in memory: understands the bytes that a client sends, answers in bytes, and does
 * wrong what `faults` asks for.
 *
 * ```ts
 * const kernel = new FakeKernel();
 * const client = await IpvsClient.open({ transport: kernel.transport() });
 * await client.addService({ protocol: 'tcp', address: '10.96.4.7', port: 80, scheduler: 'wlc' });
 * kernel.print(); // '-A -t 10.96.4.7:80 -s wlc\n'
 * ```
 */
export class FakeKernel {
  /** What goes wrong from now on. */
  faults: FakeFaults = {};
  /** Every request since the beginning, or since this was set to an empty list. */
  requests: FakeRequest[] = [];
  readonly #options: FakeKernelOptions;
  readonly #table: FakeTable;

  constructor(options: FakeKernelOptions = {}) {
    this.#options = options;
    this.#table = new FakeTable(options.schedulers ?? SCHEDULERS);
  }

  /** A transport whose sockets all lead to this kernel. */
  transport(): Transport {
    return {
      open: (protocol, events) => {
        if (protocol !== NETLINK.GENERIC) {
          throw new IpvsError('unsupported', `fake kernel: no netlink protocol ${protocol}`);
        }
        return fakeLink((bytes) => this.#answer(bytes), this.#options.immediate ?? false, events);
      },
    };
  }

  /** Requests that change something, of {@link requests}. */
  get writes(): readonly FakeRequest[] {
    return this.requests.filter(({ command }) => !command.startsWith('GET'));
  }

  /** The table as `ipvsadm -Sn` prints it, in the order in which services and destinations were added. */
  print(): string {
    return printTable(this.#table);
  }

  /** Sets the connection counters of a destination. Throws when there is none. */
  setConnections(service: ServiceId, destination: DestinationId, connections: FakeConnections): void {
    const found = this.#table.find(toServiceIdAttrs(service));
    const { family = 0, address = new Uint8Array(), port = 0 } = toDestinationIdAttrs(destination);
    const key = addressKey(family, address, port);
    const attrs = found?.destinations.get(key);
    if (!found || !attrs)
      throw new Error(`no destination ${destinationKey(destination)} of ${serviceKey(service)}`);
    found.destinations.set(key, { ...attrs, ...connections });
  }

  #answer(bytes: Uint8Array): readonly Uint8Array[] {
    if (this.faults.send) throw this.faults.send;
    const datagrams = answerAll(bytes, {
      table: this.#table,
      faults: this.faults,
      hasIpvs: this.#options.hasIpvs ?? true,
      before: this.#options.before,
      seen: (request) => this.requests.push(request),
    });
    return this.faults.replies ? this.faults.replies(datagrams) : datagrams;
  }
}
