/** A host with clients, agents and backends of which the kernel counts what an ejector is told: in simulated time. */

import type { BackendOutcome, BackendSign, Backends } from '../../controller/eject/backends.ts';
import { Ejector } from '../../controller/eject/ejector.ts';
import { Handshakes } from '../../controller/eject/handshakes.ts';
import { isForCounters, signOf } from '../../controller/eject/suspicion.ts';
import type { Probe, VipTarget } from '../../controller/eject/watched.ts';
import type { ProbeResult } from '../../controller/model/ejection.ts';
import { endpointKey, type Protocol } from '../../controller/model/endpoint.ts';
import type { ServiceKey } from '../../controller/model/service.ts';
import { Agenda } from './agenda.ts';
import { type Answer, count, deliver, type Live, liveOf, type WorldBackend } from './eject-backend.ts';
import {
  askedAgain,
  closeFlow,
  establish,
  type Flow,
  openFlow,
  readFlows,
  type TableLimits,
} from './eject-flows.ts';

/** How often the connections are read. */
const READ_MS = 200;
/** How often the kernel brings its counters up to date. */
const ESTIMATED_MS = 2_000;
/** How often they are read beside all connections, and beside a part of them or none. */
const COUNTERS_MS = 2_200;
const COUNTERS_ALONE_MS = 500;
const PROBE = { apartMs: 100, timeoutMs: 1_000 };
/** After this the kernel asks again where a first attempt got no answer. */
const SYN_AGAIN_MS = 1_000;
/** A client gives up when it would have to wait longer. */
const LONGEST_SYN_MS = 16_000;
const SYN_BYTES = 60;
const RESET_BYTES = 40;

export interface WorldVip {
  readonly backends: readonly WorldBackend[];
  /** Connections each second, of all clients. */
  readonly rate: number;
  /** What share of the clients resets its connection at once, where it is answered. */
  readonly resets?: number;
}

export interface WorldOptions extends Partial<TableLimits> {
  /** How exactly time is told: what happens to the network begins and ends at a multiple of it. */
  readonly stepMs?: number;
}

interface LiveVip extends Omit<WorldVip, 'backends'> {
  readonly backends: readonly Live[];
}

export class EjectWorld implements Backends {
  now = 0;
  readonly ejector = new Ejector(this);
  readonly #vips: readonly LiveVip[];
  readonly #random: () => number;
  readonly #options: Required<WorldOptions>;
  /** What happens to probes. */
  readonly #agenda = new Agenda();
  readonly #handshakes = new Handshakes();
  #flows: Flow[] = [];
  readonly #byEndpoint: ReadonlyMap<string, Live>;
  #isTableWhole = false;
  #lastRead = 0;
  #countersReadAt = 0;
  #estimatedAt = 0;
  /** Agents that this host cannot reach. */
  readonly cut = new Set<string>();
  /** Connections that found nobody who answers. */
  failed = 0;
  connections = 0;
  /** Each ejection, of which backend it was and when it began. */
  readonly ejected: { readonly is: WorldBackend; readonly at: number }[] = [];
  probed = new Map<string, number>();
  readonly all: readonly Live[];

