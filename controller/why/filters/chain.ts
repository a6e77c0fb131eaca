/** Chains of packet filters, of whatever kind, and what becomes of a packet in them. */

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** The first packet of a connection, or of its answer; what is not known of it (an interface) is not here. */
export interface Packet {
  readonly protocol: string;
  readonly source?: Place;
  readonly destination?: Place;
  readonly isAnswer: boolean;
}

export interface Place {
  readonly address: string;
  readonly port: number;
  /** Whether it is an address of this host. */
  readonly isLocal: boolean;
}

/** Whether a packet passes a test; null: that cannot be told. */
export type Test = (packet: Packet) => boolean | null;

export interface Rule {
  /** As its program prints it. */
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
  /** null: packets get there from other chains only. */
  readonly base: {
    readonly hook: Hook;
    readonly dropsByDefault: boolean;
    readonly ipv4: boolean;
    readonly ipv6: boolean;
  } | null;
}

/** What ends a packet's way, or sends it elsewhere. `sure`: each test of the rule could be told. */
export interface Fate {
  readonly kind: 'drop' | 'reject' | 'translate' | 'policy';
  readonly by: string;
  readonly sure: boolean;
}

/** What the base chain does to the packet; null: it lets it pass. Of rules that may match, the first that does harm counts. */
export function fateIn(chain: Chain, chains: ReadonlyMap<string, Chain>, packet: Packet): Fate | null {
  const passage = new Passage(chains, packet);
  const end = passage.through(chain, true, 0);
  if (end === 'accepted') return passage.possible;
  if (end !== null && end !== 'returned') return end;
  if (chain.base?.dropsByDefault !== true) return passage.possible;
  const by = `${chain.name}: no rule accepts it, and its policy is drop`;
  return { kind: 'policy', by, sure: passage.possible === null && !passage.mayBeAccepted };
}

type End = Fate | 'accepted' | 'returned' | null;

/** Chains may call each other, and a damaged listing in a circle. */
const DEEPEST = 16;

/** One packet on its way through a chain and those that it calls. */
class Passage {
  /** What a rule does that may match. */
  possible: Fate | null = null;
  /** Whether a rule that may match accepts it. */
  mayBeAccepted = false;
  readonly #chains: ReadonlyMap<string, Chain>;
  readonly #packet: Packet;

  constructor(chains: ReadonlyMap<string, Chain>, packet: Packet) {
    this.#chains = chains;
    this.#packet = packet;
  }

  /** `sure`: whether it surely got to this chain. */
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
    if (called === undefined || depth === DEEPEST) return null;
    const end = this.through(called, sure, depth + 1);
    if (end !== null && end !== 'returned') return sure ? end : null;
    return kind === 'goto' && sure ? 'returned' : null;
  }
}
