import type { Encoder } from './encoder.ts';
import { inContext, kernelError, requestOperation } from './explain.ts';
import { serviceFamily, serviceKey } from './id.ts';
import type { Exchange, Turn } from './job.ts';
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
  const operation = requestOperation('list-table');
  // One iterator, from which the jobs on all sockets take their next service.
  const queue = services.entries();
  const readFrom = async (socket: NetlinkSocket) => {
    const encoder = createEncoder();
    let refusal = 0;
    await socket.run(destinationsJob).catch((cause) => {
      throw inContext(operation, cause);
    });
    if (refusal !== 0) throw kernelError(operation, refusal);

    function* destinationsJob(turn: Turn): Generator<Exchange, void, void> {
      for (const [index, service] of queue) {
        const family = serviceFamily(service);
        let destinations: ObservedDestination[];
        do {
          destinations = [];
          encoder.listDestinations(service, turn.seq);
          yield {
            bytes: encoder.take(),
            last: turn.seq,
            data: (message) => destinations.push(readDestination(message, family)),
            failed: (_seq, errno) => {
              refusal = errno;
            },
          };
          if (refusal !== 0) return;
        } while (turn.interrupted);
        taken[index] = take({ service, destinations });
      }
    }
  };
  await Promise.all(sockets.map(readFrom));
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
