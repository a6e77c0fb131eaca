/** What deciding about backends needs to know of them. */

import type { Protocol } from '../model.ts';
import type { Sign } from './suspicion.ts';
import type { VipTarget } from './watched.ts';

/** The VIPs' backends in rotation, as of now. */
export interface Backends {
  has(one: VipTarget): boolean;
  /** Those of an agent. */
  on(agent: string): Iterable<VipTarget>;
  /** Backends of agents other than these and this host, each of another one: at most so many. */
  beside(protocol: Protocol, except: ReadonlySet<string>, most: number): readonly VipTarget[];
  /** Whether an agent is this host. */
  isHere(agent: string): boolean;
}

/** What the counters say of a backend. */
export interface Signed extends VipTarget {
  readonly sign: Sign;
}

/** What the table of connections says of a backend. */
export interface Met extends VipTarget {
  /** null: nothing is odd. */
  readonly sign: Sign | null;
  /** It answered a new connection since the table was last read. */
  readonly hasAnswered: boolean;
}
