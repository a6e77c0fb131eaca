import { isIP } from 'node:net';
import type { MarathonApp } from '../../input/marathon-json.ts';
import { shown } from '../../input/rejection.ts';
import type { Placement, Rejection } from '../../model/app.ts';
import { notPlaced } from './placement.ts';

/** A network of a task, and the task's addresses on it. */
export interface NetworkAddresses {
  /** null when unknown. */
  readonly name: string | null;
  readonly addresses: readonly string[];
}

/** A task's addresses by network, as far as known. */
export interface TaskNetworks {
  readonly networks: readonly NetworkAddresses[];
  /** Addresses that may be on any of the networks. */
  readonly unassigned: readonly string[];
}

/** The addresses of a port that is limited to some networks, and why some of them are unknown. */
export interface NetworkChoice {
  readonly addresses: readonly string[];
  readonly unresolved?: string;
}

/**
 * Assigns addresses to networks when Marathon lists them in the order of the networks but without names.
 *
 * Each network gives a task one address per family. A family with as many addresses as there are networks is therefore
 * assigned by order; the addresses of other families stay unassigned.
 */
export function networksByOrder(
  names: readonly (string | null)[],
  addresses: readonly string[],
): TaskNetworks {
  const [only = null, another] = names;
  if (another === undefined) return { networks: [{ name: only, addresses }], unassigned: [] };
  const families = [4, 6].map((family) => addresses.filter((address) => isIP(address) === family));
  const inOrder = families.filter(({ length }) => length === names.length);
  return {
    networks: names.map((name, index) => ({
      name,
      addresses: inOrder.flatMap((family) => family[index] ?? []),
    })),
    unassigned: families.filter((family) => !inOrder.includes(family)).flat(),
  };
}

/** Names the networks that are listed without names, by their order in `names`, if the lengths agree. */
export function namesByOrder(
  networks: readonly { readonly name: string | null | undefined; readonly addresses: readonly string[] }[],
  names: readonly (string | null)[],
): readonly NetworkAddresses[] {
  const known = networks.length === names.length ? names : [];
  return networks.map(({ name, addresses }, index) => ({ name: name || (known[index] ?? null), addresses }));
}

/**
 * The addresses of a task on the `wanted` networks, or on all networks when `wanted` is empty. `unresolved` says why
 * there are none, or that an address was left out because it may be on another network.
 */
export function addressesOn(
  wanted: readonly string[],
  { networks, unassigned }: TaskNetworks,
): NetworkChoice {
  const all = networks.flatMap(({ addresses }) => addresses);
  const isWanted = ({ name }: NetworkAddresses) => name !== null && wanted.includes(name);
  const single = networks.length === 1 && networks[0]?.name === null;
  // A task on a single unnamed network has all its addresses there, whatever the port calls that network.
  if (wanted.length === 0 || single || networks.every(isWanted)) {
    return { addresses: [...all, ...unassigned] };
  }
  const which = `network ${wanted.join(' or ')}`;
  const chosen = networks.filter(isWanted);
  const addresses = chosen.flatMap((network) => network.addresses);
  const nameless = networks.filter(({ name }) => name === null);
  const candidates =
    addresses.length > 0 ? unassigned : [...unassigned, ...nameless.flatMap((network) => network.addresses)];
  if (candidates.length > 0 && chosen.length + nameless.length > 0) {
    return { addresses, unresolved: `cannot determine whether ${candidates.join(', ')} is on ${which}` };
  }
  if (addresses.length > 0 || all.length + unassigned.length === 0) return { addresses };
  const known = networks.flatMap(({ name }) => name ?? []).join(', ');
  return {
    addresses,
    unresolved: `it has no address on ${which}${known === '' ? '' : `, only on ${known}`}`,
  };
}

/** Places a port at the chosen addresses with `at`, and keeps the reason why others are unknown. */
export function onNetworks(
  { addresses, unresolved }: NetworkChoice,
  at: (addresses: readonly string[]) => Placement,
): Placement {
  if (unresolved === undefined) return at(addresses);
  if (addresses.length === 0) return notPlaced(unresolved);
  return { unresolved, ...at(addresses) };
}

/** Rejects networks of different modes, which Marathon refuses. */
export function mixedModes(app: string, networks: MarathonApp['networks']): readonly Rejection[] {
  const modes = new Set((networks ?? []).map(({ mode }) => mode ?? 'container'));
  if (modes.size < 2) return [];
  const reason = `expected networks of one mode, got ${[...modes].join(' and ')}: the first one is used`;
  return [{ app, at: 'networks', value: shown(networks), reason }];
}
