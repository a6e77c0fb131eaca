import type { ListenOption } from '../config/values.ts';
import { hasCode, messageOf } from '../errors.ts';
import { endpointKey } from '../model/endpoint.ts';
import type { Clock, Log } from '../ports.ts';
import type { NameIndex } from './name-table.ts';
import { createResponder, type DnsMeter, type Responder } from './responder.ts';
import { openTcp } from './tcp.ts';
import { type Listener, openUdp } from './udp.ts';

export interface DnsServerOptions {
  readonly listen: readonly ListenOption[];
  /** The names to serve; may change between two queries. */
  readonly index: NameIndex;
  readonly meter: DnsMeter;
  readonly log: Log;
  readonly clock: Pick<Clock, 'sleep'>;
}

export interface DnsServer {
  /** Why DNS cannot be served on an address, with the fix; empty if it is served on all. */
  problems(): readonly string[];
  /** The addresses served at this moment: `127.0.0.1:53`, with the port that was assigned if 0 was requested. */
  bound(): readonly string[];
  close(): Promise<void>;
}

/** How often an address that cannot be bound is retried. */
const RETRY_MS = 1_000;

/**
 * Serves DNS over UDP and TCP on each of the addresses. An address that cannot be bound is logged once and retried: that of
 * the dummy interface, for example, appears a moment later.
 */
export function startDns({ listen, index, meter, log, clock }: DnsServerOptions): DnsServer {
  const ended = new AbortController();
  const responder = createResponder(index, meter);
  const problems = new Map<ListenOption, string>();
  const listeners = new Map<string, Listener>();

  async function open(where: ListenOption): Promise<void> {
    while (!ended.signal.aborted) {
      try {
        const listener = await openBoth(where, responder, meter);
        const address = endpointKey({ ...where, port: listener.port });
        listeners.set(address, listener);
        problems.delete(where);
        log.info('serving DNS', { address });
        return;
      } catch (error) {
        const problem = inWords(where, error);
        if (problems.get(where) !== problem) log.error('cannot serve DNS', { problem });
        problems.set(where, problem);
      }
      await clock.sleep(RETRY_MS, ended.signal);
    }
  }

  const opening = listen.map(open);
  return {
    problems: () => [...problems.values()],
    bound: () => [...listeners.keys()],
    async close() {
      ended.abort();
      await Promise.all(opening);
      await Promise.all([...listeners.values()].map((listener) => listener.close()));
      listeners.clear();
    },
  };
}

/** Attempts to find a port that is free for both UDP and TCP, if any port will do. */
const MAX_ATTEMPTS = 20;

async function openBoth(where: ListenOption, responder: Responder, meter: DnsMeter): Promise<Listener> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await openBothAt(where, responder, meter);
    } catch (error) {
      if (where.port !== 0 || tried === MAX_ATTEMPTS || !hasCode(error, 'EADDRINUSE')) throw error;
    }
  }
}

/** Opens both or none: a client that is told to retry over TCP must get an answer there. */
async function openBothAt(
  { address, port }: ListenOption,
  responder: Responder,
  meter: DnsMeter,
): Promise<Listener> {
  const udp = await openUdp(address, port, responder, meter);
  try {
    const tcp = await openTcp(address, udp.port, responder, meter);
    const close = async () => {
      await Promise.all([udp.close(), tcp.close()]);
    };
    return { port: udp.port, close };
  } catch (error) {
    await udp.close();
    throw error;
  }
}

function inWords(listen: ListenOption, error: unknown): string {
  const advice = Object.entries(ADVICE).find(([code]) => hasCode(error, code))?.[1];
  const why = advice?.(listen) ?? messageOf(error);
  return `--dns-listen ${endpointKey(listen)}: ${why}`;
}

const ADVICE: Readonly<Record<string, (listen: ListenOption) => string>> = {
  EADDRINUSE: ({ port }) =>
    `another process has this port (\`ss -lntup sport = :${port}\` shows which; a name server that listens on every address must be configured not to, see docs/dns.md)`,
  EADDRNOTAVAIL: ({ address }) => `this host has no address ${address}`,
  EACCES: ({ port }) =>
    `ports below 1024 need CAP_NET_BIND_SERVICE: give it to the unit or the container, run as root, or set net.ipv4.ip_unprivileged_port_start=${port}`,
};