  constructor(
    vips: readonly WorldVip[],
    random: () => number,
    { stepMs = READ_MS, tableLimit = Number.POSITIVE_INFINITY, isWaitingTold = false }: WorldOptions = {},
  ) {
    this.#random = random;
    this.#options = { stepMs, tableLimit, isWaitingTold };
    this.#vips = vips.map(({ backends, ...of }, vip) => ({
      ...of,
      backends: backends.map((is, i) => liveOf(`11.0.0.${vip}:80`, is, 31_000 + vip * 100 + i)),
    }));
    this.all = this.#vips.flatMap(({ backends }) => backends);
    this.#byEndpoint = new Map(this.all.map((one) => [endpointKey(one.target), one]));
  }

  vipOf({ service }: VipTarget): ServiceKey {
    return service;
  }

  onAgent(agent: string): Iterable<VipTarget> {
    return this.all.filter(({ target }) => target.agent === agent);
  }

  onOtherAgents(protocol: Protocol, except: ReadonlySet<string>, max: number): readonly VipTarget[] {
    const all = this.all.filter(({ target }) => target.protocol === protocol);
    const byAgent = new Map(all.map((one) => [one.target.agent, one]));
    return [...byAgent.values()].filter(({ target }) => !except.has(target.agent)).slice(0, max);
  }

  isThisHost(): boolean {
    return false;
  }

  /** Lets time pass: connections come, they and the counters are read, probes are made. */
  run(ms: number): void {
    const { stepMs } = this.#options;
    for (const end = this.now + ms; this.now < end; ) {
      const from = this.now;
      this.now += stepMs;
      for (const live of this.all) if (live.halfOpen.length > 0) this.#askAgain(live);
      for (const vip of this.#vips) this.#connect(vip, from);
      for (const live of this.all) if (live.pending.length > 0) deliver(live, this.now);
      this.#agenda.runUntil(this.now);
      this.#readTable();
      this.#readCounters();
      this.#note();
      for (const probe of this.ejector.takeDue(this.now)) this.#probe(probe);
    }
  }

  #readTable(): void {
    if (this.#options.tableLimit === 0 || this.now - this.#lastRead < READ_MS) return;
    this.#flows = this.#flows.filter(({ goneAt }) => goneAt > this.now);
    const { connections, extent } = readFlows(this.#flows, this.now, this.#options);
    this.#isTableWhole = extent === 'all';
    const outcomes: BackendOutcome[] = [];
    for (const { backend, sign, hasAnswered } of this.#handshakes.read(connections, this.now, extent)) {
      const live = this.#byEndpoint.get(backend);
      if (live !== undefined)
        outcomes.push({ service: live.service, target: live.target, sign, hasAnswered });
    }
    this.ejector.recordConnections({ from: this.#lastRead, to: this.now }, outcomes);
    this.#lastRead = this.now;
  }

  #readCounters(): void {
    if (this.now - this.#estimatedAt >= ESTIMATED_MS) {
      this.#estimatedAt = this.now;
      for (const live of this.all) live.told = live.counted;
    }
    const every = this.#isTableWhole ? COUNTERS_MS : COUNTERS_ALONE_MS;
    if (this.now - this.#countersReadAt < every) return;
    this.#countersReadAt = this.now;
    this.ejector.recordCounters(this.#signs(), this.now);
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
    for (let left = (rate * this.#options.stepMs) / 1_000; left > 0 && this.#random() < left; left -= 1) {
      const out = backends.filter(({ ejectedAt }) => ejectedAt !== undefined);
      const gone = out.slice(0, Math.floor(backends.length / 2));
      const inRotation = gone.length === 0 ? backends : backends.filter((one) => !gone.includes(one));
      const least = Math.min(...inRotation.map(({ halfOpen }) => halfOpen.length));
      const free = inRotation.filter(({ halfOpen }) => halfOpen.length === least);
      const live = free[Math.floor(this.#random() * free.length)];
      if (live === undefined) return;
      this.connections += 1;
      this.#ask(live, from + this.#random() * this.#options.stepMs, this.#random() < resets);
    }
  }

  /** A client's connection, or datagram. */
  #ask(live: Live, at: number, isReset: boolean): void {
    const { pending, is } = live;
    const isTcp = live.target.protocol === 'tcp';
    const answer = this.#answerOf(live, at);
    count(live, { connections: 1, inPackets: 1, inBytes: isTcp ? SYN_BYTES : 100 });
    const flow = openFlow(live, this.connections, at);
    if (isTcp) this.#flows.push(flow);
    if (typeof answer !== 'number') {
      this.failed += 1;
      if (answer === 'drops' && isTcp) live.halfOpen.push({ flow, askedAt: at, waitMs: SYN_AGAIN_MS });
      if (answer === 'refuses') {
        closeFlow(flow, at + 1);
        pending.push({ at: at + 1, bytes: isTcp ? RESET_BYTES : 128 });
      }
      return;
    }
    if (isTcp) pending.push({ at: at + answer, bytes: 60 });
    if (isReset) {
      count(live, { inPackets: 1, inBytes: RESET_BYTES });
      pending.push({ at: at + answer, bytes: RESET_BYTES });
      // Of one that is reset before it is answered the kernel waits for the answer, as after a port scan.
      if (this.#random() > 0.01) closeFlow(flow, at + answer);
      return;
    }
    establish(flow, at, answer);
    if (isTcp) count(live, { inPackets: 2, inBytes: 300 });
    if (is.replyBytes > 0) pending.push({ at: at + 2 * answer, bytes: is.replyBytes });
  }

  #askAgain(live: Live): void {
    for (const one of live.halfOpen) {
      const at = one.askedAt + one.waitMs;
      if (at > this.now) continue;
      one.askedAt = at;
      one.waitMs *= 2;
      askedAgain(one.flow, at);
      count(live, { inPackets: 1, inBytes: SYN_BYTES });
      const answer = this.#answerOf(live, at);
      if (answer === 'drops') continue;
      one.waitMs = Number.POSITIVE_INFINITY;
      if (answer === 'refuses') closeFlow(one.flow, at + 1);
      else establish(one.flow, at, answer);
      live.pending.push(
        answer === 'refuses' ? { at: at + 1, bytes: RESET_BYTES } : { at: at + answer, bytes: 60 },
      );
    }
    live.halfOpen = live.halfOpen.filter(({ waitMs }) => waitMs <= LONGEST_SYN_MS);
  }

  #answerOf({ is, target }: Pick<Live, 'is' | 'target'>, at: number): Answer {
    return this.cut.has(target.agent) ? 'drops' : is.answer(at);
  }

  *#signs(): Generator<BackendSign> {
    for (const live of this.all) {
      const { service, target, told } = live;
      const [, before, after] = live.readings ?? [told, told, told];
      live.readings = [before, after, told];
      const { protocol } = target;
      const sign = signOf({ protocol, family: 'ipv4' }, live.readings);
      if (sign !== null && isForCounters(sign, protocol, this.#isTableWhole)) yield { service, target, sign };
    }
  }

  #probe(probe: Probe): void {
    const live = this.all.find(({ target }) => target.key === probe.target.key);
    if (live === undefined) return;
    this.probed.set(probe.target.key, (this.probed.get(probe.target.key) ?? 0) + 1);
    const results: ProbeResult[] = [];
    let open = probe.attempts;
    for (let attempt = 0; attempt < probe.attempts; attempt += 1) {
      const from = this.now + attempt * PROBE.apartMs;
      const until = this.now + PROBE.timeoutMs + (probe.attempts - 1) * PROBE.apartMs;
      this.#sendSyn(live, from, until, (result, at) => {
        results[attempt] = result;
        open -= 1;
        if (open > 0) return;
        if (probe.attempts === 2 && !probe.isWitness)
          this.#handshakes.recordProbe(probe.target.key, probe.startedAt, results.includes('connected'));
        this.ejector.recordProbe(probe, results, at);
      });
    }
  }

  /** Of a connection that is given up at `until`; a SYN without an answer is sent again. */
  #sendSyn(live: Live, at: number, until: number, end: (result: ProbeResult, at: number) => void): void {
    const endAt = (result: ProbeResult, then: number) => this.#agenda.at(then, () => end(result, then));
    this.#agenda.at(at, () => {
      const answer = this.#answerOf(live, at);
      if (answer === 'refuses') endAt('refused', at + 1);
      else if (live.target.protocol === 'udp') endAt('silent', until);
      else if (answer !== 'drops' && at + answer < until) endAt('connected', at + answer);
      else if (at + SYN_AGAIN_MS < until) this.#sendSyn(live, at + SYN_AGAIN_MS, until, end);
      else endAt('timed out', until);
    });
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
