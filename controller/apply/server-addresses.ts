import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { canonicalWithoutZone } from '../address.ts';
import { messageOf } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';

export interface ServerAddressesOptions {
  /** Returns the base URLs of the servers that are known now. */
  readonly urls: () => Iterable<string>;
  readonly clock: Clock;
  readonly log: Log;
  /** Resolves a host name to its addresses of both families; rejects when there are none. Default: the system's lookup. */
  readonly lookup?: (hostName: string) => Promise<readonly string[]>;
}

/** The addresses of the servers that this program depends on: no VIP may take them. */
export interface ServerAddresses {
  /**
   * The servers by canonical address. Names are resolved again every 30 s, in the background. An address stays for ten
   * minutes after it was last in an answer, since answers with several addresses rotate.
   */
  current(): ReadonlyMap<string, string>;
  /** Resolves once the first lookup of each name has succeeded, failed or taken 5 s. Never rejects. */
  ready(): Promise<void>;
}

const FRESH_MS = 30_000;
const RETRY_MS = 5_000;
const KEEP_MS = 600_000;
const PATIENCE_MS = 5_000;
/** A name that is no longer used. */
const FORGET_MS = 3_600_000;

interface Entry {
  /** When each address was last in an answer, on the monotonic clock. */
  readonly addresses: Map<string, number>;
  askAgainAt: number;
  askedForAt: number;
  underway: Promise<void> | null;
  answered: boolean;
}

/** Keeps the addresses of servers that are configured by name or found later. */
export function createServerAddresses(options: ServerAddressesOptions): ServerAddresses {
  const { urls, clock, log, lookup: lookUp = systemLookup } = options;
  const entries = new Map<string, Entry>();

  const ask = async (host: string, entry: Entry): Promise<void> => {
    try {
      const found = await lookUp(host);
      const now = clock.monotonic();
      for (const address of found) entry.addresses.set(canonicalWithoutZone(address), now);
      for (const [address, seenAt] of entry.addresses)
        if (now - seenAt > KEEP_MS) entry.addresses.delete(address);
      entry.askAgainAt = now + FRESH_MS;
    } catch (error) {
      log.debug('server not resolved', { host, kept: [...entry.addresses.keys()], error: messageOf(error) });
      entry.askAgainAt = clock.monotonic() + RETRY_MS;
    }
    entry.answered = true;
    entry.underway = null;
  };

  const entryOf = (host: string, now: number): Entry => {
    const known = entries.get(host);
    const entry = known ?? {
      addresses: new Map(),
      askAgainAt: now,
      askedForAt: now,
      underway: null,
      answered: false,
    };
    entry.askedForAt = now;
    if (known === undefined) entries.set(host, entry);
    // A lookup that hangs occupies a thread, so there is never more than one for a name.
    if (now >= entry.askAgainAt && entry.underway === null) entry.underway = ask(host, entry);
    return entry;
  };

  const addressesOf = (host: string, now: number): Iterable<string> =>
    isIP(host) === 0 ? entryOf(host, now).addresses.keys() : [canonicalWithoutZone(host)];

  const current = (): ReadonlyMap<string, string> => {
    const now = clock.monotonic();
    const servers = new Map<string, string>();
    for (const url of urls()) {
      const host = hostOf(url);
      if (host === null) continue;
      for (const address of addressesOf(host, now)) if (!servers.has(address)) servers.set(address, url);
    }
    for (const [host, { askedForAt }] of entries) if (now - askedForAt > FORGET_MS) entries.delete(host);
    return servers;
  };

  return {
    current,
    async ready() {
      current();
      const open = [...entries.values()].filter(({ answered }) => !answered);
      if (open.length === 0) return;
      const enough = new AbortController();
      await Promise.race([
        Promise.all(open.map(({ underway }) => underway)),
        clock.sleep(PATIENCE_MS, enough.signal),
      ]);
      enough.abort();
      // Nothing waits for a name that has not been resolved by now.
      for (const entry of open) entry.answered = true;
    },
  };
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : null;
}

/** The hosts file, then DNS, like the connections to these servers. */
async function systemLookup(hostName: string): Promise<readonly string[]> {
  return (await lookup(hostName, { all: true })).map(({ address }) => address);
}
