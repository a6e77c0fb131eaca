import type { Encoder } from './encoder.ts';
import { inContext, requestError } from './explain.ts';
import { serviceFamily, serviceKey } from './id.ts';
import type { Job, Outgoing } from './job.ts';
import type { Message } from './message.ts';
import type { NetlinkSocket } from './netlink-socket.ts';
import { readDestination } from './replies.ts';
import type { ObservedDestination, ObservedService, TableEntry } from './types.ts';

/**
 * Reads the destinations of `services` over all `sockets` in parallel, each with its own encoder. Resolves with the result
 * of `take` for each service and its destinations, in the order of `services`.
 *
 * The kernel can dump the destinations of only one service at a time, and a socket runs one dump at a time.
 */
export async function readDestinations<T>(
  sockets: readonly NetlinkSocket[],
  createEncoder: () => Encoder,
  services: readonly ObservedService[],
  take: (entry: TableEntry) => T,
): Promise<readonly T[]> {
  const taken = new Array<T>(services.length);
  const queue = { services, next: 0 };
  const complete = (index: number, entry: TableEntry) => {
    taken[index] = take(entry);
  };
  await Promise.all(
    sockets.map(async (socket) => {
      const job = new DestinationsJob(createEncoder(), queue, complete);
      await socket.run(job).catch((cause) => {
        throw inContext('list-table', '', cause);
      });
      if (job.error) throw job.error;
    }),
  );
  return taken;
}

/** Returns a value for each service, in their order: the `known` value of its key, or else the one that `read` returns. */
export async function readMissing<T>(
  services: readonly ObservedService[],
  known: ReadonlyMap<string, T>,
  read: (missing: readonly ObservedService[]) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  if (known.size === 0) return await read(services);
  const added = (await read(services.filter((service) => !known.has(serviceKey(service))))).values();
  return services.map((service) => {
    const key = serviceKey(service);
    return (known.has(key) ? known.get(key) : added.next().value) as T;
  });
}

/** Services whose destinations are to be read, and the index of the next one. */
interface Queue {
  readonly services: readonly ObservedService[];
  next: number;
}

/** Reads destinations of services from a queue that it shares with the jobs on the other sockets. */
class DestinationsJob implements Job {
  error: Error | undefined;
  readonly #encoder: Encoder;
  readonly #queue: Queue;
  readonly #complete: (index: number, entry: TableEntry) => void;
  #index = 0;
  #service: ObservedService | undefined;
  #destinations: ObservedDestination[] = [];
  #again = false;

  constructor(encoder: Encoder, queue: Queue, complete: (index: number, entry: TableEntry) => void) {
    this.#encoder = encoder;
    this.#queue = queue;
    this.#complete = complete;
  }

  next(seq: number): Outgoing | undefined {
    if (this.error) return undefined;
    if (!this.#again) this.#turnToNext();
    this.#again = false;
    if (!this.#service) return undefined;
    this.#encoder.listDestinations(this.#service, seq);
    return { bytes: this.#encoder.take(), first: seq, last: seq };
  }

  #turnToNext(): void {
    if (this.#service)
      this.#complete(this.#index, { service: this.#service, destinations: this.#destinations });
    this.#index = this.#queue.next++;
    this.#service = this.#queue.services[this.#index];
    this.#destinations = [];
  }

  data(message: Message): void {
    if (this.#service) this.#destinations.push(readDestination(message, serviceFamily(this.#service)));
  }

  failed(_seq: number, errno: number, kernelMessage: string | undefined): void {
    this.error = requestError('list-table', '', errno, kernelMessage);
  }

  restart(): void {
    this.#again = true;
    this.#destinations = [];
  }
}
