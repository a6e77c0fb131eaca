import { familyOf } from '../../address.ts';
import { messageOf } from '../../errors.ts';
import { endpointKey } from '../../model.ts';
import type { Cause } from '../causes.ts';
import type { FiltersFact, Reachable } from '../facts.ts';
import { type Chain, type Fate, fateIn, type Hook, type Packet } from '../filters/chain.ts';
import { parseIptables } from '../filters/iptables.ts';
import { parseNftables } from '../filters/nftables.ts';
import { ok, type Suspect, unknown, type Verdict } from '../verdict.ts';

/** Our own table. */
const OURS = 'inet marathon_ipvs';

interface Sent {
  readonly packet: Packet;
  readonly hooks: readonly Hook[];
  readonly to: 'vip' | 'backend';
  readonly what: string;
}

/** Whether a rule of another program drops, rejects or translates what goes to the VIP, to its backends, or back. */
export function checkFilters({
  vip,
  filters,
}: {
  readonly vip: Reachable;
  readonly filters: FiltersFact;
}): Verdict[] {
  const parsed = chainsIn(filters);
  if (parsed.chains.length === 0) {
    return parsed.unread.length === 0
      ? [ok('no rule of another program')]
      : parsed.unread.map((why) => unknown(why));
  }
  const suspects = new Map<Cause, Found>();
  for (const found of foundIn(parsed.chains, vip)) {
    // What a rule surely does stands before what it may do.
    if (found.sure || !suspects.has(found.cause)) {
      if (suspects.get(found.cause)?.sure !== true) suspects.set(found.cause, found);
    }
  }
  const found = [...suspects.values()].sort((a, b) => Number(b.sure) - Number(a.sure));
  if (found.length > 0) return found.map(({ sure: _, ...suspect }) => suspect);
  return [ok(`${parsed.chains.length} chains of other programs let it pass`)];
}

type Found = Suspect & { readonly sure: boolean };

function foundIn(all: readonly Chain[], vip: Reachable): Found[] {
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
      unread.push(`${what} cannot be understood: ${messageOf(error)}`);
    }
  };
  if (nftables !== null) take('nft -j list ruleset', () => parseNftables(nftables, OURS));
  if (iptables !== null) take('iptables-save', () => parseIptables(iptables, 'ip'));
  if (ip6tables !== null) take('ip6tables-save', () => parseIptables(ip6tables, 'ip6'));
  return { chains, unread };
}

/** Of a large VIP some are enough: rules are for ports and networks. */
const MOST_BACKENDS = 8;

function packetsOf({ protocol, address, port, backends }: Reachable): Sent[] {
  const vip = { address, port, isLocal: true };
  const key = endpointKey(vip);
  const toVip: Sent = {
    packet: { protocol, destination: vip, isAnswer: false },
    hooks: ['prerouting', 'input', 'output'],
    to: 'vip',
    what: `packets to ${key}`,
  };
  const others = backends
    .filter(({ weight }) => weight > 0)
    .slice(0, MOST_BACKENDS)
    .flatMap((backend): Sent[] => {
      const place = { address: backend.address, port: backend.port, isLocal: false };
      const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;
      const there = { protocol, destination: place, isAnswer: false };
      const back = { protocol, source: place, isAnswer: true };
      return [
        { packet: there, hooks, to: 'backend', what: `packets to the backend ${endpointKey(place)}` },
        { packet: back, hooks, to: 'backend', what: `answers of the backend ${endpointKey(place)}` },
      ];
    });
  return [toVip, ...others];
}

const AT_VIP = ['not-at-ipvs', 'vip-refuses', 'no-answer', 'client-unreachable'] as const;
const AT_BACKEND = ['backend-silent', 'backend-refuses', 'backend-unreachable'] as const;
/** The symptoms of each. */
const EXPLAINS = {
  vip: AT_VIP,
  backend: [...AT_BACKEND, ...AT_VIP],
  translation: ['answered-elsewhere', ...AT_VIP],
} as const satisfies Record<string, readonly Cause[]>;

function suspectOf({ kind, by, sure }: Fate, { to, what, packet }: Sent): Found | null {
  // Whom an answer goes to is not known, so a rule that may match it most likely does not.
  if (packet.isAnswer && !sure && kind !== 'policy') return null;
  // That a program translates what goes to a backend is its own affair.
  if (kind === 'translate' && to === 'backend') return null;
  const may = sure ? '' : 'may ';
  const common = { state: 'suspect', sure } as const;
  if (kind === 'translate') {
    return {
      ...common,
      cause: 'filter-translates',
      found: `${what} ${may}go elsewhere by ${by}`,
      fix: 'let that rule leave the pool out, or have this host filter with nftables (marathon-ipvs doctor), which keeps such rules away from VIPs',
      explains: EXPLAINS.translation,
    };
  }
  const cause = kind === 'policy' ? 'filter-policy' : to === 'vip' ? 'filter-drops' : 'filter-drops-backend';
  const verb = kind === 'reject' ? 'rejected' : 'dropped';
  return {
    ...common,
    cause,
    found: `${what} ${may === '' ? 'are' : 'may be'} ${verb} by ${by}`,
    fix: 'let the program that made it accept them: a rule of ours cannot undo it',
    // A policy is for both.
    explains: EXPLAINS[kind === 'policy' ? 'backend' : to],
  };
}
