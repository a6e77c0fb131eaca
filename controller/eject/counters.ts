import { setImmediate } from 'node:timers/promises';
import {
  type AddressServiceId,
  type IpvsClient,
  isIpvsError,
  type ObservedService,
  type Stats,
} from 'ipvs-netlink-ts';
import type { Counted, CountedDestination, CountersRead } from '../counters.ts';
import { type BackendKey, endpointKey, type ServiceKey, serviceKey } from '../model.ts';
import type { DestinationCounters } from '../ports.ts';

/** So long after its last new connection a service's destinations are read: replies to it come in that time. */
const READS_AFTER = 3;
/** What was read is compared for so much longer; of services that nobody connects to nothing is kept. */
const KEPT_AFTER = 30;
/** So many services' destinations are read at once at most; a host where more have new connections reads the rest next time. */
const MOST_SERVICES = 500;
/** So many at a stretch: a pass, a query for a name or a probe may come in between. */
const STRETCH = 16;

type Client = Pick<IpvsClient, 'listServices' | 'listDestinations' | 'close'>;

interface Known {
  /** Of all its destinations. */
  connections: bigint;
  /** The number of the read up to which its destinations are read. */
  readTo: number;
  /** The number of the last one in which they were. */
  lastRead: number;
  destinations: ReadonlyMap<BackendKey, CountedDestination>;
}

/**
 * The counters behind a client of their own. One dump of the services tells which of them got new connections; only those
 * destinations are read. What a service counts is not cleared by anybody's reading it.
 *
 * The kernel tells the sums that its estimator last made (`ip_vs_copy_stats`, `ip_vs_est.c`): they are up to 2 s old, and stay as
 * they are where `net.ipv4.vs.run_estimation` is 0.
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
    const now = due.slice(0, MOST_SERVICES);
    for (const [i, { key, service, known }] of now.entries()) {
      known.lastRead = this.#reads;
      const found = await destinationsOf(this.#client, service, known);
      if (found !== null) services.set(key, found);
      if (i % STRETCH === STRETCH - 1) await setImmediate();
    }
    let entries = listed.length;
    for (const destinations of services.values()) entries += destinations.size;
    return { services, left: due.length - now.length, entries };
  }

  /** Services whose destinations are to be read: those that have waited for longest come first. */
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
      if (known.connections !== connections) known.readTo = this.#reads + READS_AFTER;
      known.connections = connections;
      this.#known.set(key, known);
      if (known.readTo >= this.#reads) due.push({ key, service, known });
      else if (known.readTo + KEPT_AFTER < this.#reads) known.destinations = NONE;
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

/** null when the service has gone since it was listed. */
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

/** Numbers rather than the kernel's 64 bits: exact up to 9 PB. */
function toCounted({ connections, inPackets, outPackets, inBytes, outBytes }: Stats): Counted {
  return {
    connections: Number(connections),
    inPackets: Number(inPackets),
    outPackets: Number(outPackets),
    inBytes: Number(inBytes),
    outBytes: Number(outBytes),
  };
}
