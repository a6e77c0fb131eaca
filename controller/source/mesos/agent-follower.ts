import { retryDelay } from '../../backoff.ts';
import { asError } from '../../errors.ts';
import type { App, AppKey } from '../../model/app.ts';
import { type About, isEmpty } from '../../model/delta.ts';
import { Pace } from '../../pace.ts';
import type { Clock, Resolver, SourceListener } from '../../ports.ts';
import { resolveAgents } from '../document/agents.ts';
import { Feed } from '../feed.ts';
import type { LastGood } from '../last-good.ts';
import type { MesosClient } from './client.ts';
import { Cluster } from './cluster.ts';
import type { MesosAgent } from './schema.ts';

export interface AgentFollowerOptions {
  readonly client: MesosClient;
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** How often the agent is polled, give or take a tenth. */
  readonly pollMs: number;
  readonly random: () => number;
  readonly lastGood: LastGood;
}

/** The longest pause after failures. */
const LAST_RETRY_MS = 60_000;
/** How often an unchanged state is published, so that its age stays known. */
const QUIET_MS = 30_000;

/** Reads what runs on one agent, once or by polling: agents have no stream of events. */
export class AgentFollower {
  readonly #options: AgentFollowerOptions;
  readonly #cluster: Cluster;
  #self: MesosAgent | undefined;
  #bytes: Buffer | undefined;

  constructor(options: AgentFollowerOptions) {
    this.#options = options;
    this.#cluster = new Cluster(`mesos-agent=${options.client.name}`, options.lastGood);
  }

  /** Reads everything, and puts into `changed` the apps that changed; nothing is taken over when a part of it fails. */
  async read(changed: Map<AppKey, App | null>, signal: AbortSignal): Promise<About> {
    const { client, clock, resolver } = this.#options;
    const bytes = await client.getState(signal);
    if (this.#bytes === undefined || !bytes.equals(this.#bytes)) {
      const state = await client.parseState(bytes);
      // Its reply lists tasks and frameworks, and not the agent itself, which may have another id by now.
      const unknown = state.tasks.some(({ agentId }) => agentId !== this.#self?.id);
      if (this.#self === undefined || unknown) this.#self = await client.getAgent(signal);
      const agents = new Map([[this.#self.id, this.#self]]);
      await this.#cluster.replace({ ...state, agents }, clock.monotonic(), new Pace());
      this.#bytes = bytes;
    }
    const { hosts } = this.#cluster;
    const addresses = await resolveAgents(hosts, resolver);
    // One agent has few names: which addresses changed need not be found out.
    this.#cluster.moved(hosts);
    return await this.#cluster.take(changed, addresses, new Pace());
  }

  /** Polls until `signal` aborts, and resolves then. */
  async run(listener: SourceListener, signal: AbortSignal): Promise<void> {
    const { clock, pollMs, random } = this.#options;
    const feed = new Feed();
    const changed = new Map<AppKey, App | null>();
    let publishedAt = Number.NEGATIVE_INFINITY;
    for (let failures = 0; !signal.aborted; ) {
      const since = clock.monotonic();
      try {
        const about = await this.read(changed, signal);
        const delta = feed.update(changed, { complete: true, learnedAt: since, about });
        changed.clear();
        failures = 0;
        if (delta !== null && (!isEmpty(delta) || since - publishedAt >= QUIET_MS)) {
          publishedAt = since;
          listener.changed(delta);
        }
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        listener.failed(asError(error));
      }
      const delay =
        failures === 0
          ? pollMs * (0.9 + 0.2 * random())
          : retryDelay(failures + 1, random, { firstMs: pollMs, limitMs: LAST_RETRY_MS });
      await clock.sleep(delay, signal);
    }
  }
}
