/** Encodes our table as the messages of one transaction. Attributes have the order of `nft`, with whose bytes tests compare. */

import { createHash } from 'node:crypto';
import {
  attrTable,
  be32,
  be64,
  cstring,
  HOST_IS_LE,
  list,
  nested,
  raw,
  type TransactionMessage,
} from 'ipvs-netlink-ts/netlink';
import { expressionAttrs } from './expressions.ts';
import { type Chain, type FilterSet, type Rule, type Ruleset, TABLE } from './ruleset.ts';

export const NFNL_SUBSYS_NFTABLES = 10;
// biome-ignore format: aligned table
export const NFT_MSG = {
  newTable: 0xa00, deleteTable: 0xa02, getTable: 0xa01, newChain: 0xa03, getChain: 0xa04, newRule: 0xa06, getRule: 0xa07,
  newSet: 0xa09, newElements: 0xa0c, getElements: 0xa0d, deleteElements: 0xa0e, getGeneration: 0xa10,
} as const;
const NFPROTO_INET = 1;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;
const NF_ACCEPT = 1;

// biome-ignore-start format: aligned tables
export const tableAttrs = attrTable('table', {
  name: { type: 1, codec: cstring },
  flags: { type: 2, codec: be32 },
  use: { type: 3, codec: be32 },
});
const hookAttrs = attrTable('hook', { number: { type: 1, codec: be32 }, priority: { type: 2, codec: be32 } });
export const chainAttrs = attrTable('chain', {
  table: { type: 1, codec: cstring },
  name: { type: 3, codec: cstring },
  kind: { type: 7, codec: cstring },
  policy: { type: 5, codec: be32 },
  hook: { type: 4, codec: nested(hookAttrs) },
});
export const ruleAttrs = attrTable('rule', {
  table: { type: 1, codec: cstring },
  chain: { type: 2, codec: cstring },
  expressions: { type: 4, codec: list(expressionAttrs, 1) },
  userdata: { type: 7, codec: raw },
});
const sizeAttrs = attrTable('set description', { size: { type: 1, codec: be32 } });
const setAttrs = attrTable('set', {
  table: { type: 1, codec: cstring },
  name: { type: 2, codec: cstring },
  flags: { type: 3, codec: be32 },
  keyType: { type: 4, codec: be32 },
  keyLength: { type: 5, codec: be32 },
  id: { type: 10, codec: be32 },
  description: { type: 9, codec: nested(sizeAttrs) },
  timeoutMs: { type: 11, codec: be64 },
  userdata: { type: 13, codec: raw },
});
const keyAttrs = attrTable('key', { value: { type: 1, codec: raw } });
const elementAttrs = attrTable('element', {
  flags: { type: 3, codec: be32 },
  key: { type: 1, codec: nested(keyAttrs) },
});
export const elementsAttrs = attrTable('elements', {
  table: { type: 1, codec: cstring },
  set: { type: 2, codec: cstring },
  setId: { type: 4, codec: be32 },
  elements: { type: 3, codec: list(elementAttrs, 'counted') },
});
// biome-ignore-end format: aligned tables

/** Marks the end of a range (NFT_SET_ELEM_INTERVAL_END). */
export const INTERVAL_END = 1;

/** A message, and the part of the ruleset that it adds; `part` null: the table itself. */
export interface FilterMessage extends TransactionMessage {
  readonly part: FilterSet | Chain | Rule | null;
}

/**
 * The messages that replace our table. The table is added (a no-op when it exists) and deleted before it is added with its
 * contents. The last message changes nothing: the kernel reports the refusal of a whole transaction as its error.
 */
export function replaceTable(ruleset: Ruleset): readonly FilterMessage[] {
  const mark = fingerprint(ruleset);
  return [
    addTable(),
    tableMessage(NFT_MSG.deleteTable, 'delete', {}),
    addTable(),
    ...ruleset.sets.flatMap((set) => [newSet(set), ...newElements(set)]),
    ...ruleset.chains.map(newChain),
    ...ruleset.chains.flatMap((chain) => chain.rules.map((rule) => newRule(chain, rule, mark))),
    addTable(),
  ];
}

/** The messages that replace the members of the address sets and leave the rest of the table as it is. */
export function replaceElements(sets: readonly FilterSet[]): readonly FilterMessage[] {
  const messages = sets.flatMap((set) => [
    elementsMessage(NFT_MSG.deleteElements, 0, `empty set ${set.name}`, set, null),
    ...newElements(set),
  ]);
  return [...messages, addTable()];
}

/** The message that removes our table, which must exist. */
export function deleteTable(): readonly FilterMessage[] {
  return [tableMessage(NFT_MSG.deleteTable, 'delete', {})];
}

/** The userdata of a rule: its comment, as `nft list` shows it, and the hash of the whole ruleset. */
export function userdataOf({ comment }: Rule, mark: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(`${comment}\0`);
  return Uint8Array.from([COMMENT, text.length, ...text, MARK, mark.length, ...mark]);
}

