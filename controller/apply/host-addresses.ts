import { networkInterfaces } from 'node:os';
import { canonicalText } from '../address.ts';
import { same } from '../compare.ts';

/** An address of this host. */
export interface HostAddress {
  readonly interfaceName: string;
  /** Canonical. */
  readonly address: string;
  /** Address and prefix; null when the netmask is invalid. */
  readonly cidr: string | null;
}

/** The interfaces of a host, as `os.networkInterfaces` returns them. */
type Interfaces = Readonly<Record<string, readonly Pick<HostAddress, 'address' | 'cidr'>[] | undefined>>;

/** How long the list of addresses is cached. */
const FRESH_MS = 1_000;

/**
 * Returns a function for the addresses of this host, without those of our own interface (`except`), which are VIPs. It returns
 * the same object as long as they are the same. `now` in milliseconds.
 */
export function createHostAddresses(
  except: string,
  now: () => number,
  interfaces: () => Interfaces = networkInterfaces,
): () => readonly HostAddress[] {
  let known: readonly HostAddress[] = [];
  let readAt = Number.NEGATIVE_INFINITY;

  return () => {
    if (now() - readAt <= FRESH_MS) return known;
    readAt = now();
    const others = Object.entries(interfaces()).filter(([name]) => name !== except);
    const found = others.flatMap(([interfaceName, addresses = []]) =>
      addresses.map(({ address, cidr }) => ({ interfaceName, address: canonicalText(address), cidr })),
    );
    if (!same(found, known)) known = found;
    return known;
  };
}

/** Returns a function for what `make` makes of the addresses of this host: the same object as long as they are the same. */
export function ofHostAddresses<Made>(
  current: () => readonly HostAddress[],
  make: (addresses: readonly HostAddress[]) => Made,
): () => Made {
  let last: { readonly from: readonly HostAddress[]; readonly made: Made } | null = null;
  return () => {
    const from = current();
    if (last?.from !== from) last = { from, made: make(from) };
    return last.made;
  };
}
