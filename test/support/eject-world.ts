/** A host with clients, agents and backends of which the kernel counts what an ejector is told: in simulated time. */

import { type Backends, Ejector, type Signed } from '../../controller/eject/ejector.ts';
import { signOf } from '../../controller/eject/suspicion.ts';
import type { Probe, VipTarget } from '../../controller/eject/watched.ts';
import { type ProbeResult, type Target, targetKey } from '../../controller/ejection.ts';
import type { Counted } from '../../controller/ports.ts';

export const READ_MS = 250;
const ATTEMPT_MS = 200;
const TIMEOUT_MS = 1_000;

/** What a backend does with a SYN: it answers after so many milliseconds, or refuses, or no answer ever comes. */
export type Answer = number | 'refuses' | 'drops';

export interface WorldBackend {
  readonly agent: string;
  /** Whatever happens to the network is the world's. */
  answer(at: number): Answer;
  /** Bytes of what comes back besides the SYN-ACK; 0 of a one-way protocol. */
  readonly replyBytes: number;
}

export interface WorldVip {
  readonly backends: readonly WorldBackend[];
  /** Connections each second, of all clients. */
  readonly rate: number;
}

interface Live extends VipTarget {
  readonly is: WorldBackend;
  counted: Counted;
  readings: Counted[];
  readonly pending: { readonly at: number; readonly bytes: number }[];
}

export class EjectWorld implements Backends {
  now = 0;
  readonly ejector = new Ejector(this);
  readonly #vips: readonly { readonly rate: number; readonly backends: readonly Live[] }[];
  readonly #random: () => number;
  readonly #due: { readonly at: number; end(): void }[] = [];
  /** Agents that this host cannot reach. */
  readonly cut = new Set<string>();
  /** Connections that found nobody who answers. */
  failed = 0;
  connections = 0;
  probed = new Map<string, number>();
  readonly all: readonly Live[];

  constructor(vips: readonly WorldVip[], random: () => number) {
    this.#random = random;
    this.#vips = vips.map(({ rate, backends }, vip) => ({
      rate,
      backends: backends.map((is, i) => liveOf(`tcp/11.0.0.${vip}:80`, is, 31_000 + vip * 100 + i)),
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
      for (const vip of this.#vips) this.#connect(vip, from);
      for (const live of this.all) deliver(live, this.now);
      for (const due of this.#due.filter(({ at }) => at <= this.now)) {
        this.#due.splice(this.#due.indexOf(due), 1);
        due.end();
      }
      this.ejector.counted({ from, to: this.now }, this.#signs());
      for (const probe of this.ejector.takeDue(this.now)) this.#probe(probe);
    }
  }

  #connect(
    { rate, backends }: { readonly rate: number; readonly backends: readonly Live[] },
    from: number,
  ): void {
    let left = (rate * READ_MS) / 1_000;
    const gone = this.ejector.ejections;
    const out = backends
      .filter(({ target }) => gone.has(target.key))
      .slice(0, Math.floor(backends.length / 2));
    const inRotation = backends.filter((one) => !out.includes(one));
    for (; left > 0 && this.#random() < left; left -= 1) {
      const live = inRotation[Math.floor(this.#random() * inRotation.length)];
      if (live === undefined) return;
      const at = from + this.#random() * READ_MS;
      const answer = this.#answerOf(live, at);
      this.connections += 1;
      count(live, { connections: 1, inPackets: 1, inBytes: 60 });
      if (answer === 'drops') this.failed += 1;
      else if (answer === 'refuses') {
        this.failed += 1;
        live.pending.push({ at: at + 1, bytes: 40 });
      } else {
        count(live, { inPackets: 2, inBytes: 300 });
        live.pending.push({ at: at + answer, bytes: 60 });
        if (live.is.replyBytes > 0) live.pending.push({ at: at + 2 * answer, bytes: live.is.replyBytes });
      }
    }
  }

  #answerOf({ is, target }: Pick<Live, 'is' | 'target'>, at: number): Answer {
    return this.cut.has(target.agent) ? 'drops' : is.answer(at);
  }

  *#signs(): Generator<Signed> {
    for (const live of this.all) {
      const { service, target, readings, counted } = live;
      const [, before, after] = readings;
      const last = counted;
      live.readings = [before ?? last, after ?? last, last];
      if (before === undefined || after === undefined || before === last) continue;
      const sign = signOf({ protocol: 'tcp', family: 'ipv4' }, [before, after, last]);
      const hasAnswered = sign?.kind === 'replies' && last.outPackets > after.outPackets;
      if (sign !== null && sign.kind !== 'quiet') yield { service, target, sign, hasAnswered };
    }
  }

  #probe(probe: Probe): void {
    const live = this.all.find(({ target }) => target.key === probe.target.key);
    if (live === undefined) return;
    this.probed.set(probe.target.key, (this.probed.get(probe.target.key) ?? 0) + 1);
    const results: ProbeResult[] = [];
    let last = 0;
    for (let attempt = 0; attempt < probe.attempts; attempt += 1) {
      const answer = this.#answerOf(live, this.now + attempt * ATTEMPT_MS);
      const isLate = typeof answer === 'number' && answer >= TIMEOUT_MS;
      results.push(
        answer === 'refuses' ? 'refused' : answer === 'drops' || isLate ? 'timed out' : 'connected',
      );
      const took = typeof answer === 'number' ? answer : answer === 'drops' ? TIMEOUT_MS : 1;
      last = Math.max(last, attempt * ATTEMPT_MS + Math.min(took, TIMEOUT_MS));
    }
    const at = this.now + last;
    this.#due.push({ at, end: () => this.ejector.probed(probe, results, at) });
  }
}

function liveOf(service: string, is: WorldBackend, port: number): Live {
  const key = targetKey('tcp', `${is.agent}:${port}`);
  const target: Target = {
    key,
    protocol: 'tcp',
    address: is.agent,
    port,
    agent: is.agent,
    task: `t.${port}`,
  };
  const counted = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 };
  return { service, is, target, counted, readings: [], pending: [] };
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
