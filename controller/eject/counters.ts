import { setImmediate } from 'node:timers/promises';
import {
  type AddressServiceId,
  type IpvsClient,
  isIpvsError,
  type ObservedService,
  type Stats,
} from 'ipvs-netlink-ts';
import type { Counted, CountedDestination, CountersRead } from '../model/counters.ts';
import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { DestinationCounters } from '../ports.ts';

/** A service's destinations are also read in this many reads after its last new connection: replies to it arrive by then. */
const FOLLOW_UP_READS = 3;
/** For this many more reads a new connection is still compared with the counters read last. Then they are forgotten. */
const KEPT_READS = 30;
/** Maximum number of services whose destinations one read covers. The next read begins with the others. */
const MAX_SERVICES = 500;
/** Services to read before yielding to the event loop, so that a pass, a DNS query or a probe can run in between. */
const SLICE_SERVICES = 16;

type Client = Pick<IpvsClient, 'listServices' | 'listDestinations' | 'close'>;

interface Known {
  /** New connections to all its destinations since it was added. */
  connections: bigint;
  /** Number of the last read that is to cover its destinations. */
  readTo: number;
  /** Number of the last read that covered them. */
  lastRead: number;
  destinations: ReadonlyMap<BackendKey, CountedDestination>;
}

/**
 * Reads destination counters, over a netlink client that nothing else uses. A dump of the services shows which of them got
 * new connections; only the destinations of those are read. Reading does not reset counters.
 *
 * The kernel reports the sums that its estimator made last (`ip_vs_copy_stats`, `ip_vs_est.c`): they are up to 2 s old, and
 * do not change if `net.ipv4.vs.run_estimation` is 0.
 */
export function createDestinationCounters(client: Client): DestinationCounters {
  const reader = new Reader(client);
  return {
    async read(isWatched) {
      try {
        return await reader.read(isWatched);
      } catch (error) {
        reader.forget();
        throw error;
      }
    },
    close: () => client.close(),
  };
}

class Reader {
  readonly #client: Client;
  #known = new Map<ServiceKey, Known>();
  #reads = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  forget(): void {
    this.#known.clear();
  }

  async read(isWatched: (service: ServiceKey) => boolean): Promise<CountersRead> {
    this.#reads += 1;
    const listed = await this.#client.listServices();
    const due = this.#due(listed, isWatched);
    const services = new Map<ServiceKey, ReadonlyMap<BackendKey, CountedDestination>>();
    const now = due.slice(0, MAX_SERVICES);
    for (const [i, { key, service, known }] of now.entries()) {
      known.lastRead = this.#reads;
      const found = await destinationsOf(this.#client, service, known);
      if (found !== null) services.set(key, found);
      if (i % SLICE_SERVICES === SLICE_SERVICES - 1) await setImmediate();
    }
    let entries = listed.length;
    for (const destinations of services.values()) entries += destinations.size;
    return { services, left: due.length - now.length, entries };
  }

  /** Services whose destinations are to be read, those that have waited longest first. */
  #due(listed: readonly ObservedService[], isWatched: (service: ServiceKey) => boolean): readonly Due[] {
    const before = this.#known;
    this.#known = new Map();
    const due: Due[] = [];
    for (const service of listed) {
      if ('fwmark' in service) continue;
      const key = serviceKey(service);
      if (!isWatched(key)) continue;
      const { connections } = service.stats;
      const known = before.get(key) ?? { connections, readTo: 0, lastRead: 0, destinations: NONE };
      if (known.connections !== connections) known.readTo = this.#reads + FOLLOW_UP_READS;
      known.connections = connections;
      this.#known.set(key, known);
      if (known.readTo >= this.#reads) due.push({ key, service, known });
      else if (known.readTo + KEPT_READS < this.#reads) known.destinations = NONE;
    }
    return due.sort((one, other) => one.known.lastRead - other.known.lastRead);
  }
}

interface Due {
  readonly key: ServiceKey;
  readonly service: AddressServiceId;
  readonly known: Known;
}

const NONE: ReadonlyMap<BackendKey, CountedDestination> = new Map();

/** Reads the destinations of a service; null if it was removed since it was listed. */
async function destinationsOf(client: Client, service: AddressServiceId, one: Known) {
  try {
    const found = new Map<BackendKey, CountedDestination>();
    for (const destination of await client.listDestinations(service)) {
      const key = endpointKey(destination);
      const last = toCounted(destination.stats);
      const [, before, after] = one.destinations.get(key) ?? [last, last, last];
      found.set(key, [before, after, last]);
    }
    one.destinations = found;
    return found;
  } catch (error) {
    if (isIpvsError(error, 'not-found')) return null;
    throw error;
  }
}

/** Converts 64-bit counters to numbers, which are exact up to 2^53 (9 PB). */
function toCounted({ connections, inPackets, outPackets, inBytes, outBytes }: Stats): Counted {
  return {
    connections: Number(connections),
    inPackets: Number(inPackets),
    outPackets: Number(outPackets),
    inBytes: Number(inBytes),
    outBytes: Number(outBytes),
  };
}
