import { z } from 'zod';
import type { Action, Chain, Hook, Rule, Test } from './chain.ts';
import {
  allOf,
  anyOf,
  inNetworks,
  inPorts,
  inStates,
  isLocal,
  isProtocol,
  not,
  undecidable,
} from './tests.ts';

const HOOKS: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
const FAMILIES: readonly string[] = ['ip', 'ip6', 'inet'];

const place = { family: z.string(), table: z.string() };
const chain = z.object({
  ...place,
  name: z.string(),
  hook: z.string().optional(),
  policy: z.string().optional(),
});
const rule = z.object({ ...place, chain: z.string(), expr: z.array(z.record(z.string(), z.unknown())) });
const set = z.object({ ...place, name: z.string(), elem: z.array(z.unknown()).optional() });
const listing = z.object({
  nftables: z.array(
    z.object({ chain: chain.optional(), rule: rule.optional(), set: set.optional(), map: set.optional() }),
  ),
});

/** The elements of sets and maps, by name. */
type Sets = ReadonlyMap<string, readonly unknown[]>;

/** Parses the output of `nft -j list ruleset`, without the chains of the table `skip` (`FAMILY TABLE`). Throws if it is malformed. */
export function parseNftables(json: string, skip: string): Chain[] {
  const { nftables } = listing.parse(JSON.parse(json));
  const sets: Map<string, readonly unknown[]> = new Map();
  const rules = new Map<string, Rule[]>();
  for (const { set: found, map: orMap } of nftables) {
    const named = found ?? orMap;
    if (named !== undefined) sets.set(`${named.family} ${named.table} @${named.name}`, named.elem ?? []);
  }
  for (const { rule: found } of nftables) {
    if (found === undefined) continue;
    const name = `${found.family} ${found.table} ${found.chain}`;
    rules.set(name, [...(rules.get(name) ?? []), ...toRules(found, sets)]);
  }
  return nftables.flatMap(({ chain: found }): Chain[] => {
    if (found === undefined || !FAMILIES.includes(found.family)) return [];
    if (`${found.family} ${found.table}` === skip) return [];
    const name = `${found.family} ${found.table} ${found.name}`;
    const hook = HOOKS.find((each) => each === found.hook);
    const families = { ipv4: found.family !== 'ip6', ipv6: found.family !== 'ip' };
    const base = hook === undefined ? null : { hook, dropsByDefault: found.policy === 'drop', ...families };
    return [{ name, base, rules: rules.get(name) ?? [] }];
  });
}

/** Converts a rule; one with a verdict map gives a rule for each element. */
function toRules({ family, table, expr }: z.infer<typeof rule>, sets: Sets): Rule[] {
  const owner = `${family} ${table}`;
  const text = JSON.stringify(expr);
  const tests: Test[] = [];
  let action: Action = { kind: 'other' };
  for (const statement of expr) {
    const [key = ''] = Object.keys(statement);
    const value = statement[key];
    if (key === 'match') tests.push(toTest(value, owner, sets));
    else if (key === 'vmap') {
      // No statement after a verdict map has an effect.
      return verdictsOf(value, owner, sets).map(({ test, action: verdict }) => ({
        text,
        tests: [...tests, test],
        action: verdict,
      }));
    } else {
      const found = toAction(key, value, owner);
      if (found === 'undecidable') tests.push(undecidable);
      else if (found !== null) action = found;
    }
  }
  return [{ text, tests, action }];
}

const verdictMap = z.object({ key: z.record(z.string(), z.unknown()), data: z.unknown() });
const verdictOf = z.tuple([z.unknown(), z.record(z.string(), z.unknown())]);

/** The verdict of a map for each value of its key; empty if its elements are unknown. */
function verdictsOf(value: unknown, table: string, sets: Sets): { test: Test; action: Action }[] {
  const { data: map } = verdictMap.safeParse(value);
  if (map === undefined) return [];
  return (valuesOf(map.data, table, sets) ?? []).flatMap((element) => {
    const { data: pair } = verdictOf.safeParse(element);
    if (pair === undefined) return [];
    const [right, verdict] = pair;
    const [kind = ''] = Object.keys(verdict);
    const action = toAction(kind, verdict[kind], table);
    if (action === null || action === 'undecidable') return [];
    return [{ test: ofLeft(map.key, (valuesOf(right, table, sets) ?? []).map(bare)), action }];
  });
}

const VERDICTS = {
  accept: 'accept',
  drop: 'drop',
  reject: 'reject',
  return: 'return',
  dnat: 'translate',
  redirect: 'translate',
} as const;
/** Statements that let every packet continue. */
const HARMLESS: readonly string[] = ['counter', 'log', 'masquerade', 'snat', 'mangle', 'notrack', 'set'];

