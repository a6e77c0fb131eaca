import { applyBatch, type ChangeFailure } from './batch.ts';
import { readDaemon, readInfo, readTimeouts, toDaemonAttrs, toTimeoutAttrs } from './control.ts';
import { toServiceIdAttrs } from './convert.ts';
import { Encoder } from './encoder.ts';
import { IpvsError } from './errors.ts';
import { describeRequest, inContext, requestError } from './explain.ts';
import { findIpvsFamily, genlPayload } from './genl.ts';
import { isSameService, serviceFamily, serviceKey } from './id.ts';
import { NetlinkSocket, type NetlinkSocketOptions } from './netlink-socket.ts';
import { netlinkTransport } from './netlink-transport.ts';
import { type Reply, readDestination, readService, readServiceId } from './replies.ts';
import { ask } from './request.ts';
import { readDestinations, readMissing } from './table-reader.ts';
import { type CommandAttrs, commandAttrs } from './tables.ts';
import type { Transport } from './transport.ts';
import type {
  Change,
  Destination,
  DestinationId,
  Info,
  ObservedDestination,
  ObservedService,
  ServiceId,
  SyncDaemon,
  SyncRole,
  TableEntry,
  Timeouts,
  VirtualService,
} from './types.ts';
import { GENL, IPVS_CMD, NETLINK, NLM_F } from './uapi.ts';

/** Options of {@link IpvsClient.open}; each may be left out. */
export interface IpvsClientOptions extends NetlinkSocketOptions {
  /**
   * Where to open sockets; `FakeKernel` of `ipvs-netlink-ts/testing` has one.
   * @defaultValue the kernel of this host, in this process's network namespace
   */
  readonly transport?: Transport | undefined;
}

/** Sockets that read a table side by side, where replies cannot be read at once. More were no faster. */
const SOCKETS_SIDE_BY_SIDE = 16;

/** A table that other writers change this often while it is read is given up. */
const MAX_READS = 8;

/**
 * The IPVS tables of one network namespace.
 *
 * Every method rejects with an {@link IpvsError}: `not-permitted` without CAP_NET_ADMIN, `timeout`, `closed`,
 * `malformed-reply` and `rejected` are possible everywhere and not repeated below. Calls are carried out in their order.
 */
export class IpvsClient {
  readonly #transport: Transport;
  readonly #options: NetlinkSocketOptions;
  readonly #sockets: NetlinkSocket[];
  #family = 0;
  #encoder = new Encoder(0);

  private constructor(options: IpvsClientOptions) {
    this.#transport = options.transport ?? netlinkTransport();
    this.#options = options;
    this.#sockets = [this.#openSocket()];
  }

  /**
   * Opens a socket to the kernel. Works without privilege; what comes after does not.
   *
   * Rejects with `unsupported` where the kernel has no IPVS and would not load it.
   */
  static async open(options: IpvsClientOptions = {}): Promise<IpvsClient> {
    const client = new IpvsClient(options);
    try {
      await client.#findFamily();
      return client;
    } catch (cause) {
      client.close();
      throw cause;
    }
  }

  /** All virtual services; none is an empty list. Services added or removed meanwhile may be missing or listed. */
  async listServices(): Promise<readonly ObservedService[]> {
    return this.#dump('list-services', IPVS_CMD.GET_SERVICE, {}, '', readService);
  }

  /** One virtual service. Rejects with `not-found` when there is none. */
  async getService(id: ServiceId): Promise<ObservedService> {
    const attrs = { service: toServiceIdAttrs(id) };
    return this.#get('get-service', IPVS_CMD.GET_SERVICE, attrs, serviceKey(id), readService);
  }

  /** The destinations of a service; none is an empty list. Rejects with `not-found` when there is no such service. */
  async listDestinations(id: ServiceId): Promise<readonly ObservedDestination[]> {
    const attrs = { service: toServiceIdAttrs(id) };
    const read = (reply: Reply) => readDestination(reply, serviceFamily(id));
    const found = await this.#dump('list-destinations', IPVS_CMD.GET_DEST, attrs, serviceKey(id), read);
    // The kernel answers a dump for an unknown service with no destinations and no error (ip_vs_genl_dump_dests).
    if (found.length === 0) await this.getService(id);
    return found;
  }

