/** What our table of the packet filter says. Pure: data in, data out. */

import type { Family } from '../../model.ts';
import {
  accept,
  addressIn,
  dnatToItself,
  type Expression,
  hasProtocol,
  interfacesIn,
  isReply,
  madeTo,
  masquerade,
  reject,
  rememberInterface,
  type SetReference,
  snatTo,
} from './expressions.ts';
import { type Boundary, boundaries } from './intervals.ts';

/** Names the table in messages; `nft list table` takes the same words. */
export const TABLE = { family: 'inet', name: 'marathon_ipvs' } as const;

export interface Ruleset {
  readonly sets: readonly FilterSet[];
  readonly chains: readonly Chain[];
}

/** A set of addresses, or (`members` null) one that packets fill. */
export interface FilterSet extends SetReference {
  readonly kind: Family | 'interfaces';
  readonly members: readonly Boundary[] | null;
}

export interface Chain {
  readonly name: string;
  readonly type: 'nat' | 'filter';
  readonly hook: number;
  readonly priority: number;
  readonly rules: readonly Rule[];
}

export interface Rule {
  /** Says in `nft list` what it is for, and tells the rules of a chain apart. At most 100 characters. */
  readonly comment: string;
  /** What does not work on a kernel that refuses the rule. */
  readonly without: string;
  readonly expressions: readonly Expression[];
}

/** What the rules depend on. */
export interface FilterInput {
  /** Networks and addresses of VIPs. */
  readonly vips: Readonly<Record<Family, readonly string[]>>;
  /** Addresses of servers of ours, which a DNAT of others must not catch either. */
  readonly servers: Readonly<Record<Family, readonly string[]>>;
  /** Source address of this host's own clients as backends see it; null: that of the interface towards the backend. */
  readonly hostAddress: Readonly<Record<Family, string | null>>;
}

/** Hooks of netfilter (`enum nf_inet_hooks`); priorities just before those of other programs' NAT (-100, 100). */
const HOOK = { prerouting: 0, input: 1, output: 3, postrouting: 4 } as const;
const BEFORE_DNAT = -101;
const BEFORE_SNAT = 99;
/** IPVS takes its packets at 98 and 99: what comes here is for no service. */
const BEHIND_IPVS = 110;
// biome-ignore format: aligned table
const PROTOCOL = { icmp: 1, tcp: 6, icmpv6: 58 } as const;

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
// biome-ignore format: aligned table
const SETS = {
  ipv4: { vips: { name: 'vips4', id: 1 }, servers: { name: 'servers4', id: 2 } },
  ipv6: { vips: { name: 'vips6', id: 3 }, servers: { name: 'servers6', id: 4 } },
} as const;
const SAME_INTERFACE = { name: 'same_interface', id: 5 } as const;

/** Marks the rule that makes this host's own clients reach VIPs from an address that is no socket's (see `postrouting`). */
export const OWN_CLIENTS: Record<Family, string> = {
  ipv4: 'clients on this host, IPv4',
  ipv6: 'clients on this host, IPv6',
};

/** The table for these addresses. */
export function createRuleset(input: FilterInput): Ruleset {
  const addresses = FAMILIES.flatMap((kind) =>
    (['vips', 'servers'] as const).map((which) => ({
      ...SETS[kind][which],
      kind,
      members: boundaries(kind, input[which][kind]),
    })),
  );
  return {
    sets: [...addresses, { ...SAME_INTERFACE, kind: 'interfaces', members: null }],
    chains: [prerouting(), output(), postrouting(input), guard()],
  };
}

/**
 * A NAT rule of another program that takes whatever has a local address as destination (Docker: `fib daddr type local`)
 * takes VIPs too. A connection has one destination NAT: the one given here, to where it goes anyway, and no later one.
 */
function prerouting(): Chain {
  const rules = FAMILIES.map((family) => ({
    comment: `remember by which interface clients of VIPs come, ${label(family)}`,
    without: SAME_WAY,
    expressions: [
      ...addressIn(family, 'destination', SETS[family].vips),
      ...rememberInterface(SAME_INTERFACE),
    ],
  }));
  const chain = { name: 'prerouting', type: 'nat', hook: HOOK.prerouting, priority: BEFORE_DNAT } as const;
  return { ...chain, rules: [...rules, ...keptFromDnat()] };
}

function output(): Chain {
  const chain = { name: 'output', type: 'nat', hook: HOOK.output, priority: BEFORE_DNAT } as const;
  return { ...chain, rules: keptFromDnat() };
}

function keptFromDnat(): readonly Rule[] {
  return FAMILIES.flatMap((family) =>
    (['vips', 'servers'] as const).map((which) => ({
      comment: `DNAT of others must not take ${which === 'vips' ? 'VIPs' : 'name servers'}, ${label(family)}`,
      without:
        "a port that a container runtime publishes takes the same port of every VIP (Docker's DNAT rules)",
      expressions: [...addressIn(family, 'destination', SETS[family][which]), ...dnatToItself(family)],
    })),
  );
}

const SAME_WAY =
  'no answer where client and backend are behind the same interface (one host, one bridge, one network)';

/**
 * Where a reply would otherwise miss this host, its source becomes an address of this host.
 *
 * A client on this host: it has the VIP itself as its address (a local route without source), so that IPVS, which knows
 * replies by backend and client alone, cannot take the reply to a direct connection for one to a VIP, or the other way
 * round, when both have one source port. Conntrack then finds a port that is free.
 *
 * A packet that leaves by the interface by which it came in: backend and client reach each other there without this host.
 * `iif` in postrouting needs Linux 5.7; older ones have none there, and the rule never matches.
 */
function postrouting({ hostAddress }: FilterInput): Chain {
  const rules = FAMILIES.flatMap((family) => {
    const address = hostAddress[family];
    const { vips } = SETS[family];
    return [
      {
        comment: OWN_CLIENTS[family],
        without: 'a client on this host can collide with its own direct connection to a backend',
        expressions: [
          ...addressIn(family, 'source', vips),
          ...(address === null ? masquerade() : snatTo(family, address)),
        ],
      },
      {
        comment: `the reply would not come back here, ${label(family)}`,
        without: SAME_WAY,
        expressions: [...madeTo(family, vips), ...interfacesIn(SAME_INTERFACE), ...masquerade()],
      },
    ];
  });
  return { name: 'postrouting', type: 'nat', hook: HOOK.postrouting, priority: BEFORE_SNAT, rules };
}

/** What is no service of IPVS comes this far, and would reach whatever listens on all addresses of this host. */
function guard(): Chain {
  const without = 'other ports of VIPs reach what listens on all addresses of this host';
  const rules: Rule[] = [
    { comment: "replies to this host's own clients", without, expressions: [...isReply(), ...accept()] },
  ];
  for (const family of FAMILIES) {
    const here = addressIn(family, 'destination', SETS[family].vips);
    const icmp = family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6;
    const add = (what: string, then: readonly Expression[]) =>
      rules.push({ comment: `${what}, ${label(family)}`, without, expressions: [...here, ...then] });
    add('VIPs answer to ping', [...hasProtocol(icmp), ...accept()]);
    add('a port that is no VIP', [...hasProtocol(PROTOCOL.tcp), ...reject('tcp-reset')]);
    add('a port that is no VIP, not TCP', reject(family));
  }
  return { name: 'guard', type: 'filter', hook: HOOK.input, priority: BEHIND_IPVS, rules };
}

function label(family: Family): string {
  return family === 'ipv4' ? 'IPv4' : 'IPv6';
}
