import { applyBatch, type ChangeFailure } from './batch.ts';
import { readDaemon, readInfo, readTimeouts, toDaemonAttrs, toTimeoutAttrs } from './control.ts';
import { toServiceIdAttrs } from './convert.ts';
import { Encoder } from './encoder.ts';
import { IpvsError } from './errors.ts';
import { requestOperation } from './explain.ts';
import { findIpvsFamily, genlPayload } from './genl.ts';
import { isSameService, serviceFamily, serviceKey } from './id.ts';
import { NetlinkSocket, type NetlinkSocketOptions } from './netlink-socket.ts';
import { netlinkTransport } from './netlink-transport.ts';
import { type Reply, readDestination, readService, readServiceId } from './replies.ts';
import { sendRequest } from './request.ts';
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

/** Options of {@link IpvsClient.open}. All are optional. */
export interface IpvsClientOptions extends NetlinkSocketOptions {
  /**
   * Opens the sockets. In tests, use the transport of `FakeKernel` (`ipvs-netlink-ts/testing`).
   * @defaultValue the host's kernel, in this process's network namespace
   */
  readonly transport?: Transport | undefined;
}

/** Sockets that read a table in parallel when replies cannot be read immediately. More were not faster. */
const PARALLEL_SOCKETS = 16;

/** `listTable` gives up after this many reads that other writers disturbed. */
const MAX_READS = 8;

