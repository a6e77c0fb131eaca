import { getServers } from 'node:dns';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

export interface RealAddressOptions {
  /** Our own interface, whose addresses are VIPs. */
  readonly interfaceName: string;
  /** Base URLs of the sources. */
  readonly masters: readonly string[];
  /** Where servers of ours listen. */
  readonly servers?: readonly string[];
}

/** How long the host's addresses are taken as they were. */
const FRESH_MS = 1_000;

/**
 * Makes the function that says why a VIP may not have an address: it is this host's, a name server's or a source's.
 * A VIP that takes over such an address cuts every host off from it (kubernetes #127410, #75290). null: it may.
 */
export function createRealAddresses(
  options: RealAddressOptions,
  now: () => number,
): (address: string) => string | null {
  const masters = new Map(
    options.masters.map((url) => [canonical(hostOf(url)), `it is the address of the source ${url}`]),
  );
  const servers = (options.servers ?? []).map((address) => canonical(address));
  let known = new Map<string, string>();
  let readAt = Number.NEGATIVE_INFINITY;

  function read(): Map<string, string> {
    const reasons = new Map(masters);
    for (const server of servers) reasons.set(server, 'names are answered there (--dns-listen)');
    for (const server of getServers())
      reasons.set(canonical(server), 'it is the address of a name server of this host');
    for (const [name, addresses] of Object.entries(networkInterfaces())) {
      if (name === options.interfaceName) continue;
      for (const { address } of addresses ?? [])
        reasons.set(canonical(address), `this host has it on ${name}`);
    }
    return reasons;
  }

  return (address) => {
    if (now() - readAt > FRESH_MS) {
      known = read();
      readAt = now();
    }
    return known.get(canonical(address)) ?? null;
  };
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}

/** One text for one address; what is none stays as it is. */
function canonical(text: string): string {
  return ipaddr.isValid(text) ? ipaddr.parse(text).toNormalizedString() : text;
}
