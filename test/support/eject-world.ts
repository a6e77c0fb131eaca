/** A host with clients, agents and backends of which the kernel counts what an ejector is told: in simulated time. */

import { type Backends, Ejector, type Signed } from '../../controller/eject/ejector.ts';
import { shownBy } from '../../controller/eject/suspicion.ts';
import type { Probe, VipTarget } from '../../controller/eject/watched.ts';
import { type ProbeResult, type Target, targetKey } from '../../controller/ejection.ts';
import type { Protocol } from '../../controller/model.ts';
import type { Counted } from '../../controller/ports.ts';

export const READ_MS = 150;
const ATTEMPT_MS = 200;
const TIMEOUT_MS = 1_000;
/** After this the kernel asks again where a first attempt got no answer. */
const SYN_AGAIN_MS = 1_000;
/** A client gives up when it would have to wait longer. */
const LONGEST_SYN_MS = 16_000;
const SYN_BYTES = 60;
const RESET_BYTES = 40;

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

export interface WorldVip {
  readonly backends: readonly WorldBackend[];
  /** Connections each second, of all clients. */
  readonly rate: number;
  /** What share of the clients resets its connection at once, where it is answered. */
  readonly resets?: number;
}

/** A connection that got no answer yet: its client asks again. */
interface HalfOpen {
  askedAt: number;
  /** Doubles each time. */
  waitMs: number;
}

interface Live extends VipTarget {
  readonly is: WorldBackend;
  counted: Counted;
  before: Counted | null;
  after: Counted | null;
  readonly pending: { readonly at: number; readonly bytes: number }[];
  /** A scheduler that counts connections, as wlc does, sends such a backend no more while others have none. */
  halfOpen: HalfOpen[];
  ejectedAt: number | undefined;
}

interface Attempt {
  readonly result: ProbeResult;
  readonly took: number;
}

interface LiveVip extends Omit<WorldVip, 'backends'> {
  readonly backends: readonly Live[];
}

export class EjectWorld implements Backends {
  now = 0;
  readonly ejector = new Ejector(this);
  readonly #vips: readonly LiveVip[];
  readonly #random: () => number;
  readonly #due: { readonly at: number; end(): void }[] = [];
  /** Agents that this host cannot reach. */
  readonly cut = new Set<string>();
  /** Connections that found nobody who answers. */
  failed = 0;
  connections = 0;
  /** Each ejection, of which backend it was and when it began. */
  readonly ejected: { readonly is: WorldBackend; readonly at: number }[] = [];
  probed = new Map<string, number>();
  readonly all: readonly Live[];

