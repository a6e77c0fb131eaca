import { type About, isEmpty } from '../../delta.ts';
import { asError, retryDelay } from '../../http/retry.ts';
import type { App, AppKey } from '../../model.ts';
import { Pace } from '../../pace.ts';
import type { Clock, Resolver, SourceListener } from '../../ports.ts';
import { resolveAgents } from '../document/agents.ts';
import { Feed } from '../feed.ts';
import type { AgentSelf, MesosClient } from './client.ts';
import { Cluster } from './cluster.ts';

export interface AgentFollowerOptions {
  readonly client: MesosClient;
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly listener: SourceListener;
  /** How often the agent is polled, give or take a tenth. */
  readonly pollMs: number;
  readonly random: () => number;
}

/** The longest pause after failures. */
const LAST_RETRY_MS = 60_000;
/** How often an unchanged state is published, so that its age stays known. */
const QUIET_MS = 30_000;

/** Reads what runs on one agent. */
export class AgentReader {
  readonly #client: MesosClient;
  readonly #resolver: Resolver;
  readonly #clock: Clock;
  readonly #cluster: Cluster;
  #self: AgentSelf | undefined;
  #bytes: Buffer | undefined;

  constructor({ client, resolver, clock }: Pick<AgentFollowerOptions, 'client' | 'resolver' | 'clock'>) {
    this.#client = client;
    this.#resolver = resolver;
    this.#clock = clock;
    this.#cluster = new Cluster(`mesos-agent=${client.name}`);
  }

  /** Reads everything, and puts into `changed` the apps that changed; nothing is taken over when a part of it fails. */
  async read(changed: Map<AppKey, App | null>, signal: AbortSignal): Promise<About> {
    const bytes = await this.#client.getState(signal);
    if (this.#bytes === undefined || !bytes.equals(this.#bytes)) {
      const state = await this.#client.parseState(bytes);
      // Its reply lists tasks and frameworks, and not the agent itself, which may have another id by now.
      const unknown = state.tasks.some(({ agentId }) => agentId !== this.#self?.id);
      if (this.#self === undefined || unknown) this.#self = await this.#client.getAgent(signal);
      const { id, host, place } = this.#self;
      const agents = new Map([[id, host]]);
      const places = new Map(place === undefined ? [] : [[id, place]]);
      await this.#cluster.replace({ ...state, agents, places }, this.#clock.monotonic(), new Pace());
      this.#bytes = bytes;
    }
    const { hosts } = this.#cluster;
    const addresses = await resolveAgents(hosts, this.#resolver);
    // One agent has few names: which addresses changed need not be found out.
    this.#cluster.moved(hosts);
    return await this.#cluster.take(changed, addresses, new Pace());
  }
}

/** Follows one agent by polling until `signal` aborts, and resolves then. */
export async function followAgent(options: AgentFollowerOptions, signal: AbortSignal): Promise<void> {
  const { clock, listener, pollMs, random } = options;
  const reader = new AgentReader(options);
  const feed = new Feed();
  const changed = new Map<AppKey, App | null>();
  let publishedAt = Number.NEGATIVE_INFINITY;
  for (let failures = 0; !signal.aborted; ) {
    const since = clock.monotonic();
    try {
      const about = await reader.read(changed, signal);
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
        : retryDelay(failures + 1, random, { firstMs: pollMs, lastMs: LAST_RETRY_MS });
    await clock.sleep(delay, signal);
  }
}
