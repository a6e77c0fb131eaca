/** The machines on which instances run: which one is next, and what ports and addresses it has left. */

export interface AgentOptions {
  /** What the API says as the task's host: a name or, most often, the address. */
  readonly hostname: string;
  /** Network namespace (`ip netns`) in which its processes run. Defaults to that of the test Marathon. */
  readonly netns?: string;
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
  /** The first to be given out. Defaults to `from`. */
  readonly first?: number;
}

export class Agent {
  readonly hostname: string;
  readonly netns: string | undefined;
  readonly id: string;
  /** Number of instances by run spec, for placement. */
  readonly load = new Map<string, number>();
  readonly #range: PortRange;
  readonly #used = new Set<number>();
  readonly #index: number;
  #nextPort: number;
  #nextContainer = 2;

  constructor(options: AgentOptions, index: number, range: PortRange) {
    this.hostname = options.hostname;
    this.netns = options.netns;
    this.id = `5ad6e2d6-7a0c-4a65-b1ac-5a9f5be0c7aa-S${index}`;
    this.#range = range;
    this.#index = index;
    this.#nextPort = range.first ?? range.from;
  }

  get running(): number {
    return [...this.load.values()].reduce((sum, count) => sum + count, 0);
  }

  /**
   * Takes the port that was asked for, or any when that is 0; null when there is none.
   *
   * A port that was given back comes round again only after all the others, so that a late packet for the old task
   * does not reach a new one.
   */
  takePort(wanted: number): number | null {
    if (wanted !== 0) {
      if (this.#used.has(wanted)) return null;
      this.#used.add(wanted);
      return wanted;
    }
    const size = this.#range.to - this.#range.from + 1;
    for (let tried = 0; tried < size; tried++) {
      const port = this.#nextPort;
      this.#nextPort = port === this.#range.to ? this.#range.from : port + 1;
      if (!this.#used.has(port)) {
        this.#used.add(port);
        return port;
      }
    }
    return null;
  }

  releasePorts(ports: readonly number[]): void {
    for (const port of ports) this.#used.delete(port);
  }

  /** An address on the agent's own bridge, which other hosts cannot reach. */
  nextBridgeAddress(): string {
    return `172.17.${this.#hostPart()}`;
  }

  /** An address of its own in a container network that spans the agents. */
  nextOverlayAddress(): string {
    return `9.${this.#index}.${this.#hostPart()}`;
  }

  #hostPart(): string {
    const number = this.#nextContainer++;
    return `${(number >> 8) & 255}.${number & 255}`;
  }
}

/** The agent with the fewest instances among those that the constraints allow; null when none is. */
export function placeOn(
  agents: readonly Agent[],
  runSpecId: string,
  constraints: readonly (readonly string[])[],
): Agent | null {
  const allowed = agents.filter((agent) => constraints.every((rule) => permits(rule, agent, runSpecId)));
  const [best] = allowed.toSorted(
    (a, b) => (a.load.get(runSpecId) ?? 0) - (b.load.get(runSpecId) ?? 0) || a.running - b.running,
  );
  return best ?? null;
}

/** Constraints on other fields than the host name say nothing here: agents have no attributes. */
function permits([field, operator, value]: readonly string[], agent: Agent, runSpecId: string): boolean {
  if (field !== 'hostname') return true;
  if (operator === 'UNIQUE') return (agent.load.get(runSpecId) ?? 0) === 0;
  if (value === undefined) return true;
  if (operator === 'LIKE') return new RegExp(`^(?:${value})$`).test(agent.hostname);
  if (operator === 'UNLIKE') return !new RegExp(`^(?:${value})$`).test(agent.hostname);
  if (operator === 'CLUSTER' || operator === 'IS') return agent.hostname === value;
  return true;
}
