import type { Action, Chain, Hook, Rule, Test } from './chain.ts';
import { inNetworks, inPorts, inStates, isLocal, isProtocol, not, undecidable } from './tests.ts';

const HOOKS: Readonly<Record<string, Hook>> = {
  PREROUTING: 'prerouting',
  INPUT: 'input',
  FORWARD: 'forward',
  OUTPUT: 'output',
  POSTROUTING: 'postrouting',
};

/** Parses the output of `iptables-save` or `ip6tables-save`. */
export function parseIptables(text: string, family: 'ip' | 'ip6'): Chain[] {
  const chains = new Map<string, { base: Chain['base']; rules: Rule[] }>();
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim();
    const [, declared, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (declared !== undefined) {
      const hook = HOOKS[declared];
      const base = hook && {
        hook,
        dropsByDefault: policy === 'DROP',
        ipv4: family === 'ip',
        ipv6: family === 'ip6',
      };
      chains.set(`${family} ${table} ${declared}`, { base: base ?? null, rules: [] });
    }
    const [, chain, rest] = /^-A (\S+) ?(.*)$/.exec(line) ?? [];
    if (chain !== undefined)
      chains.get(`${family} ${table} ${chain}`)?.rules.push(toRule(line, rest ?? '', `${family} ${table}`));
  }
  return [...chains].map(([name, { base, rules }]) => ({ name, base, rules }));
}

function toRule(line: string, rest: string, table: string): Rule {
  const words = rest.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const tests: Test[] = [];
  let action: Action = { kind: 'other' };
  let negated = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '!') {
      negated = true;
      continue;
    }
    if (!word.startsWith('-')) continue;
    const value = words[at + 1] ?? '';
    if (word === '-j' || word === '-g') {
      action = toAction(value, word === '-g', table);
      // The rest are options of the target.
      break;
    }
    const test = toTest(word, value);
    if (test !== null) tests.push(negated ? not(test) : test);
    negated = false;
  }
  return { text: line, tests, action };
}

/** Returns null for an option that tests nothing by itself (`-m tcp`, a comment). */
function toTest(word: string, value: string): Test | null {
  switch (word) {
    case '-m':
      // The options of an unknown match follow, and are undecidable.
      return null;
    case '--comment':
    case '--dst-type-limit':
      return null;
    case '-p':
      return isProtocol([value]);
    case '-d':
      return inNetworks('destination', value.split(','));
    case '-s':
      return inNetworks('source', value.split(','));
    case '--dport':
    case '--dports':
      return inPorts('destination', rangesOf(value));
    case '--sport':
    case '--sports':
      return inPorts('source', rangesOf(value));
    case '--state':
    case '--ctstate':
      return inStates(value.split(','));
    case '--dst-type':
      return value === 'LOCAL' ? isLocal('destination') : undecidable;
    case '--src-type':
      return value === 'LOCAL' ? isLocal('source') : undecidable;
    default:
      return undecidable;
  }
}

function rangesOf(text: string): [number, number][] {
  return text.split(',').map((part) => {
    const [first = '', last = first] = part.split(':');
    return [Number(first || 0), Number(last || 65_535)];
  });
}

function toAction(target: string, isGoto: boolean, table: string): Action {
  switch (target) {
    case 'ACCEPT':
      return { kind: 'accept' };
    case 'DROP':
      return { kind: 'drop' };
    case 'REJECT':
      return { kind: 'reject' };
    case 'RETURN':
      return { kind: 'return' };
    case 'DNAT':
    case 'REDIRECT':
      return { kind: 'translate' };
    default:
      // A target that is no chain (LOG, MARK) is not found later, and has no effect.
      return { kind: isGoto ? 'goto' : 'jump', chain: `${table} ${target}` };
  }
}
