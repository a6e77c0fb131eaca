/** A backend of a simulated world, and what the kernel counts of it. */

import type { VipTarget } from '../../controller/eject/watched.ts';
import type { Counted } from '../../controller/model/counters.ts';
import { type Target, targetKey } from '../../controller/model/ejection.ts';
import type { Protocol } from '../../controller/model/endpoint.ts';
import type { Flow } from './eject-flows.ts';

/** What a backend does with a SYN: it answers after so many milliseconds, or refuses, or no answer ever comes. */
export type Answer = number | 'refuses' | 'drops';

export interface WorldBackend {
  readonly agent: string;
  /** Defaults to TCP. A UDP backend is never seen to answer where `replyBytes` is 0. */
  readonly protocol?: Protocol;
  /** Whatever happens to the network is the world's. */
  answer(at: number): Answer;
  /** Bytes of what comes back besides the SYN-ACK; 0 of a one-way protocol. */
  readonly replyBytes: number;
}

/** A connection that got no answer yet: its client asks again. */
export interface HalfOpen {
  readonly flow: Flow;
  askedAt: number;
  /** Doubles each time. */
  waitMs: number;
}

export interface Live extends VipTarget {
  readonly is: WorldBackend;
  counted: Counted;
  /** What the kernel tells of it until it counts up again. */
  told: Counted;
  readings: readonly [Counted, Counted, Counted] | null;
  readonly pending: { readonly at: number; readonly bytes: number }[];
  /** A scheduler that counts connections, as wlc does, sends such a backend no more while others have none. */
  halfOpen: HalfOpen[];
  ejectedAt: number | undefined;
}

export function liveOf(vip: string, is: WorldBackend, port: number): Live {
  const { agent, protocol = 'tcp' } = is;
  const key = targetKey(protocol, `${agent}:${port}`);
  const target: Target = { key, protocol, address: agent, port, agent, task: `t.${port}` };
  const counted = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 };
  const read = { counted, told: counted, readings: null };
  return {
    service: `${protocol}/${vip}`,
    is,
    target,
    ...read,
    pending: [],
    halfOpen: [],
    ejectedAt: undefined,
  };
}

export function count(live: Live, more: Partial<Counted>): void {
  const { counted } = live;
  live.counted = {
    connections: counted.connections + (more.connections ?? 0),
    inPackets: counted.inPackets + (more.inPackets ?? 0),
    outPackets: counted.outPackets + (more.outPackets ?? 0),
    inBytes: counted.inBytes + (more.inBytes ?? 0),
    outBytes: counted.outBytes + (more.outBytes ?? 0),
  };
}

export function deliver(live: Live, now: number): void {
  for (let i = live.pending.length - 1; i >= 0; i -= 1) {
    const packet = live.pending[i];
    if (packet === undefined || packet.at > now) continue;
    live.pending.splice(i, 1);
    count(live, { outPackets: 1, outBytes: packet.bytes });
  }
}
