/** The content of our nftables table, as data. */

import { FAMILIES, type Family } from '../../address.ts';
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

/** The table's name in messages, as for `nft list table`. */
export const TABLE = { family: 'inet', name: 'marathon_ipvs' } as const;

export interface Ruleset {
  readonly sets: readonly FilterSet[];
  readonly chains: readonly Chain[];
}

/** A set of addresses; with `members` null, a set that packets fill. */
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
  /** The comment in `nft list`, unique within the chain. At most 100 characters. */
  readonly comment: string;
  /** What does not work when the kernel refuses the rule. */
  readonly without: string;
  readonly expressions: readonly Expression[];
}

/** The input of the ruleset. */
export interface FilterInput {
  /** Networks and addresses of VIPs. */
  readonly vips: Readonly<Record<Family, readonly string[]>>;
  /** Addresses of our servers, which must be protected from other programs' DNAT, too. */
  readonly servers: Readonly<Record<Family, readonly string[]>>;
  /** Source address of local clients as backends see it; null: that of the interface towards the backend. */
  readonly hostAddress: Readonly<Record<Family, string | null>>;
}

/** Hooks of netfilter (`enum nf_inet_hooks`); the priorities are just before the usual ones of NAT (-100, 100). */
const HOOK = { prerouting: 0, input: 1, output: 3, postrouting: 4 } as const;
const BEFORE_DNAT = -101;
const BEFORE_SNAT = 99;
/** After IPVS, which takes its packets at 98 and 99: packets here belong to no service. */
const BEHIND_IPVS = 110;
// biome-ignore format: aligned table
const PROTOCOL = { icmp: 1, tcp: 6, icmpv6: 58 } as const;

// biome-ignore format: aligned table
const SETS = {
  ipv4: { vips: { name: 'vips4', id: 1 }, servers: { name: 'servers4', id: 2 } },
  ipv6: { vips: { name: 'vips6', id: 3 }, servers: { name: 'servers6', id: 4 } },
} as const;
const SAME_INTERFACE = { name: 'same_interface', id: 5 } as const;

/** Comment of the rule that translates the source address of local clients (see `postrouting`). */
export const OWN_CLIENTS: Record<Family, string> = {
  ipv4: 'clients on this host, IPv4',
  ipv6: 'clients on this host, IPv6',
};

/** Builds the table for these addresses. */
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
 * Protects VIPs from DNAT rules of other programs that match all local destinations (Docker: `fib daddr type local`). A
 * connection gets one destination NAT only: this rule gives it one that changes nothing, so later ones do not apply.
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
 * Translates the source address to one of this host where a reply would otherwise bypass it:
 *
 * - Local clients, whose source address is the VIP itself (a local route without a source). IPVS identifies replies by
 *   backend and client alone, so a direct connection from the same port would be confused with one to the VIP. Conntrack
 *   finds a free port.
 * - Packets that leave by the interface on which they arrived: backend and client can reach each other without this host.
 *   `iif` in postrouting needs Linux 5.7; on older kernels the rule never matches.
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

/** Rejects packets to VIPs that belong to no IPVS service, which would reach programs that listen on all addresses. */
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