/** Returns null for a statement without effect, and `undecidable` for one that may or may not let a packet continue. */
function toAction(key: string, value: unknown, table: string): Action | 'undecidable' | null {
  const kind = VERDICTS[key as keyof typeof VERDICTS];
  if (kind !== undefined) return { kind };
  if (key === 'jump' || key === 'goto') {
    const { target } = z.object({ target: z.string() }).parse(value);
    return { kind: key, chain: `${table} ${target}` };
  }
  return HARMLESS.includes(key) ? null : 'undecidable';
}

const match = z.object({ op: z.string(), left: z.record(z.string(), z.unknown()), right: z.unknown() });
const payload = z.object({ protocol: z.string(), field: z.string() });
const keyed = z.object({ key: z.string() });
const fields = z.array(z.record(z.string(), z.unknown()));
const parts = z.object({ concat: z.array(z.unknown()) });
const fib = z.object({ result: z.string(), flags: z.array(z.string()) });

function toTest(value: unknown, table: string, sets: Sets): Test {
  const { data } = match.safeParse(value);
  if (data === undefined) return undecidable;
  const right = valuesOf(data.right, table, sets);
  const test = right === null ? undecidable : ofLeft(data.left, right);
  return data.op === '!=' ? not(test) : test;
}

function ofLeft(left: Readonly<Record<string, unknown>>, right: readonly unknown[]): Test {
  const joined = fields.safeParse(left['concat']).data;
  if (joined !== undefined) return anyOf(right.map((value) => ofJoined(joined, value)));
  const field = payload.safeParse(left['payload']).data;
  if (field?.field === 'daddr') return inNetworks('destination', right.flatMap(networkOf));
  if (field?.field === 'saddr') return inNetworks('source', right.flatMap(networkOf));
  if (field?.field === 'dport' || field?.field === 'sport') {
    const ports = inPorts(field.field === 'dport' ? 'destination' : 'source', right.flatMap(rangeOf));
    const rightProtocol = field.protocol === 'th' ? () => true : isProtocol([field.protocol]);
    return (packet) => (rightProtocol(packet) === false ? false : ports(packet));
  }
  if (field?.field === 'protocol' || field?.field === 'nexthdr') return isProtocol(right.map(String));
  const meta = keyed.safeParse(left['meta']).data?.key;
  if (meta === 'l4proto') return isProtocol(right.map(String));
  if (meta === 'nfproto')
    return ({ destination, source }) =>
      right.includes((destination ?? source)?.address.includes(':') ? 'ipv6' : 'ipv4');
  if (keyed.safeParse(left['ct']).data?.key === 'state') return inStates(right.map(String));
  const type = fib.safeParse(left['fib']).data;
  if (type?.result === 'type' && right.includes('local') && type.flags.length === 1) {
    return isLocal(type.flags[0] === 'saddr' ? 'source' : 'destination');
  }
  return undecidable;
}

/** Tests several fields at once (`ip daddr . tcp dport`) against one value. */
function ofJoined(joined: z.infer<typeof fields>, value: unknown): Test {
  const values = parts.safeParse(value).data?.concat;
  if (values?.length !== joined.length) return undecidable;
  return allOf(joined.map((left, at) => ofLeft(left, [values[at]])));
}

/** The values of the right-hand side, resolving a named set; null if unknown. */
function valuesOf(right: unknown, table: string, sets: Sets): readonly unknown[] | null {
  if (typeof right === 'string' && right.startsWith('@'))
    return sets.get(`${table} ${right}`)?.map(bare) ?? null;
  const inline = z.object({ set: z.array(z.unknown()) }).safeParse(right).data;
  return (inline?.set ?? (Array.isArray(right) ? right : [right])).map(bare);
}

const element = z.object({ elem: z.object({ val: z.unknown() }) });

/** Unwraps the value of an element that also has a timeout, a counter or a comment. */
function bare(value: unknown): unknown {
  const found = element.safeParse(value).data;
  return found === undefined ? value : found.elem.val;
}

const prefix = z.object({ prefix: z.object({ addr: z.string(), len: z.int() }) });
const range = z.object({ range: z.tuple([z.int(), z.int()]) });
const addresses = z.object({ range: z.tuple([z.string(), z.string()]) });

function networkOf(value: unknown): string[] {
  const found = prefix.safeParse(value).data?.prefix;
  if (found !== undefined) return [`${found.addr}/${found.len}`];
  const between = addresses.safeParse(value).data?.range;
  if (between !== undefined) return [between.join('-')];
  return typeof value === 'string' ? [value] : [];
}

function rangeOf(value: unknown): [number, number][] {
  if (typeof value === 'number') return [[value, value]];
  const found = range.safeParse(value).data?.range;
  return found === undefined ? [] : [found];
}