/**
 * A client for the IPVS tables of one network namespace. Calls run one at a time, in the order they were made.
 *
 * Methods reject with an {@link IpvsError}. Any method may reject with `not-permitted` (no CAP_NET_ADMIN), `timeout`,
 * `closed`, `malformed-reply` or `rejected`; the docs of a method name only its other codes.
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
   * Opens a netlink socket and looks up the IPVS family. Opening needs no privilege; every other method needs CAP_NET_ADMIN.
   *
   * Rejects with `unsupported` when the kernel has no IPVS and cannot load the module.
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

  /** Lists all virtual services. A service that is added or removed during the call may or may not be listed. */
  async listServices(): Promise<readonly ObservedService[]> {
    return this.#dump('list-services', IPVS_CMD.GET_SERVICE, {}, '', readService);
  }

  /** Returns one virtual service. Rejects with `not-found` if it does not exist. */
  async getService(id: ServiceId): Promise<ObservedService> {
    const attrs = { service: toServiceIdAttrs(id) };
    return this.#get('get-service', IPVS_CMD.GET_SERVICE, attrs, serviceKey(id), readService);
  }

  /** Lists the destinations of a service. Rejects with `not-found` if the service does not exist. */
  async listDestinations(id: ServiceId): Promise<readonly ObservedDestination[]> {
    const attrs = { service: toServiceIdAttrs(id) };
    const read = (reply: Reply) => readDestination(reply, serviceFamily(id));
    const found = await this.#dump('list-destinations', IPVS_CMD.GET_DEST, attrs, serviceKey(id), read);
    // For an unknown service the kernel returns an empty dump instead of an error (ip_vs_genl_dump_dests).
    if (found.length === 0) await this.getService(id);
    return found;
  }

  /**
   * Lists all services with their destinations. The set of services is consistent: it is that of a single moment. The
   * destinations of each service are those of some moment during the read.
   *
   * A service dump may skip or repeat services when others are added or removed, and the kernel does not report this. So
   * the services are listed again at the end; if the lists differ, the read is repeated for the new services only. Rejects
   * with `interrupted` after eight such reads.
   *
   * @param take - Called once for each entry as soon as it is read; its result is returned in place of the entry. Use it to
   * keep only what you need of a large table: entries held until the end of a long read are expensive to garbage-collect.
   * If it throws, the read rejects with that error.
   */
  async listTable(): Promise<readonly TableEntry[]>;
  async listTable<T>(take: (entry: TableEntry) => T): Promise<readonly T[]>;
  async listTable(take: (entry: TableEntry) => unknown = (entry) => entry): Promise<readonly unknown[]> {
    // Only from the previous read: a service that was removed and added again is a different one.
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

  /** Adds a service. Rejects with `exists`, or with `unsupported` for an unknown scheduler or persistence engine. */
  addService(service: VirtualService): Promise<void> {
    return this.#change({ op: 'add-service', service });
  }

  /** Replaces all options of a service. Rejects with `not-found`, or with `unsupported` as in {@link addService}. */
  updateService(service: VirtualService): Promise<void> {
    return this.#change({ op: 'update-service', service });
  }

  /** Removes a service with its destinations; its connections end. Rejects with `not-found` if it does not exist. */
  removeService(service: ServiceId): Promise<void> {
    return this.#change({ op: 'remove-service', service });
  }

  /** Adds a destination. Rejects with `exists`, or with `not-found` if the service does not exist. */
  addDestination(service: ServiceId, destination: Destination): Promise<void> {
    return this.#change({ op: 'add-destination', service, destination });
  }

  /** Replaces all settings of a destination; its connections continue. Rejects with `not-found` if it does not exist. */
  updateDestination(service: ServiceId, destination: Destination): Promise<void> {
    return this.#change({ op: 'update-destination', service, destination });
  }

  /** Removes a destination. Rejects with `not-found` if it does not exist. */
  removeDestination(service: ServiceId, destination: DestinationId): Promise<void> {
    return this.#change({ op: 'remove-destination', service, destination });
  }

  /**
   * Makes changes in order and resolves with those that failed; all others were made. Much faster than one call per change.
   *
   * A failed change does not stop those after it. If a reply is lost (`timeout`), the changes that were sent but not
   * answered are reported as failed with an unknown outcome, and those not sent yet as failed. Rejects only when closed.
   */
  batch(changes: readonly Change[]): Promise<readonly ChangeFailure[]> {
    return applyBatch(this.#main, this.#encoder, changes);
  }

  /** Returns the kernel's IPVS version and the size of its connection table. */
  async getInfo(): Promise<Info> {
    return this.#get('get-info', IPVS_CMD.GET_INFO, {}, '', readInfo);
  }

  /** Returns how long the kernel keeps idle connections. */
  async getTimeouts(): Promise<Timeouts> {
    return this.#get('get-timeouts', IPVS_CMD.GET_CONFIG, {}, '', readTimeouts);
  }

  /** Sets the given timeouts and leaves the others unchanged. Rejects with `invalid` for a value out of range. */
  async setTimeouts(timeouts: Partial<Timeouts>): Promise<void> {
    await this.#do('set-timeouts', IPVS_CMD.SET_CONFIG, toTimeoutAttrs(timeouts));
  }

  /** Zeroes the counters of a service and its destinations; without `service`, all counters. Rejects with `not-found`. */
  zero(service?: ServiceId): Promise<void> {
    return this.#change({ op: 'zero', service });
  }

  /** Removes every service in the network namespace, including those of other programs. */
  async flush(): Promise<void> {
    await this.#do('flush', IPVS_CMD.FLUSH);
  }

  /** Lists the running connection synchronization daemons, at most one for each role. */
  async listSyncDaemons(): Promise<readonly SyncDaemon[]> {
    return this.#dump('list-sync-daemons', IPVS_CMD.GET_DAEMON, {}, '', readDaemon);
  }

  /** Starts a synchronization daemon. Rejects with `exists`, or with `not-found` if the interface does not exist. */
  async startSyncDaemon(daemon: SyncDaemon): Promise<void> {
    const attrs = { daemon: toDaemonAttrs(daemon) };
    await this.#do('start-sync-daemon', IPVS_CMD.NEW_DAEMON, attrs, `${daemon.role} on ${daemon.interface}`);
  }

  /** Stops the synchronization daemon of a role. Rejects with `not-found` if it is not running. */
  async stopSyncDaemon(role: SyncRole): Promise<void> {
    const attrs = { daemon: toDaemonAttrs({ role }) };
    await this.#do('stop-sync-daemon', IPVS_CMD.DEL_DAEMON, attrs, role);
  }

  /** Closes all sockets. Pending calls reject with `closed`; the kernel's tables stay as they are. May be called twice. */
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

  /** The sockets for reading a table: one if replies can be read immediately, else several, reused by later reads. */
  #readers(): readonly NetlinkSocket[] {
    if (this.#main.immediate) return [this.#main];
    while (this.#sockets.length < PARALLEL_SOCKETS) this.#sockets.push(this.#openSocket());
    return this.#sockets;
  }

  async #change(change: Change): Promise<void> {
    const [failure] = await this.batch([change]);
    if (failure) throw failure.error;
  }

  async #do(op: string, command: number, attrs: CommandAttrs = {}, subject = ''): Promise<void> {
    await this.#request(op, command, attrs, subject, 0, () => undefined);
  }

  async #get<T>(
    op: string,
    command: number,
    attrs: CommandAttrs,
    subject: string,
    read: Read<T>,
  ): Promise<T> {
    const [reply] = await this.#request(op, command, attrs, subject, 0, read);
    if (reply === undefined)
      throw new IpvsError('malformed-reply', `${requestOperation(op, subject).what}: no reply`, { op });
    return reply;
  }

  #dump<T>(
    op: string,
    command: number,
    attrs: CommandAttrs,
    subject: string,
    read: Read<T>,
  ): Promise<readonly T[]> {
    return this.#request(op, command, attrs, subject, NLM_F.DUMP, read);
  }

  /** Sends a command that is not a {@link Change} and reads its replies. */
  #request<T>(
    op: string,
    command: number,
    attrs: CommandAttrs,
    subject: string,
    flags: number,
    read: Read<T>,
  ) {
    const payload = genlPayload(command, GENL.IPVS_VERSION, commandAttrs.write(attrs));
    return sendRequest(this.#main, requestOperation(op, subject), this.#family, flags, payload, read);
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
