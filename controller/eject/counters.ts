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
  readonly key: ServiceKey;
  readonly service: AddressServiceId;
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
  /** In the order of the last dump. */
  #known: readonly Known[] = [];
  #reads = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  forget(): void {
    this.#known = [];
  }

  async read(isWatched: (service: ServiceKey) => boolean): Promise<CountersRead> {
    this.#reads += 1;
    const listed = await this.#client.listServices();
    const due = this.#due(listed, isWatched);
    const services = new Map<ServiceKey, ReadonlyMap<BackendKey, CountedDestination>>();
    const now = due.slice(0, MAX_SERVICES);
    for (const [i, known] of now.entries()) {
      known.lastRead = this.#reads;
      const found = await destinationsOf(this.#client, known);
      if (found !== null) services.set(known.key, found);
      if (i % SLICE_SERVICES === SLICE_SERVICES - 1) await setImmediate();
    }
    let entries = listed.length;
    for (const destinations of services.values()) entries += destinations.size;
    return { services, left: due.length - now.length, entries };
  }

  /** Services whose destinations are to be read, those that have waited longest first. */
  #due(listed: readonly ObservedService[], isWatched: (service: ServiceKey) => boolean): readonly Known[] {
    const before = this.#known;
    let byKey: ReadonlyMap<ServiceKey, Known> | null = null;
    const find = (service: ObservedService & AddressServiceId, i: number): Known | undefined => {
      // The kernel lists services in the same order as long as none is added or removed: no key need be made to compare.
      const same = before[i];
      if (same !== undefined && isSameAddress(same.service, service)) return same;
      byKey ??= new Map(before.map((one) => [one.key, one]));
      return byKey.get(serviceKey(service));
    };
    const all: Known[] = [];
    const due: Known[] = [];
    for (const service of listed) {
      if ('fwmark' in service) continue;
      const { connections } = service.stats;
      const known = find(service, all.length) ?? knownOf(service);
      all.push(known);
      if (known.connections !== connections) known.readTo = this.#reads + FOLLOW_UP_READS;
      known.connections = connections;
      if (known.readTo >= this.#reads) {
        if (isWatched(known.key)) due.push(known);
      } else if (known.readTo + KEPT_READS < this.#reads) known.destinations = NONE;
    }
    this.#known = all;
    return due.sort((one, other) => one.lastRead - other.lastRead);
  }
}

/** What is known of a service when it is first listed. */
function knownOf({ protocol, address, port, stats }: ObservedService & AddressServiceId): Known {
  const service = { protocol, address, port };
  const none = { readTo: 0, lastRead: 0, destinations: NONE };
  return { key: serviceKey(service), service, connections: stats.connections, ...none };
}

function isSameAddress(one: AddressServiceId, other: AddressServiceId): boolean {
  return one.address === other.address && one.port === other.port && one.protocol === other.protocol;
}

const NONE: ReadonlyMap<BackendKey, CountedDestination> = new Map();

/** Reads the destinations of a service; null if it was removed since it was listed. */
async function destinationsOf(client: Client, one: Known) {
  try {
    const found = new Map<BackendKey, CountedDestination>();
    for (const destination of await client.listDestinations(one.service)) {
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
