import { lookup } from 'node:dns/promises';
import { messageOf } from '../errors.ts';
import { BOUNDS } from '../input/bounds.ts';
import type { Clock, Log, Resolver } from '../ports.ts';

export interface DnsResolverOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How long an answer is cached. Defaults to 60 s. */
  readonly ttlMs?: number | undefined;
  /** How long a failure is cached. Defaults to 5 s. */
  readonly retryMs?: number | undefined;
  /** How long to wait for one answer. Defaults to 5 s. */
  readonly timeoutMs?: number | undefined;
  /** Looks up one address and rejects when there is none. Defaults to the system resolver (hosts file, then DNS). */
  readonly lookupIpv4?: ((hostName: string) => Promise<string>) | undefined;
}

interface Entry {
  /** The last known address, however old; null when none was ever found. */
  readonly address: string | null;
  readonly until: number;
}

/**
 * Resolves agents' host names to IPv4 addresses as DC/OS did, through the system resolver, with a cache.
 *
 * A failure or a slow name server gives the last known address, or null; it never rejects. Concurrent requests for a
 * name share one lookup, however long it takes, since a system lookup cannot be cancelled. The cache holds at most
 * `BOUNDS.hostNames` names and drops those with the oldest answers. At most as many lookups run at once; a further name
 * stays unresolved for now.
 */
export function createDnsResolver(options: DnsResolverOptions): Resolver {
  const {
    clock,
    log,
    ttlMs = 60_000,
    retryMs = 5_000,
    timeoutMs = 5_000,
    lookupIpv4 = systemLookup,
  } = options;
  const entries = new Map<string, Entry>();
  const underway = new Map<string, Promise<string | null>>();
  /** Lookups in progress, including those that have timed out. */
  const lookups = new Map<string, Promise<string>>();

  const lookUp = (hostName: string): Promise<string> => {
    const before = lookups.get(hostName);
    if (before !== undefined) return before;
    if (lookups.size >= BOUNDS.hostNames)
      return Promise.reject(new Error(`${lookups.size} names are being looked up already`));
    const started = lookupIpv4(hostName).finally(() => lookups.delete(hostName));
    lookups.set(hostName, started);
    return started;
  };

  const remember = (hostName: string, entry: Entry): void => {
    // Re-inserted, so that the oldest answer is first.
    entries.delete(hostName);
    entries.set(hostName, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= BOUNDS.hostNames) break;
      entries.delete(oldest);
    }
  };

  const query = async (hostName: string): Promise<string | null> => {
    const last = entries.get(hostName)?.address ?? null;
    const enough = new AbortController();
    try {
      const late = clock
        .sleep(timeoutMs, enough.signal)
        .then(() => Promise.reject(new Error(`no answer in ${timeoutMs} ms`)));
      const address = await Promise.race([lookUp(hostName), late]);
      remember(hostName, { address, until: clock.monotonic() + ttlMs });
      return address;
    } catch (error) {
      log.debug('host name not resolved', { hostName, kept: last, reason: messageOf(error) });
      remember(hostName, { address: last, until: clock.monotonic() + retryMs });
      return last;
    } finally {
      enough.abort();
      underway.delete(hostName);
    }
  };

  return {
    async resolve(hostName) {
      const entry = entries.get(hostName);
      if (entry !== undefined && clock.monotonic() < entry.until) return entry.address;
      const answer = underway.get(hostName) ?? query(hostName);
      underway.set(hostName, answer);
      return answer;
    },
  };
}

async function systemLookup(hostName: string): Promise<string> {
  return (await lookup(hostName, { family: 4 })).address;
}
