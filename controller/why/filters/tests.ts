import ipaddr from 'ipaddr.js';
import type { Packet, Place, Test } from './chain.ts';

type Side = 'source' | 'destination';

/** It cannot be told from a packet alone. */
export const untold: Test = () => null;

/** The opposite; what cannot be told stays so. */
export function not(test: Test): Test {
  return (packet) => {
    const result = test(packet);
    return result === null ? null : !result;
  };
}

/** Whether the packet passes all of them; what fails for sure decides. */
export function allOf(tests: readonly Test[]): Test {
  return (packet) => {
    const results = tests.map((test) => test(packet));
    return results.includes(false) ? false : results.includes(null) ? null : true;
  };
}

/** Whether the packet passes one of them; what passes for sure decides. */
export function anyOf(tests: readonly Test[]): Test {
  return (packet) => {
    const results = tests.map((test) => test(packet));
    return results.includes(true) ? true : results.includes(null) ? null : false;
  };
}

/** Whether an address of the packet lies in one of these networks (`10.0.0.0/8`, `10.0.0.1-10.0.0.9`, or one address). */
export function inNetworks(side: Side, networks: readonly string[]): Test {
  return ofPlace(side, ({ address }) => networks.some((network) => contains(network, address)));
}

/** Whether a port of the packet is one of these, each from the first to the last. */
export function inPorts(side: Side, ranges: readonly (readonly [number, number])[]): Test {
  return ofPlace(side, ({ port }) => ranges.some(([first, last]) => port >= first && port <= last));
}

/** Whether an address of the packet is this host's. */
export function isLocal(side: Side): Test {
  return ofPlace(side, (place) => place.isLocal);
}

export function isProtocol(names: readonly string[]): Test {
  const numbers: Readonly<Record<string, string>> = { 6: 'tcp', 17: 'udp' };
  const known = names.map((name) => numbers[name] ?? name.toLowerCase());
  return ({ protocol }) => known.includes(protocol) || known.includes('all');
}

/** Whether connection tracking is in one of these states: a first packet is new, its answer established. */
export function inStates(states: readonly string[]): Test {
  const known = states.map((state) => state.toLowerCase());
  return ({ isAnswer }) => known.includes(isAnswer ? 'established' : 'new');
}

function ofPlace(side: Side, test: (place: Place) => boolean): Test {
  return (packet: Packet) => {
    const place = packet[side];
    return place === undefined ? null : test(place);
  };
}

function contains(network: string, address: string): boolean {
  const [first = '', last] = network.split('-');
  if (last !== undefined) return isBetween(first, address, last);
  const [range = '', prefix] = network.split('/');
  if (!ipaddr.isValid(range) || !ipaddr.isValid(address)) return false;
  const [a, b] = [ipaddr.parse(range), ipaddr.parse(address)];
  if (a.kind() !== b.kind()) return false;
  return b.match(a, prefix === undefined ? (a.kind() === 'ipv4' ? 32 : 128) : Number(prefix));
}

function isBetween(first: string, address: string, last: string): boolean {
  const all = [first, address, last];
  if (!all.every((each) => ipaddr.isValid(each))) return false;
  const parsed = all.map((each) => ipaddr.parse(each));
  if (new Set(parsed.map((each) => each.kind())).size > 1) return false;
  const [low = '', mid = '', high = ''] = parsed.map((each) =>
    Buffer.from(each.toByteArray()).toString('hex'),
  );
  return low <= mid && mid <= high;
}
