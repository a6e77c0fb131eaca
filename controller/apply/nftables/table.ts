/** Reads, compares and replaces our table in the kernel. */

import { isIpvsError, type Netlink, NLM_F, openNetlink, type Refusal } from 'ipvs-netlink-ts/netlink';
import {
  chainAttrs,
  deleteTable,
  elementsAttrs,
  type FilterMessage,
  fingerprint,
  INTERVAL_END,
  inet,
  NFNL_SUBSYS_NFTABLES,
  NFT_MSG,
  replaceElements,
  replaceTable,
  ruleAttrs,
  tableAttrs,
  userdataOf,
} from './encode.ts';
import { type Chain, type FilterSet, type Ruleset, TABLE } from './ruleset.ts';

const NETLINK_NETFILTER = 12;
/** struct nfgenmsg. */
const HEADER = 4;

/** The difference between our table and the desired one; both fields are empty when there is none. */
export interface Difference {
  /** Differences of the table, its chains and rules. */
  readonly structure: readonly string[];
  /** The sets whose members differ. */
  readonly sets: readonly FilterSet[];
}

/** A message that the kernel refused, and the part of the ruleset that it would have added. */
export interface RefusedPart {
  readonly message: FilterMessage;
  readonly error: Refusal['error'];
}

/** Access to nf_tables of this network namespace. Rejects with the library's `IpvsError`; EPERM is `not-permitted`. */
export class FilterTable {
  readonly #open: () => Netlink;
  #socket: Netlink | null = null;

  constructor(open: () => Netlink = () => openNetlink(NETLINK_NETFILTER)) {
    this.#open = open;
  }

  /** A number that changes with every change of any table. */
  async generation(): Promise<string> {
    const [reply] = await this.#get(NFT_MSG.getGeneration, 0, new Uint8Array(), 'read the generation');
    return reply === undefined ? '' : Buffer.from(reply.subarray(HEADER, HEADER + 8)).toString('hex');
  }

  async exists(): Promise<boolean> {
    return (await this.#use()) !== null;
  }

  /** Compares the table in the kernel with `wanted`. */
  async compare(wanted: Ruleset): Promise<Difference> {
    const use = await this.#use();
    if (use === null) return { structure: ['it was missing'], sets: [] };
    const structure: string[] = [];
    const parts = wanted.sets.length + wanted.chains.length;
    if (use !== parts) structure.push(`it had ${use} sets and chains, not ${parts}`);
    for (const chain of wanted.chains) {
      if (!(await this.#hasChain(chain))) structure.push(`chain ${chain.name} was not as written`);
    }
    structure.push(...this.#compareRules(wanted, await this.#rules()));

    const sets: FilterSet[] = [];
    for (const set of wanted.sets) {
      const members = await this.#members(set);
      if (members === null) structure.push(`set ${set.name} was missing`);
      else if (set.members !== null && members !== keysOf(set)) sets.push(set);
    }
    return { structure, sets };
  }

  /** Replaces the whole table. Resolves with refusals, in which case nothing has changed. */
  replace(wanted: Ruleset): Promise<readonly RefusedPart[]> {
    return this.#transact(replaceTable(wanted));
  }

  /** Replaces the members of these sets. */
  refill(sets: readonly FilterSet[]): Promise<readonly RefusedPart[]> {
    return this.#transact(replaceElements(sets));
  }

  /** Resolves with false when there was no table. */
  async remove(): Promise<boolean> {
    if (!(await this.exists())) return false;
    const [refused] = await this.#transact(deleteTable());
    if (refused !== undefined) throw refused.error;
    return true;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  /** The number of chains and sets in the table; null when there is no table. */
  async #use(): Promise<number | null> {
    const request = tableAttrs.write({ name: TABLE.name });
    const [reply] = await this.#found(NFT_MSG.getTable, 0, request, 'read the table');
    return reply === undefined ? null : (tableAttrs.read(reply.subarray(HEADER)).use ?? 0);
  }

  async #hasChain({ name, type, hook, priority }: Chain): Promise<boolean> {
    const request = chainAttrs.write({ table: TABLE.name, name });
    const [reply] = await this.#found(NFT_MSG.getChain, 0, request, `read chain ${name}`);
    if (reply === undefined) return false;
    const { kind, hook: at } = chainAttrs.read(reply.subarray(HEADER));
    return kind === type && at?.number === hook && at.priority === priority >>> 0;
  }

  /** The userdata of the rules, by chain. */
  async #rules(): Promise<ReadonlyMap<string, readonly string[]>> {
    const request = ruleAttrs.write({ table: TABLE.name });
    const rules = new Map<string, string[]>();
    for (const reply of await this.#found(NFT_MSG.getRule, NLM_F.DUMP, request, 'list rules')) {
      const { table, chain = '', userdata = new Uint8Array() } = ruleAttrs.read(reply.subarray(HEADER));
      // Linux before 4.9 lists the rules of all tables.
      if (table !== TABLE.name) continue;
      const ofChain = rules.get(chain) ?? [];
      ofChain.push(hex(userdata));
      rules.set(chain, ofChain);
    }
    return rules;
  }

  #compareRules(wanted: Ruleset, found: ReadonlyMap<string, readonly string[]>): string[] {
    const mark = fingerprint(wanted);
    return wanted.chains
      .filter(({ name, rules }) => {
        const had = found.get(name) ?? [];
        return had.join() !== rules.map((rule) => hex(userdataOf(rule, mark))).join();
      })
      .map(({ name }) => `rules of chain ${name} were not as written`);
  }

  /** The members of a set, as text for comparison; null when there is no such set. */
  async #members(set: FilterSet): Promise<string | null> {
    const request = elementsAttrs.write({ table: TABLE.name, set: set.name });
    const what = `list set ${set.name}`;
    const replies = await this.#get(NFT_MSG.getElements, NLM_F.DUMP, request, what).catch(nullIfNotFound);
    if (replies === null) return null;
    const keys = replies.flatMap((reply) =>
      (elementsAttrs.read(reply.subarray(HEADER)).elements ?? []).map(({ key, flags = 0 }) =>
        memberKey(key?.value ?? new Uint8Array(), (flags & INTERVAL_END) !== 0),
      ),
    );
    return keys.sort().join();
  }

  async #transact(messages: readonly FilterMessage[]): Promise<readonly RefusedPart[]> {
    const refusals = await this.#link().transaction(NFNL_SUBSYS_NFTABLES, messages);
    return refusals.flatMap(({ index, error }) => {
      const message = messages[index];
      return message === undefined ? [] : [{ message, error }];
    });
  }

  #get(type: number, flags: number, attributes: Uint8Array, what: string): Promise<readonly Uint8Array[]> {
    return this.#link().request(type, flags, inet(attributes), what);
  }

  async #found(
    type: number,
    flags: number,
    attributes: Uint8Array,
    what: string,
  ): Promise<readonly Uint8Array[]> {
    return (await this.#get(type, flags, attributes, what).catch(nullIfNotFound)) ?? [];
  }

  #link(): Netlink {
    this.#socket ??= this.#open();
    return this.#socket;
  }
}

function nullIfNotFound(error: unknown): null {
  if (isIpvsError(error, 'not-found')) return null;
  throw error;
}

function keysOf(set: FilterSet): string {
  const keys = (set.members ?? []).map(({ key, end }) => memberKey(key, end));
  return keys.sort().join();
}

function memberKey(key: Uint8Array, end: boolean): string {
  return `${hex(key)}${end ? '!' : ''}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
