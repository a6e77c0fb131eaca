import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { compareText } from '../compare.ts';

/** The interfaces of a host, as `os.networkInterfaces` returns them. */
export type Interfaces = Readonly<
  Record<string, readonly { readonly address: string; readonly family: string; readonly internal: boolean }[]>
>;

/**
 * A text that is unique to this host: its name, and its address if it has one (`node-1 10.0.0.7`). It stays the same from
 * run to run as long as these do.
 *
 * The address is that of the interface of the default route, since many hosts have container bridges with the same address,
 * and the addresses of containers change.
 */
export function readHostIdentity(): string {
  const interfaces = networkInterfaces() as Interfaces;
  return identityOf(hostname(), addressOfHost(interfaces, defaultInterface(read('/proc/net/route'))));
}

/** The first IPv4 address of an interface in alphabetical order, else its first IPv6 address; null when it has none. */
export function addressOfHost(interfaces: Interfaces, interfaceName: string | null): string | null {
  const addresses = (interfaceName === null ? [] : (interfaces[interfaceName] ?? []))
    .filter(({ address, internal }) => !internal && !address.startsWith('fe80:'))
    .toSorted((a, b) =>
      a.family === b.family ? compareText(a.address, b.address) : compareText(a.family, b.family),
    );
  return addresses[0]?.address ?? null;
}

/**
 * The interface of the default route with the lowest metric, the first by name in a tie; null without a default route.
 * `routes`: /proc/net/route.
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
