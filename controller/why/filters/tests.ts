import ipaddr from 'ipaddr.js';
import type { Packet, Place, Test } from './chain.ts';

type Side = 'source' | 'destination';

/** A test whose result cannot be known from the packet. */
export const undecidable: Test = () => null;

/** Negates a test; an unknown result stays unknown. */
export function not(test: Test): Test {
  return (packet) => {
    const result = test(packet);
    return result === null ? null : !result;
  };
}

/** Passes if all tests pass, fails if one fails, and is unknown otherwise. */
export function allOf(tests: readonly Test[]): Test {
  return (packet) => {
    const results = tests.map((test) => test(packet));
    return results.includes(false) ? false : results.includes(null) ? null : true;
  };
}

/** Passes if one test passes, fails if all fail, and is unknown otherwise. */
export function anyOf(tests: readonly Test[]): Test {
  return (packet) => {
    const results = tests.map((test) => test(packet));
    return results.includes(true) ? true : results.includes(null) ? null : false;
  };
}

/** Tests whether the packet's address is in one of these networks (`10.0.0.0/8`, `10.0.0.1-10.0.0.9`, or a single address). */
export function inNetworks(side: Side, networks: readonly string[]): Test {
  return ofPlace(side, ({ address }) => networks.some((network) => contains(network, address)));
}

/** Tests whether the packet's port is in one of these ranges, both ends included. */
export function inPorts(side: Side, ranges: readonly (readonly [number, number])[]): Test {
  return ofPlace(side, ({ port }) => ranges.some(([first, last]) => port >= first && port <= last));
}

/** Tests whether the packet's address is one of this host's. */
export function isLocal(side: Side): Test {
  return ofPlace(side, (place) => place.isLocal);
}

/** Tests the packet's protocol, given by name or number. */
export function isProtocol(names: readonly string[]): Test {
  const numbers: Readonly<Record<string, string>> = { 6: 'tcp', 17: 'udp' };
  const known = names.map((name) => numbers[name] ?? name.toLowerCase());
  return ({ protocol }) => known.includes(protocol) || known.includes('all');
}

/** Tests the connection-tracking state: the first packet is new, its reply established. */
export function inStates(states: readonly string[]): Test {
  const known = states.map((state) => state.toLowerCase());
  return ({ isReply }) => known.includes(isReply ? 'established' : 'new');
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
