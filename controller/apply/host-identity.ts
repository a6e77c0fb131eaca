import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { compareText } from '../compare-text.ts';

/** The interfaces of a host, as `os.networkInterfaces` gives them. */
export type Interfaces = Readonly<
  Record<string, readonly { readonly address: string; readonly family: string; readonly internal: boolean }[]>
>;

/**
 * What tells this host from all others: its name, and its address where it has one, `node-1 10.0.0.7`. It is the same in
 * each run as long as both are.
 *
 * The address is that of the interface of the default route; the addresses of container bridges are the same on many hosts,
 * and those of single containers come and go.
 */
export function readHostIdentity(): string {
  const interfaces = networkInterfaces() as Interfaces;
  return identityOf(hostname(), addressOfHost(interfaces, defaultInterface(read('/proc/net/route'))));
}

/** The IPv4 address of this interface that sorts first, else its IPv6 address; null where there is none. */
export function addressOfHost(interfaces: Interfaces, interfaceName: string | null): string | null {
  const addresses = (interfaceName === null ? [] : (interfaces[interfaceName] ?? []))
    .filter(({ address, internal }) => !internal && !address.startsWith('fe80:'))
    .toSorted((a, b) =>
      a.family === b.family ? compareText(a.address, b.address) : compareText(a.family, b.family),
    );
  return addresses[0]?.address ?? null;
}

/**
 * The interface of the default route with the least metric; the name that sorts first where two are alike. null where there
 * is none. `routes`: /proc/net/route.
 */
export function defaultInterface(routes: string): string | null {
  const found = routes
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([, destination, , , , , , mask]) => destination === ANY && mask === ANY)
    .map(([name = '', , , , , , metric]) => ({ name: name.trim(), metric: Number(metric) }))
    .toSorted((a, b) => a.metric - b.metric || compareText(a.name, b.name));
  return found[0]?.name ?? null;
}

const ANY = '00000000';

function identityOf(name: string, address: string | null): string {
  return address === null ? name : `${name} ${address}`;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
