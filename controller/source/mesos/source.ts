import type { BackoffOptions } from '../../backoff.ts';
import { ControllerError } from '../../errors.ts';
import { Pace } from '../../pace.ts';
import type { AppSource, Clock, Resolver, SavedApps } from '../../ports.ts';
import { systemClock } from '../../time.ts';
import { resolveAgents } from '../document/agents.ts';
import { snapshotOf } from '../feed.ts';
import { LastGood } from '../last-good.ts';
import { AgentFollower } from './agent-follower.ts';
import { createMesosClient, type MesosClientOptions } from './client.ts';
import { Cluster } from './cluster.ts';
import { MesosFollower } from './follower.ts';

export interface MesosSourceOptions extends Omit<MesosClientOptions, 'clock'> {
  readonly resolver: Resolver;
  readonly clock?: Clock | undefined;
  /** What was saved of it: what cannot be read of its first state is what it was then. */
  readonly saved?: SavedApps | undefined;
  /** How long to wait before a subscription is opened again: at first, and at most. Defaults to 2 s and 30 s. */
  readonly retry?: BackoffOptions | undefined;
  /** Numbers in [0, 1) for jitter. */
  readonly random?: (() => number) | undefined;
}

export interface MesosAgentSourceOptions extends Omit<MesosSourceOptions, 'retry'> {
  /** How often the agent is polled, give or take a tenth. Defaults to 2 s, as in dcos-net. */
  readonly pollMs?: number | undefined;
}

/** The whole state of a large cluster is one record of a stream. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The tasks of all frameworks of one Mesos, by its masters' stream of events. Throws (`ControllerError` code `usage`)
 * when `where` is not a list of URLs.
 */
export function createMesosSource(options: MesosSourceOptions): AppSource {
  const { clock = systemClock, resolver, random = Math.random, silenceMs = 30_000 } = options;
  const client = createMesosClient({ ...options, clock }, 'master');
  const name = `mesos=${client.name}`;

  return {
    name,
    get servers() {
      return client.servers;
    },
    async read(signal) {
      const state = await client.parseState(await client.getState(signal));
      if (state.recovered.size > 0) {
        const missing = [...state.recovered]
          .map(([id, agent]) => agent?.host ?? id)
          .sort()
          .join(', ');
        const what = `a new master leads, and these agents have not come back to it: ${missing}`;
        throw new ControllerError('source', `${name}: ${what}; what runs there is not known`);
      }
      const cluster = new Cluster(name, new LastGood(name, options.saved));
      const pace = new Pace();
      await cluster.replace(state, clock.monotonic(), pace);
      return await cluster.snapshot(await resolveAgents(cluster.hosts, resolver), pace);
    },
    follow: (listener, signal) =>
      new MesosFollower({
        client,
        clock,
        resolver,
        listener,
        maxRecordBytes: options.maxBodyBytes ?? MAX_BYTES,
        silenceMs,
        retry: options.retry ?? { firstMs: 2_000, limitMs: 30_000 },
        random,
        lastGood: new LastGood(name, options.saved),
      }).run(signal),
  };
}

/**
 * The tasks of one Mesos agent, by polling, for hosts that may reach nothing else: backends on other hosts are not seen.
 * Throws (`ControllerError` code `usage`) when `where` is no URL.
 */
export function createMesosAgentSource(options: MesosAgentSourceOptions): AppSource {
  const { clock = systemClock, resolver, pollMs = 2_000, random = Math.random } = options;
  const client = createMesosClient({ ...options, clock }, 'agent');
  const name = `mesos-agent=${client.name}`;
  const create = () => {
    const lastGood = new LastGood(name, options.saved);
    return new AgentFollower({ client, clock, resolver, pollMs, random, lastGood });
  };
  return {
    name,
    get servers() {
      return client.servers;
    },
    read: (signal) => snapshotOf((changed) => create().read(changed, signal)),
    follow: (listener, signal) => create().run(listener, signal),
  };
}