  /**
   * All services with their destinations, complete as of one moment for the set of services; the destinations of each
   * are those of some moment during the read.
   *
   * The kernel does not say when services come or go during a dump, which may then skip or repeat others. So they are
   * listed again at the end, and what is new is read too when the lists differ; `interrupted` after eight times.
   *
   * `take` is given each entry once, as soon as it has been read, and what it makes of it is listed in its place. Entries
   * of a large table live as long as it takes to read it, which makes them expensive to collect. Where it throws, the read rejects.
   */
  async listTable(): Promise<readonly TableEntry[]>;
  async listTable<T>(take: (entry: TableEntry) => T): Promise<readonly T[]>;
  async listTable(take: (entry: TableEntry) => unknown = (entry) => entry): Promise<readonly unknown[]> {
    // Of the read before alone: a service that went and came back is another one.
    let known: ReadonlyMap<string, unknown> = new Map();
    for (let read = 0; read < MAX_READS; read++) {
      const services = await this.#dump('list-table', IPVS_CMD.GET_SERVICE, {}, '', readService);
      const taken = await readMissing(services, known, (missing) =>
        readDestinations(this.#readers(), () => new Encoder(this.#family), missing, take),
      );
      const after = await this.#dump('list-table', IPVS_CMD.GET_SERVICE, {}, '', readServiceId);
      if (isSameList(services, after)) return taken;
      known = new Map(services.map((service, index) => [serviceKey(service), taken[index]]));
    }
    const message = `list table: services were added or removed during each of ${MAX_READS} reads`;
    throw new IpvsError('interrupted', message, { op: 'list-table' });
  }

  /** Adds a service. Rejects with `exists`, or `unsupported` for an unknown scheduler or persistence engine. */
  addService(service: VirtualService): Promise<void> {
    return this.#change({ op: 'add-service', service });
  }

  /** Gives a service all new options. Rejects with `not-found` or `unsupported`. */
  updateService(service: VirtualService): Promise<void> {
    return this.#change({ op: 'update-service', service });
  }

  /** Removes a service and its destinations; its connections end. Rejects with `not-found`. */
  removeService(service: ServiceId): Promise<void> {
    return this.#change({ op: 'remove-service', service });
  }

  /** Adds a destination. Rejects with `exists`, or `not-found` when there is no such service. */
  addDestination(service: ServiceId, destination: Destination): Promise<void> {
    return this.#change({ op: 'add-destination', service, destination });
  }

  /** Gives a destination all new settings; connections go on. Rejects with `not-found`. */
  updateDestination(service: ServiceId, destination: Destination): Promise<void> {
    return this.#change({ op: 'update-destination', service, destination });
  }

  /** Removes a destination. Rejects with `not-found`. */
  removeDestination(service: ServiceId, destination: DestinationId): Promise<void> {
    return this.#change({ op: 'remove-destination', service, destination });
  }

  /**
   * Makes many changes, in order, far faster than one by one, and resolves with those that failed; the others are made.
   *
   * A change that fails does not hold back those after it. When a reply is lost (`timeout`), the changes without an
   * answer are reported as failed with outcome unknown, and those not yet sent as failed. Rejects only when closed.
   */
  batch(changes: readonly Change[]): Promise<readonly ChangeFailure[]> {
    return applyBatch(this.#main, this.#encoder, changes);
  }

  /** Version of the kernel's IPVS and size of its connection table. */
  async getInfo(): Promise<Info> {
    return this.#get('get-info', IPVS_CMD.GET_INFO, {}, '', readInfo);
  }

  /** How long idle connections are kept. */
  async getTimeouts(): Promise<Timeouts> {
    return this.#get('get-timeouts', IPVS_CMD.GET_CONFIG, {}, '', readTimeouts);
  }

  /** Sets the time-outs that are given and leaves the others. Rejects with `invalid`. */
  async setTimeouts(timeouts: Partial<Timeouts>): Promise<void> {
    await this.#do('set-timeouts', IPVS_CMD.SET_CONFIG, toTimeoutAttrs(timeouts));
  }

  /** Sets the counters of a service and its destinations to zero, or all counters. Rejects with `not-found`. */
  zero(service?: ServiceId): Promise<void> {
    return this.#change({ op: 'zero', service });
  }

  /** Removes every service of the network namespace, whoever made it. */
  async flush(): Promise<void> {
    await this.#do('flush', IPVS_CMD.FLUSH);
  }

  /** The connection synchronisation daemons that run, at most one of each role. */
  async listSyncDaemons(): Promise<readonly SyncDaemon[]> {
    return this.#dump('list-sync-daemons', IPVS_CMD.GET_DAEMON, {}, '', readDaemon);
  }

  /** Starts a daemon. Rejects with `exists`, or `not-found` when there is no such interface. */
  async startSyncDaemon(daemon: SyncDaemon): Promise<void> {
    const attrs = { daemon: toDaemonAttrs(daemon) };
    await this.#do('start-sync-daemon', IPVS_CMD.NEW_DAEMON, attrs, `${daemon.role} on ${daemon.interface}`);
  }

  /** Stops a daemon. Rejects with `not-found` when it does not run. */
  async stopSyncDaemon(role: SyncRole): Promise<void> {
    const attrs = { daemon: toDaemonAttrs({ role }) };
    await this.#do('stop-sync-daemon', IPVS_CMD.DEL_DAEMON, attrs, role);
  }

  /** Closes all sockets; whatever is pending rejects with `closed`. The tables stay. May be called twice. */
  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  get #main(): NetlinkSocket {
    const [main] = this.#sockets;
    if (!main) throw new IpvsError('closed', 'client without socket');
    return main;
  }

  #openSocket(): NetlinkSocket {
    return new NetlinkSocket(this.#transport, NETLINK.GENERIC, this.#options);
  }

  async #findFamily(): Promise<void> {
    this.#family = await findIpvsFamily(this.#main);
    this.#encoder = new Encoder(this.#family);
  }

