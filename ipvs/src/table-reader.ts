import type { Encoder } from './encoder.ts';
import { inContext, requestError } from './explain.ts';
import { serviceFamily } from './id.ts';
import type { Message } from './message.ts';
import type { Job, NetlinkSocket, Outgoing } from './netlink-socket.ts';
import { readDestination } from './replies.ts';
import type { ObservedDestination, ObservedService, TableEntry } from './types.ts';

/**
 * Reads the destinations of `services` over all of `sockets` at once, each with an encoder of its own.
 *
 * The kernel has no way to dump more than one service's destinations at a time, and a socket runs one dump at a time.
 */
export async function readDestinations(
  sockets: readonly NetlinkSocket[],
  createEncoder: () => Encoder,
  services: readonly ObservedService[],
): Promise<readonly TableEntry[]> {
  const entries = services.map((service): Entry => ({ service, destinations: [] }));
  const remaining = entries.values();
  await Promise.all(
    sockets.map(async (socket) => {
      const job = new DestinationsJob(createEncoder(), remaining);
      await socket.run(job).catch((cause) => {
        throw inContext('list-table', '', cause);
      });
      if (job.error) throw job.error;
    }),
  );
  return entries;
}

interface Entry extends TableEntry {
  destinations: ObservedDestination[];
}

/** Takes services from an iterator that it shares with the jobs on other sockets. */
class DestinationsJob implements Job {
  error: Error | undefined;
  readonly #encoder: Encoder;
  readonly #remaining: Iterator<Entry>;
  #entry: Entry | undefined;
  #again = false;

  constructor(encoder: Encoder, remaining: Iterator<Entry>) {
    this.#encoder = encoder;
    this.#remaining = remaining;
  }

  next(seq: number): Outgoing | undefined {
    if (this.error) return undefined;
    if (!this.#again) this.#entry = this.#remaining.next().value ?? undefined;
    this.#again = false;
    if (!this.#entry) return undefined;
    this.#encoder.listDestinations(this.#entry.service, seq);
    return { bytes: this.#encoder.take(), first: seq, last: seq };
  }

  data(message: Message): void {
    if (this.#entry)
      this.#entry.destinations.push(readDestination(message, serviceFamily(this.#entry.service)));
  }

  failed(_seq: number, errno: number, words: string | undefined): void {
    this.error = requestError('list-table', '', errno, words);
  }

  restart(): void {
    this.#again = true;
    if (this.#entry) this.#entry.destinations = [];
  }
}
