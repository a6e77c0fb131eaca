import { familyOf } from '../../address.ts';
import { messageOf } from '../../errors.ts';
import { endpointKey } from '../../model/endpoint.ts';
import type { Cause } from '../causes.ts';
import type { AddressedVip, FiltersFact } from '../facts.ts';
import { type Chain, type Fate, fateIn, type Hook, type Packet } from '../filters/chain.ts';
import { parseIptables } from '../filters/iptables.ts';
import { parseNftables } from '../filters/nftables.ts';
import { ok, type Suspect, unknown, type Verdict } from '../verdict.ts';

const OWN_TABLE = 'inet marathon_ipvs';

/** A packet to take through the chains of these hooks. */
interface TestPacket {
  readonly packet: Packet;
  readonly hooks: readonly Hook[];
  readonly to: 'vip' | 'backend';
  readonly what: string;
}

/** Checks whether other programs' rules drop, reject or translate packets to the VIP, to its backends, or their replies. */
export function checkFilters({
  vip,
  filters,
}: {
  readonly vip: AddressedVip;
  readonly filters: FiltersFact;
}): Verdict[] {
  const parsed = chainsIn(filters);
  if (parsed.chains.length === 0) {
    return parsed.unread.length === 0
      ? [ok('no rules of other programs')]
      : parsed.unread.map((why) => unknown(why));
  }
  const suspects = new Map<Cause, Found>();
  for (const found of foundIn(parsed.chains, vip)) {
    // A certain effect takes precedence over a possible one.
    if (found.sure || !suspects.has(found.cause)) {
      if (suspects.get(found.cause)?.sure !== true) suspects.set(found.cause, found);
    }
  }
  const found = [...suspects.values()].sort((a, b) => Number(b.sure) - Number(a.sure));
  if (found.length > 0) return found.map(({ sure: _, ...suspect }) => suspect);
  return [ok(`${parsed.chains.length} chains of other programs let the traffic pass`)];
}

type Found = Suspect & { readonly sure: boolean };

function foundIn(all: readonly Chain[], vip: AddressedVip): Found[] {
  const chains = new Map(all.map((chain) => [chain.name, chain]));
  const family = familyOf(vip.address);
  return packetsOf(vip).flatMap((sent) =>
    all
      .filter(({ base }) => base?.[family] === true && sent.hooks.includes(base.hook))
      .flatMap((chain) => {
        const fate = fateIn(chain, chains, sent.packet);
        return (fate === null ? null : suspectOf(fate, sent)) ?? [];
      }),
  );
}

function chainsIn({ nftables, iptables, ip6tables }: FiltersFact): { chains: Chain[]; unread: string[] } {
  const chains: Chain[] = [];
  const unread: string[] = [];
  const take = (what: string, parse: () => Chain[]) => {
    try {
      chains.push(...parse());
    } catch (error) {
      unread.push(`cannot parse the output of ${what}: ${messageOf(error)}`);
    }
  };
  if (nftables !== null) take('nft -j list ruleset', () => parseNftables(nftables, OWN_TABLE));
  if (iptables !== null) take('iptables-save', () => parseIptables(iptables, 'ip'));
  if (ip6tables !== null) take('ip6tables-save', () => parseIptables(ip6tables, 'ip6'));
  return { chains, unread };
}

/** A few backends are enough, since rules match ports and networks. */
const MAX_BACKENDS = 8;

function packetsOf({ protocol, address, port, backends }: AddressedVip): TestPacket[] {
  const vip = { address, port, isLocal: true };
  const key = endpointKey(vip);
  const toVip: TestPacket = {
    packet: { protocol, destination: vip, isReply: false },
    hooks: ['prerouting', 'input', 'output'],
    to: 'vip',
    what: `packets to ${key}`,
  };
  const others = backends
    .filter(({ weight }) => weight > 0)
    .slice(0, MAX_BACKENDS)
    .flatMap((backend): TestPacket[] => {
      const place = { address: backend.address, port: backend.port, isLocal: false };
      const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;
      const request = { protocol, destination: place, isReply: false };
      const reply = { protocol, source: place, isReply: true };
      return [
        { packet: request, hooks, to: 'backend', what: `packets to the backend ${endpointKey(place)}` },
        { packet: reply, hooks, to: 'backend', what: `replies of the backend ${endpointKey(place)}` },
      ];
    });
  return [toVip, ...others];
}

const AT_VIP = ['not-at-ipvs', 'vip-refuses', 'no-answer', 'client-unreachable'] as const;
const AT_BACKEND = ['backend-silent', 'backend-refuses', 'backend-unreachable'] as const;
/** The failures that each kind of finding explains. */
const EXPLAINS = {
  vip: AT_VIP,
  backend: [...AT_BACKEND, ...AT_VIP],
  translation: ['answered-elsewhere', ...AT_VIP],
} as const satisfies Record<string, readonly Cause[]>;

function suspectOf({ kind, by, sure }: Fate, { to, what, packet }: TestPacket): Found | null {
  // The destination of a reply is unknown, so a rule that may match it most likely does not.
  if (packet.isReply && !sure && kind !== 'policy') return null;
  // Translating packets to a backend is the other program's business.
  if (kind === 'translate' && to === 'backend') return null;
  const may = sure ? '' : 'may ';
  const common = { state: 'suspect', sure } as const;
  if (kind === 'translate') {
    return {
      ...common,
      cause: 'filter-translates',
      found: `${what} ${may}go elsewhere because of ${by}`,
      fix: 'exclude the pool from that rule, or enable nftables on this host (see marathon-ipvs doctor), with which the controller keeps such rules away from VIPs',
      explains: EXPLAINS.translation,
    };
  }
  const cause = kind === 'policy' ? 'filter-policy' : to === 'vip' ? 'filter-drops' : 'filter-drops-backend';
  const verb = kind === 'reject' ? 'rejected' : 'dropped';
  return {
    ...common,
    cause,
    found: `${what} ${may === '' ? 'are' : 'may be'} ${verb} by ${by}`,
    fix: 'configure the program that owns this rule to accept them: a rule of the controller cannot override it',
    // A policy affects both.
    explains: EXPLAINS[kind === 'policy' ? 'backend' : to],
  };
}