  /** The sockets to read a table with: one where replies come at once, else several, kept for the next time. */
  #readers(): readonly NetlinkSocket[] {
    if (this.#main.immediate) return [this.#main];
    while (this.#sockets.length < SOCKETS_SIDE_BY_SIDE) this.#sockets.push(this.#openSocket());
    return this.#sockets;
  }

  async #change(change: Change): Promise<void> {
    const [failure] = await this.batch([change]);
    if (failure) throw failure.error;
  }

  async #do(op: string, command: number, attrs: CommandAttrs = {}, subject = ''): Promise<void> {
    await this.#ask(op, command, attrs, subject, 0, () => undefined);
  }

  async #get<T>(
    op: string,
    command: number,
    attrs: CommandAttrs,
    subject: string,
    read: Read<T>,
  ): Promise<T> {
    const [reply] = await this.#ask(op, command, attrs, subject, 0, read);
    if (reply === undefined)
      throw new IpvsError('malformed-reply', `${describeRequest(op, subject)}: no reply`, { op });
    return reply;
  }

  #dump<T>(
    op: string,
    command: number,
    attrs: CommandAttrs,
    subject: string,
    read: Read<T>,
  ): Promise<readonly T[]> {
    return this.#ask(op, command, attrs, subject, NLM_F.DUMP, read);
  }

  /** The one way of everything that is no change: sends a command and reads its replies. */
  async #ask<T>(
    op: string,
    command: number,
    attrs: CommandAttrs,
    subject: string,
    flags: number,
    read: Read<T>,
  ) {
    const payload = genlPayload(command, GENL.IPVS_VERSION, commandAttrs.write(attrs));
    const answer = await ask(this.#main, this.#family, flags, payload, read).catch((cause) => {
      throw inContext(op, subject, cause);
    });
    if (answer.errno !== 0) throw requestError(op, subject, answer.errno, answer.words);
    return answer.replies;
  }
}

type Read<T> = (reply: Reply) => T;

function isSameList(before: readonly ServiceId[], after: readonly ServiceId[]): boolean {
  if (before.length !== after.length) return false;
  return before.every((service, index) => {
    const other = after[index];
    return other !== undefined && isSameService(service, other);
  });
}