  constructor(vips: readonly WorldVip[], random: () => number) {
    this.#random = random;
    this.#vips = vips.map(({ backends, ...of }, vip) => ({
      ...of,
      backends: backends.map((is, i) => liveOf(`11.0.0.${vip}:80`, is, 31_000 + vip * 100 + i)),
    }));
    this.all = this.#vips.flatMap(({ backends }) => backends);
  }

  has(): boolean {
    return true;
  }

  on(agent: string): Iterable<VipTarget> {
    return this.all.filter(({ target }) => target.agent === agent);
  }

  beside(except: ReadonlySet<string>, most: number): readonly VipTarget[] {
    const byAgent = new Map(this.all.map((one) => [one.target.agent, one]));
    return [...byAgent.values()].filter(({ target }) => !except.has(target.agent)).slice(0, most);
  }

  isHere(): boolean {
    return false;
  }

  /** Lets time pass: connections come, counters are read, probes are made. */
  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      const from = this.now;
      this.now += READ_MS;
      for (const live of this.all) if (live.halfOpen.length > 0) this.#askAgain(live);
      for (const vip of this.#vips) this.#connect(vip, from);
      for (const live of this.all) if (live.pending.length > 0) deliver(live, this.now);
      this.#endProbes();
      this.ejector.counted({ from, to: this.now }, this.#signs());
      this.#note();
      for (const probe of this.ejector.takeDue(this.now)) this.#probe(probe);
    }
  }

  #endProbes(): void {
    for (const due of this.#due.filter(({ at }) => at <= this.now)) {
      this.#due.splice(this.#due.indexOf(due), 1);
      due.end();
    }
  }

  #note(): void {
    if (!this.ejector.register.hasChanged) return;
    for (const key of this.ejector.register.takeChanged()) {
      const since = this.ejector.register.ejections.get(key)?.since;
      const live = this.all.find(({ target }) => target.key === key);
      if (live === undefined || live.ejectedAt === since) continue;
      live.ejectedAt = since;
      if (since !== undefined) this.ejected.push({ is: live.is, at: since });
    }
  }

  #connect({ rate, backends, resets = 0 }: LiveVip, from: number): void {
    for (let left = (rate * READ_MS) / 1_000; left > 0 && this.#random() < left; left -= 1) {
      const out = backends.filter(({ ejectedAt }) => ejectedAt !== undefined);
      const gone = out.slice(0, Math.floor(backends.length / 2));
      const inRotation = gone.length === 0 ? backends : backends.filter((one) => !gone.includes(one));
      const least = Math.min(...inRotation.map(({ halfOpen }) => halfOpen.length));
      const free = inRotation.filter(({ halfOpen }) => halfOpen.length === least);
      const live = free[Math.floor(this.#random() * free.length)];
      if (live === undefined) return;
      this.connections += 1;
      this.#ask(live, from + this.#random() * READ_MS, this.#random() < resets);
    }
  }

  /** A client's connection, or datagram. */
  #ask(live: Live, at: number, isReset: boolean): void {
    const { pending, is } = live;
    const isTcp = live.target.protocol === 'tcp';
    const answer = this.#answerOf(live, at);
    count(live, { connections: 1, inPackets: 1, inBytes: isTcp ? SYN_BYTES : 100 });
    if (typeof answer !== 'number') {
      this.failed += 1;
      if (answer === 'drops' && isTcp) live.halfOpen.push({ askedAt: at, waitMs: SYN_AGAIN_MS });
      if (answer === 'refuses') pending.push({ at: at + 1, bytes: isTcp ? RESET_BYTES : 128 });
      return;
    }
    if (isTcp) pending.push({ at: at + answer, bytes: 60 });
    if (isReset) {
      // Some before they are answered, which a backend that takes its time answers with a reset of its own.
      count(live, { inPackets: 1, inBytes: RESET_BYTES });
      pending.push({ at: at + answer, bytes: RESET_BYTES });
      return;
    }
    if (isTcp) count(live, { inPackets: 2, inBytes: 300 });
    if (is.replyBytes > 0) pending.push({ at: at + 2 * answer, bytes: is.replyBytes });
  }

  #askAgain(live: Live): void {
    for (const one of live.halfOpen) {
      const at = one.askedAt + one.waitMs;
      if (at > this.now) continue;
      one.askedAt = at;
      one.waitMs *= 2;
      count(live, { inPackets: 1, inBytes: SYN_BYTES });
      const answer = this.#answerOf(live, at);
      if (answer !== 'drops') one.waitMs = Number.POSITIVE_INFINITY;
      if (typeof answer === 'number') live.pending.push({ at: at + answer, bytes: 60 });
      if (answer === 'refuses') live.pending.push({ at: at + 1, bytes: RESET_BYTES });
    }
    live.halfOpen = live.halfOpen.filter(({ waitMs }) => waitMs <= LONGEST_SYN_MS);
  }

  #answerOf({ is, target }: Pick<Live, 'is' | 'target'>, at: number): Answer {
    return this.cut.has(target.agent) ? 'drops' : is.answer(at);
  }

  *#signs(): Generator<Signed> {
    for (const live of this.all) {
      const { service, target, before, after, counted: last } = live;
      live.before = after;
      live.after = last;
      // Without these three there is nothing to compare; where they are one, nothing came.
      if (before === null || after === null || before === last) continue;
      const shown = shownBy({ protocol: target.protocol, family: 'ipv4' }, [before, after, last], true);
      if (shown !== null && (shown.sign.kind !== 'quiet' || shown.hasAnswered))
        yield { service, target, ...shown };
    }
  }

  #probe(probe: Probe): void {
    const live = this.all.find(({ target }) => target.key === probe.target.key);
    if (live === undefined) return;
    this.probed.set(probe.target.key, (this.probed.get(probe.target.key) ?? 0) + 1);
    const results: ProbeResult[] = [];
    let last = 0;
    for (let attempt = 0; attempt < probe.attempts; attempt += 1) {
      const left = TIMEOUT_MS + (probe.attempts - 1 - attempt) * ATTEMPT_MS;
      const { result, took } = this.#attempt(live, this.now + attempt * ATTEMPT_MS, left);
      results.push(result);
      last = Math.max(last, attempt * ATTEMPT_MS + took);
    }
    const at = this.now + last;
    this.#due.push({ at, end: () => this.ejector.probed(probe, results, at) });
  }

  /** A connection of this host that is given up after `left`. */
  #attempt(live: Live, at: number, left: number): Attempt {
    const isUdp = live.target.protocol === 'udp';
    for (const after of isUdp ? [0] : [0, SYN_AGAIN_MS]) {
      const answer = this.#answerOf(live, at + after);
      if (answer === 'refuses') return { result: 'refused', took: after + 1 };
      if (!isUdp && answer !== 'drops' && after + answer < left)
        return { result: 'connected', took: after + answer };
    }
    return { result: isUdp ? 'silent' : 'timed out', took: left };
  }
}

function liveOf(vip: string, is: WorldBackend, port: number): Live {
  const { agent, protocol = 'tcp' } = is;
  const key = targetKey(protocol, `${agent}:${port}`);
  const target: Target = { key, protocol, address: agent, port, agent, task: `t.${port}` };
  const counted = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 };
  const read = { counted, before: null, after: null };
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

function count(live: Live, more: Partial<Counted>): void {
  const { counted } = live;
  live.counted = {
    connections: counted.connections + (more.connections ?? 0),
    inPackets: counted.inPackets + (more.inPackets ?? 0),
    outPackets: counted.outPackets + (more.outPackets ?? 0),
    inBytes: counted.inBytes + (more.inBytes ?? 0),
    outBytes: counted.outBytes + (more.outBytes ?? 0),
  };
}

function deliver(live: Live, now: number): void {
  for (let i = live.pending.length - 1; i >= 0; i -= 1) {
    const packet = live.pending[i];
    if (packet === undefined || packet.at > now) continue;
    live.pending.splice(i, 1);
    count(live, { outPackets: 1, outBytes: packet.bytes });
  }
}

/** Numbers in [0, 1) that are the same ones for each seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
