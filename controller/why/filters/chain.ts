/** Chains of nftables or iptables, and what they do to a packet. */

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** The first packet of a connection, or of its reply. Properties that are unknown, such as interfaces, are left out. */
export interface Packet {
  readonly protocol: string;
  readonly source?: Place;
  readonly destination?: Place;
  readonly isReply: boolean;
}

export interface Place {
  readonly address: string;
  readonly port: number;
  /** Whether it is an address of this host. */
  readonly isLocal: boolean;
}

/** Whether a packet matches; null if unknown. */
export type Test = (packet: Packet) => boolean | null;

export interface Rule {
  /** The rule as its program prints it. */
  readonly text: string;
  readonly tests: readonly Test[];
  readonly action: Action;
}

export type Action =
  | { readonly kind: 'accept' | 'drop' | 'reject' | 'translate' | 'return' | 'other' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string };

export interface Chain {
  /** With family and table: `ip filter INPUT`. */
  readonly name: string;
  readonly rules: readonly Rule[];
  /** null for a chain that only other chains jump to. */
  readonly base: {
    readonly hook: Hook;
    readonly dropsByDefault: boolean;
    readonly ipv4: boolean;
    readonly ipv6: boolean;
  } | null;
}

/** What happens to a packet that does not pass. `sure` is false if it depends on something unknown. */
export interface Fate {
  readonly kind: 'drop' | 'reject' | 'translate' | 'policy';
  readonly by: string;
  readonly sure: boolean;
}

/** Returns what a base chain does to the packet; null if it passes. Of the rules that may match, the first harmful one counts. */
export function fateIn(chain: Chain, chains: ReadonlyMap<string, Chain>, packet: Packet): Fate | null {
  const traversal = new Traversal(chains, packet);
  const end = traversal.through(chain, true, 0);
  if (end === 'accepted') return traversal.possible;
  if (end !== null && end !== 'returned') return end;
  if (chain.base?.dropsByDefault !== true) return traversal.possible;
  const by = `${chain.name}: no rule accepts it, and its policy is drop`;
  return { kind: 'policy', by, sure: traversal.possible === null && !traversal.mayBeAccepted };
}

type End = Fate | 'accepted' | 'returned' | null;

/** A damaged listing may have chains that jump in a circle. */
const MAX_DEPTH = 16;

/** Takes one packet through a chain and the chains that it jumps to. */
class Traversal {
  /** The first harm that a rule does which may match. */
  possible: Fate | null = null;
  /** Whether a rule that may match accepts the packet. */
  mayBeAccepted = false;
  readonly #chains: ReadonlyMap<string, Chain>;
  readonly #packet: Packet;

  constructor(chains: ReadonlyMap<string, Chain>, packet: Packet) {
    this.#chains = chains;
    this.#packet = packet;
  }

  /** `sure`: whether the packet certainly gets to this chain. */
  through(chain: Chain, sure: boolean, depth: number): End {
    for (const rule of chain.rules) {
      const results = rule.tests.map((test) => test(this.#packet));
      if (results.includes(false)) continue;
      const end = this.#take(rule, chain.name, sure && !results.includes(null), depth);
      if (end !== null) return end;
    }
    return null;
  }

  #take({ action, text }: Rule, where: string, sure: boolean, depth: number): End {
    switch (action.kind) {
      case 'accept':
        this.mayBeAccepted ||= !sure;
        return sure ? 'accepted' : null;
      case 'return':
        return sure ? 'returned' : null;
      case 'drop':
      case 'reject':
      case 'translate': {
        const fate = { kind: action.kind, by: `${where}: ${text}`, sure: sure && !this.mayBeAccepted };
        if (sure) return fate;
        this.possible ??= fate;
        return null;
      }
      case 'jump':
      case 'goto':
        return this.#call(action, sure, depth);
      case 'other':
        return null;
    }
  }

  #call({ kind, chain }: Extract<Action, { readonly chain: string }>, sure: boolean, depth: number): End {
    const called = this.#chains.get(chain);
    if (called === undefined || depth === MAX_DEPTH) return null;
    const end = this.through(called, sure, depth + 1);
    if (end !== null && end !== 'returned') return sure ? end : null;
    return kind === 'goto' && sure ? 'returned' : null;
  }
}
