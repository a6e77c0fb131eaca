import { z } from 'zod';
import type { Action, Chain, Hook, Rule, Test } from './chain.ts';
import { inNetworks, inPorts, inStates, isLocal, isProtocol, not, untold } from './tests.ts';

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
  nftables: z.array(z.object({ chain: chain.optional(), rule: rule.optional(), set: set.optional() })),
});

type Sets = ReadonlyMap<string, readonly unknown[]>;

/** Reads what `nft -j list ruleset` prints. `skip`: family and table whose chains are left out. Throws where it is no such listing. */
export function parseNftables(json: string, skip: string): Chain[] {
  const { nftables } = listing.parse(JSON.parse(json));
  const sets: Map<string, readonly unknown[]> = new Map();
  const rules = new Map<string, Rule[]>();
  for (const item of nftables) {
    if (item.set !== undefined)
      sets.set(`${item.set.family} ${item.set.table} @${item.set.name}`, item.set.elem ?? []);
  }
  for (const { rule: found } of nftables) {
    if (found === undefined) continue;
    const name = `${found.family} ${found.table} ${found.chain}`;
    rules.set(name, [...(rules.get(name) ?? []), toRule(found, sets)]);
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

function toRule({ family, table, expr }: z.infer<typeof rule>, sets: Sets): Rule {
  const tests: Test[] = [];
  let action: Action = { kind: 'other' };
  for (const statement of expr) {
    const [key = ''] = Object.keys(statement);
    if (key === 'match') tests.push(toTest(statement[key], `${family} ${table}`, sets));
    else {
      const found = toAction(key, statement[key], `${family} ${table}`);
      if (found === 'untold') tests.push(untold);
      else if (found !== null) action = found;
    }
  }
  return { text: JSON.stringify(expr), tests, action };
}

const VERDICTS = {
  accept: 'accept',
  drop: 'drop',
  reject: 'reject',
  return: 'return',
  dnat: 'translate',
  redirect: 'translate',
} as const;
/** They do something, and let every packet on. */
const HARMLESS: readonly string[] = ['counter', 'log', 'masquerade', 'snat', 'mangle', 'notrack', 'set'];

/** null: it decides nothing. `untold`: it may keep a packet from what follows. */
function toAction(key: string, value: unknown, table: string): Action | 'untold' | null {
  const kind = VERDICTS[key as keyof typeof VERDICTS];
  if (kind !== undefined) return { kind };
  if (key === 'jump' || key === 'goto') {
    const { target } = z.object({ target: z.string() }).parse(value);
    return { kind: key, chain: `${table} ${target}` };
  }
  return HARMLESS.includes(key) ? null : 'untold';
}

const match = z.object({ op: z.string(), left: z.record(z.string(), z.unknown()), right: z.unknown() });
const payload = z.object({ protocol: z.string(), field: z.string() });
const keyed = z.object({ key: z.string() });
const fib = z.object({ result: z.string(), flags: z.array(z.string()) });

function toTest(value: unknown, table: string, sets: Sets): Test {
  const { data } = match.safeParse(value);
  if (data === undefined) return untold;
  const right = valuesOf(data.right, table, sets);
  const test = right === null ? untold : ofLeft(data.left, right);
  return data.op === '!=' ? not(test) : test;
}

function ofLeft(left: Readonly<Record<string, unknown>>, right: readonly unknown[]): Test {
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
  return untold;
}

/** The values of the right side, those of a named set too; null where they cannot be told. */
function valuesOf(right: unknown, table: string, sets: Sets): readonly unknown[] | null {
  if (typeof right === 'string' && right.startsWith('@')) return sets.get(`${table} ${right}`) ?? null;
  const inline = z.object({ set: z.array(z.unknown()) }).safeParse(right).data;
  if (inline !== undefined) return inline.set;
  return Array.isArray(right) ? right : [right];
}

const prefix = z.object({ prefix: z.object({ addr: z.string(), len: z.int() }) });
const range = z.object({ range: z.tuple([z.int(), z.int()]) });

function networkOf(value: unknown): string[] {
  const found = prefix.safeParse(value).data?.prefix;
  if (found !== undefined) return [`${found.addr}/${found.len}`];
  return typeof value === 'string' ? [value] : [];
}

function rangeOf(value: unknown): [number, number][] {
  if (typeof value === 'number') return [[value, value]];
  const found = range.safeParse(value).data?.range;
  return found === undefined ? [] : [found];
}
