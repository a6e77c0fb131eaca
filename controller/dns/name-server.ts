import type { ListenOption } from '../config/values.ts';
import type { NamedService, ServiceKey } from '../model/service.ts';
import type { Clock, Log, NameChanges, Names, StateStore } from '../ports.ts';
import { NameTable } from './name-table.ts';
import type { DnsMeter } from './responder.ts';
import { Serials } from './serials.ts';
import { type DnsServer, startDns } from './server.ts';

export interface NameServerOptions {
  readonly listen: readonly ListenOption[];
  /** DNS zones of named VIPs, at least one. */
  readonly zones: readonly string[];
  /** Networks with reverse lookups. */
  readonly pools: readonly string[];
  readonly ttlSeconds: number;
  readonly meter: DnsMeter;
  /** Where the serials of the zones are reserved. */
  readonly store: Pick<StateStore, 'loadSerial' | 'saveSerial'>;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Serves the names of services that forward.
 *
 * Opens its sockets after the first `publish`: before that it does not know which names exist, and clients would cache "no such
 * name". It also waits for the serials of its zones on disk, but for no longer than some seconds.
 */
export class NameServer implements Names {
  readonly #options: NameServerOptions;
  readonly #table: NameTable;
  /** What was published before the serials were known. */
  readonly #waiting = new Map<ServiceKey, NamedService | null>();
  #isPublished = false;
  #serials: Serials | null = null;
  #server: DnsServer | null = null;

  constructor(options: NameServerOptions) {
    this.#options = options;
    const servers = options.listen.map(({ address }) => address);
    this.#table = new NameTable({ ...options, servers });
    void Serials.open(options.store, options.clock, options.log).then((serials) => {
      this.#serials = serials;
      if (this.#isPublished) this.#update(this.#waiting, serials);
      this.#waiting.clear();
    });
  }

  publish(changes: NameChanges): readonly string[] {
    this.#isPublished = true;
    if (this.#serials !== null) this.#update(changes, this.#serials);
    else for (const [key, service] of changes) this.#waiting.set(key, service);
    return this.#server?.problems() ?? [];
  }

  #update(changes: NameChanges, serials: Serials): void {
    this.#table.update(changes, () => serials.next());
    this.#server ??= startDns({ ...this.#options, index: this.#table });
  }

  /** The addresses that it serves at this moment. */
  bound(): readonly string[] {
    return this.#server?.bound() ?? [];
  }

  async close(): Promise<void> {
    this.#isPublished = false;
    await this.#server?.close();
  }
}
