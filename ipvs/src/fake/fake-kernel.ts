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

/** Options of {@link FakeKernel}. All are optional. */
export interface FakeKernelOptions {
  /**
   * Whether the IPVS module is loaded.
   * @defaultValue true
   */
  readonly hasIpvs?: boolean | undefined;
  /**
   * Schedulers that the kernel can load.
   * @defaultValue those of Linux 6.1
   */
  readonly schedulers?: readonly string[] | undefined;
  /**
   * Behaves like a kernel before this version, which does not send the address family of destinations (`3.18`) or 64-bit
   * counters (`4.1`), and neither sends nor reads tunnel attributes (`5.2`). Each includes the limits of later versions.
   * @defaultValue no limit: behaves like Linux 6.1
   */
  readonly before?: FakeVersion | undefined;
  /**
   * Whether replies can be read immediately, as on the real socket, or arrive as events.
   * @defaultValue false
   */
  readonly immediate?: boolean | undefined;
}

/** Connection counters of a destination. */
export interface FakeConnections {
  readonly activeConnections?: number;
  readonly inactiveConnections?: number;
  readonly persistentConnections?: number;
}

const SCHEDULERS = 'rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos'.split(' ');

/**
 * An in-memory IPVS of one network namespace. It decodes the netlink messages that a client sends, answers in netlink
 * messages, and injects the faults in {@link faults}.
 *
 * ```ts
 * const kernel = new FakeKernel();
 * const client = await IpvsClient.open({ transport: kernel.transport() });
 * await client.addService({ protocol: 'tcp', address: '10.96.4.7', port: 80, scheduler: 'wlc' });
 * kernel.print(); // '-A -t 10.96.4.7:80 -s wlc\n'
 * ```
 */
export class FakeKernel {
  /** Faults to inject from now on. */
  faults: FakeFaults = {};
  /** All requests so far. Set it to an empty list to start over. */
  requests: FakeRequest[] = [];
  readonly #options: FakeKernelOptions;
  readonly #table: FakeTable;

  constructor(options: FakeKernelOptions = {}) {
    this.#options = options;
    this.#table = new FakeTable(options.schedulers ?? SCHEDULERS);
  }

  /** Returns a transport to this kernel, for {@link IpvsClientOptions.transport}. */
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

  /** The {@link requests} that change something. */
  get writes(): readonly FakeRequest[] {
    return this.requests.filter(({ command }) => !command.startsWith('GET'));
  }

  /** The tables as `ipvsadm -Sn` prints them, in the order in which services and destinations were added. */
  print(): string {
    return printTable(this.#table);
  }

  /** Sets the connection counters of a destination. Throws if it does not exist. */
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
