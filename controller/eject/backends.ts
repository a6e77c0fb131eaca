/** The backends that the ejector decides about, and what the kernel shows about them. */

import type { Protocol } from '../model/endpoint.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Sign } from './suspicion.ts';
import type { VipTarget } from './watched.ts';

/** The backends of the desired VIPs that may be ejected, as of the time of each call. */
export interface Backends {
  /** A VIP that still has this backend, with the same task: the given one, or else another; null if none has. */
  vipOf(one: VipTarget): ServiceKey | null;
  /** The backends in rotation on an agent. */
  onAgent(agent: string): Iterable<VipTarget>;
  /** Up to `max` backends in rotation, each on a different agent, without the agents in `except` and this host. */
  onOtherAgents(protocol: Protocol, except: ReadonlySet<string>, max: number): readonly VipTarget[];
  isThisHost(agent: string): boolean;
}

/** What the counters show about a backend. */
export interface BackendSign extends VipTarget {
  readonly sign: Sign;
}

/** What the connection table shows about a backend. */
export interface BackendOutcome extends VipTarget {
  /** null: nothing unusual. */
  readonly sign: Sign | null;
  /** Whether it answered a new connection since the table was last read. */
  readonly hasAnswered: boolean;
}
