import type { ListenOption } from '../config/values.ts';
import type { Clock, Log, NameChanges, Names } from '../ports.ts';
import { NameTable } from './name-table.ts';
import type { DnsMeter } from './responder.ts';
import { type DnsServer, startDns } from './server.ts';

export interface NameServerOptions {
  readonly listen: readonly ListenOption[];
  /** DNS zones of named VIPs, at least one. */
  readonly zones: readonly string[];
  /** Networks with reverse lookups. */
  readonly pools: readonly string[];
  readonly ttlSeconds: number;
  readonly meter: DnsMeter;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Serves the names of services that forward.
 *
 * Opens its sockets on the first `publish`: before that it does not know which names exist, and clients would cache "no such
 * name".
 */
export class NameServer implements Names {
  readonly #options: NameServerOptions;
  readonly #table: NameTable;
  #server: DnsServer | null = null;

  constructor(options: NameServerOptions) {
    this.#options = options;
    const servers = options.listen.map(({ address }) => address);
    this.#table = new NameTable({ ...options, servers });
  }

  publish(changes: NameChanges): readonly string[] {
    const { clock } = this.#options;
    this.#table.update(changes, clock.epoch());
    this.#server ??= startDns({ ...this.#options, index: this.#table });
    return this.#server.problems();
  }

  /** The addresses that it serves at this moment. */
  bound(): readonly string[] {
    return this.#server?.bound() ?? [];
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}
