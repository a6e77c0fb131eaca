import type { Target } from '../model/ejection.ts';
import { type Agents, PROVEN, type Verdict } from './agents.ts';
import type { Backends } from './backends.ts';
import type { Failure, Watched } from './watched.ts';

/** What a verdict is based on, besides the failure itself. */
interface Evidence {
  readonly now: number;
  /** Agents whose probes are still running. They count as failed, since they may yet show that this host is at fault. */
  readonly probed: readonly string[];
  readonly watched: Iterable<Watched>;
}

/** Decides whether a failed probe is the backend's fault or may be this host's. */
export class Verdicts {
  readonly #backends: Backends;
  readonly #agents: Agents;

  constructor(backends: Backends, agents: Agents) {
    this.#backends = backends;
    this.#agents = agents;
  }

  of({ agent, protocol }: Target, { result, during }: Failure, { now, probed, watched }: Evidence): Verdict {
    // A network failure of this host does not cut it off from its own backends.
    if (this.#backends.isThisHost(agent)) return PROVEN;
    const verdict = this.#agents.verdict(agent, during, now, probed);
    return verdict.isProven || protocol === 'tcp' || result !== 'refused'
      ? verdict
      : this.#ofRefusal(watched);
  }

  /**
   * The verdict on a refused UDP backend. Its ICMP error comes from its agent, unless a device on the path refuses for all
   * agents. So at most half of the agents with UDP backends may refuse.
   */
  #ofRefusal(watched: Iterable<Watched>): Verdict {
    const refusing = new Set<string>();
    for (const { phase, ejection, target } of watched)
      if (target.protocol === 'udp' && (phase === 'suspect' || ejection?.cause === 'refused'))
        refusing.add(target.agent);
    const others = this.#backends.onOtherAgents('udp', refusing, refusing.size).length;
    return { isProven: others >= refusing.size, failing: refusing.size, answering: others };
  }
}
