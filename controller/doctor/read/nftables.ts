/** Reads nftables base chains over netlink, without `nft`. <linux/netfilter/nf_tables.h> */

import { isIpvsError } from 'ipvs-netlink-ts';
import { attrTable, be32, cstring, NLM_F, nested, openNetlink } from 'ipvs-netlink-ts/netlink';
import { messageOf } from '../../errors.ts';
import type { ChainFact, NftablesFact } from '../facts.ts';

const NETLINK_NETFILTER = 12;
/** NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN */
const GET_CHAIN = (10 << 8) | 4;
/** struct nfgenmsg: family, version, resource. */
const HEADER = 4;

const hookAttrs = attrTable('chain hook', {
  number: { type: 1, codec: be32 },
  priority: { type: 2, codec: be32 },
});
const chainAttrs = attrTable('chain', {
  table: { type: 1, codec: cstring },
  name: { type: 3, codec: cstring },
  hook: { type: 4, codec: nested(hookAttrs) },
  policy: { type: 5, codec: be32 },
});

const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;
const FAMILIES: Readonly<Record<number, string>> = {
  1: 'inet',
  2: 'ip',
  3: 'arp',
  5: 'netdev',
  7: 'bridge',
  10: 'ip6',
};
const NF_DROP = 0;

/** Reads all base chains of this network namespace. Never rejects. */
export async function readNftables(): Promise<NftablesFact> {
  try {
    const socket = openNetlink(NETLINK_NETFILTER);
    try {
      const replies = await socket.request(
        GET_CHAIN,
        NLM_F.DUMP,
        new Uint8Array(HEADER),
        'list chains of nftables',
      );
      return { chains: replies.flatMap(toChain) };
    } finally {
      socket.close();
    }
  } catch (error) {
    return { error: messageOf(error), denied: isIpvsError(error, 'not-permitted') };
  }
}

function toChain(reply: Uint8Array): ChainFact[] {
  const { table, name, hook, policy } = chainAttrs.read(reply.subarray(HEADER));
  // A chain without a hook sees packets only if another chain jumps to it.
  if (hook === undefined || policy === undefined) return [];
  const family = FAMILIES[reply[0] ?? 0] ?? 'unknown';
  // The hook numbers mean something else for arp, bridge and netdev.
  const isIp = family === 'inet' || family === 'ip' || family === 'ip6';
  return [
    {
      name: `${family} ${table} ${name}`,
      family,
      hook: (isIp ? HOOKS[hook.number ?? -1] : undefined) ?? 'other',
      priority: (hook.priority ?? 0) | 0,
      dropsByDefault: policy === NF_DROP,
    },
  ];
}