/** Types of the values in userdata; `nft` skips those that it does not know. */
const COMMENT = 0;
const MARK = 0x6d;

/** A hash of eight bytes over sets, chains and rules, without the members of sets. */
export function fingerprint({ sets, chains }: Ruleset): Uint8Array {
  const hash = createHash('sha256');
  for (const set of sets) hash.update(newSet(set).payload);
  for (const chain of chains) {
    hash.update(newChain(chain).payload);
    for (const rule of chain.rules) hash.update(newRule(chain, rule, new Uint8Array()).payload);
  }
  return new Uint8Array(hash.digest().subarray(0, 8));
}

/** struct nfgenmsg, the start of each message: family, version, resource. */
export function inet(attributes: Uint8Array): Uint8Array {
  return Uint8Array.from([NFPROTO_INET, 0, 0, 0, ...attributes]);
}

function addTable(): FilterMessage {
  return tableMessage(NFT_MSG.newTable, 'add', { flags: 0 });
}

function tableMessage(type: number, verb: string, attributes: { readonly flags?: number }): FilterMessage {
  const payload = inet(tableAttrs.write({ name: TABLE.name, ...attributes }));
  return { type, flags: 0, payload, what: `${verb} table ${TABLE.family} ${TABLE.name}`, part: null };
}

const NFT_SET = { interval: 0x4, timeout: 0x10, filledByPackets: 0x20 } as const;
/** `nft`'s own numbers for the types of keys; a key of two parts has both, six bits each. */
const KEY_TYPE = { ipv4: 7, ipv6: 8, interfaces: (20 << 6) | 20 } as const;
const KEY_LENGTH = { ipv4: 4, ipv6: 16, interfaces: 8 } as const;
const DAY_MS = 86_400_000n;

function newSet(set: FilterSet): FilterMessage {
  const { name, kind, id } = set;
  const common = { table: TABLE.name, name, keyType: KEY_TYPE[kind], keyLength: KEY_LENGTH[kind], id };
  const attributes =
    kind === 'interfaces'
      ? {
          flags: NFT_SET.timeout | NFT_SET.filledByPackets,
          description: { size: 4096 },
          timeoutMs: DAY_MS,
        }
      : { flags: NFT_SET.interval, userdata: KEY_IS_BIG_ENDIAN };
  const payload = inet(setAttrs.write({ ...common, ...attributes }));
  return { type: NFT_MSG.newSet, flags: NLM_F_CREATE, payload, what: `add set ${name}`, part: set };
}

/** For `nft list`: the byte order of keys (type 0, a number in host order) is big-endian (2). */
const KEY_IS_BIG_ENDIAN = Uint8Array.from(HOST_IS_LE ? [0, 4, 2, 0, 0, 0] : [0, 4, 0, 0, 0, 2]);

/** An attribute holds 64 KiB, and an element takes at most 40 bytes. */
const ELEMENTS_PER_MESSAGE = 1_000;

function newElements(set: FilterSet): FilterMessage[] {
  const messages: FilterMessage[] = [];
  const members = set.members ?? [];
  for (let at = 0; at < members.length; at += ELEMENTS_PER_MESSAGE) {
    const elements = members.slice(at, at + ELEMENTS_PER_MESSAGE).map(({ key, end }) => ({
      ...(end && { flags: INTERVAL_END }),
      key: { value: key },
    }));
    messages.push(elementsMessage(NFT_MSG.newElements, NLM_F_CREATE, `fill set ${set.name}`, set, elements));
  }
  return messages;
}

function elementsMessage(
  type: number,
  flags: number,
  what: string,
  set: FilterSet,
  elements: Parameters<typeof elementsAttrs.write>[0]['elements'] | null,
): FilterMessage {
  const attributes = { table: TABLE.name, set: set.name };
  const filled = elements === null ? attributes : { ...attributes, setId: set.id, elements };
  return { type, flags, payload: inet(elementsAttrs.write(filled)), what, part: set };
}

function newChain(chain: Chain): FilterMessage {
  const { name, type: kind, hook, priority } = chain;
  const payload = inet(
    chainAttrs.write({
      table: TABLE.name,
      name,
      kind,
      policy: NF_ACCEPT,
      hook: { number: hook, priority: priority >>> 0 },
    }),
  );
  return { type: NFT_MSG.newChain, flags: NLM_F_CREATE, payload, what: `add chain ${name}`, part: chain };
}

function newRule(chain: Chain, rule: Rule, mark: Uint8Array): FilterMessage {
  const userdata = userdataOf(rule, mark);
  const payload = inet(
    ruleAttrs.write({ table: TABLE.name, chain: chain.name, expressions: rule.expressions, userdata }),
  );
  const what = `add rule "${rule.comment}" to chain ${chain.name}`;
  return { type: NFT_MSG.newRule, flags: NLM_F_CREATE | NLM_F_APPEND, payload, what, part: rule };
}
