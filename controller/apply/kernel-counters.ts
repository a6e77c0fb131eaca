import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import {
  type AddressServiceId,
  type IpvsClient,
  isIpvsError,
  type ObservedDestination,
  type Stats,
} from 'ipvs-netlink-ts';
import type { BackendCounters, ServiceCounters, Traffic } from '../model/counters.ts';
import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { KernelCounters } from '../ports.ts';
import { readIpvsTables } from './ipvs-tables.ts';

/** The number of services between two yields to passes, DNS queries and probes. */
const STRETCH = 32;

/** Counters over a client of their own, which `close` closes, so that passes never wait. `root`: the directory of /proc and /sys. */
export function createKernelCounters(client: IpvsClient, root = ''): KernelCounters {
  return {
    async read(wanted) {
      const keys = new Set(wanted);
      const services = new Map<ServiceKey, ServiceCounters>();
      let read = 0;
      for (const service of await client.listServices()) {
        if ('fwmark' in service || !keys.has(serviceKey(service))) continue;
        const backends = await backendsOf(client, service);
        if (backends !== null)
          services.set(serviceKey(service), { traffic: toTraffic(service.stats), backends });
        read += 1;
        if (read % STRETCH === 0) await setImmediate();
      }
      const { version: ipvsVersion, connectionTableSize } = await client.getInfo();
      const { tcpSeconds: tcp, tcpFinSeconds: tcpFin, udpSeconds: udp } = await client.getTimeouts();
      const conntrack = await readConntrack(`${root}/proc/sys`);
      const tables = await readIpvsTables(root);
      return {
        services,
        ipvsVersion,
        connectionTableSize,
        conntrack,
        timeouts: { tcp, tcpFin, udp },
        tables,
      };
    },
    close: () => client.close(),
  };
}

/** null when the service was removed since it was listed. */
async function backendsOf(
  client: IpvsClient,
  service: AddressServiceId,
): Promise<ReadonlyMap<BackendKey, BackendCounters> | null> {
  try {
    const destinations = await client.listDestinations(service);
    return new Map(destinations.map((each) => [endpointKey(each), toBackend(each)]));
  } catch (error) {
    if (isIpvsError(error, 'not-found')) return null;
    throw error;
  }
}

function toBackend({ activeConnections, inactiveConnections, stats }: ObservedDestination): BackendCounters {
  return { activeConnections, inactiveConnections, traffic: toTraffic(stats) };
}

/** Converts the kernel's 64 bits to numbers, which are exact up to 9 PB; JSON has nothing larger. */
function toTraffic({ connections, inPackets, outPackets, inBytes, outBytes, ...rates }: Stats): Traffic {
  return {
    connections: Number(connections),
    inPackets: Number(inPackets),
    outPackets: Number(outPackets),
    inBytes: Number(inBytes),
    outBytes: Number(outBytes),
    ...rates,
  };
}

/** Entries of the host's connection tracking; null when it is not loaded or cannot be read. */
export async function readConntrack(root: string): Promise<{ count: number; max: number } | null> {
  const read = async (name: string) => Number(await readFile(`${root}/net/netfilter/${name}`, 'utf8'));
  try {
    const [count, max] = await Promise.all([read('nf_conntrack_count'), read('nf_conntrack_max')]);
    return { count, max };
  } catch {
    return null;
  }
}
