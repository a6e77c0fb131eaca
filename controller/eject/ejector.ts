import type { Blindness, Ejection, ProbeResult, Target, TargetKey } from '../ejection.ts';
import { Agents, isAgentFailure, isFailure, PROVEN, type Verdict, type Window } from './agents.ts';
import type { Backends, Met, Signed } from './backends.ts';
import { EjectionRegister } from './register.ts';
import { type Sign, signText } from './suspicion.ts';
import {
  Backoff,
  type Failure,
  isProbed,
  type Probe,
  REMEMBERED_MS,
  type VipTarget,
  type Watched,
} from './watched.ts';

/** So many probes are made at once. */
const MOST_AT_ONCE = 64;
/** Beside suspects so many others are probed at most. */
const MOST_WITNESSES = 16;
/** So many backends are watched more closely; further suspects wait. */
const MOST_WATCHED = 4_096;
const SECOND_GOOD_PROBE_MS = 500;
/** A failure that could not be acted on in this time says little: the network may be another one since. */
const FRESH_MS = 2_500;
/** So many backends of an agent that cannot be reached make all its others suspects. */
const AGENT_FAILS = 2;

/**
 * Decides which backends do not answer: clients seem to get no reply from one (suspicion), two connections from this host
 * fail too, and while they were tried this host reached others (conviction). Two good probes bring it back.
 *
 * Knows no clock and no I/O: it is told what was counted and probed, and says what is to be probed. Times are milliseconds
 * of the monotonic clock.
 */
export class Ejector {
  readonly #backends: Backends;
  readonly #agents = new Agents();
  readonly #watched = new Map<TargetKey, Watched>();
  readonly #inFlight = new Set<Probe>();
  readonly register = new EjectionRegister();

  constructor(backends: Backends) {
    this.#backends = backends;
  }

  get blind(): Blindness | null {
    return this.#agents.blind;
  }

  get suspects(): number {
    return [...this.#watched.values()].filter(({ phase }) => phase === 'suspect').length;
  }

  /** When something is to be probed next; infinite: nothing is. */
  nextDue(): number {
    if (this.#inFlight.size >= MOST_AT_ONCE) return Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const { phase, nextAt } of this.#watched.values())
      if (isProbed(phase)) next = Math.min(next, nextAt);
    return next;
  }

  /** The counters of these backends were read; of the others nobody asked anything. They show what was so up to seconds ago. */
  counted(signed: Iterable<Signed>, now: number): void {
    for (const { sign, ...one } of signed) this.#signed(one, sign, now);
    this.#forget(now);
    this.#decide(now);
  }

  /** The table of connections was read: what became of these backends' connections in this time. */
  met(window: Window, backends: Iterable<Met>): void {
    const answering = new Set<string>();
    for (const { sign, hasAnswered, ...one } of backends) {
      const { agent } = one.target;
      if (hasAnswered && !this.#backends.isHere(agent)) answering.add(agent);
      if (hasAnswered) this.#signed(one, ANSWERED, window.to);
      else if (sign !== null) this.#signed(one, sign, window.to);
    }
    this.#agents.answered(window, answering);
    this.#forget(window.to);
    this.#decide(window.to);
  }

  /** The probes that are to be made now; `probed` must be told of each. */
  takeDue(now: number): readonly Probe[] {
    const room = MOST_AT_ONCE - this.#inFlight.size;
    const due = [...this.#watched.values()].filter(({ phase, nextAt }) => isProbed(phase) && nextAt <= now);
    const probes = due.slice(0, Math.max(0, room)).map((watched): Probe => {
      const { phase, service, target } = watched;
      watched.nextAt = Number.POSITIVE_INFINITY;
      const attempts = phase === 'suspect' ? 2 : 1;
      return { service, target, attempts, isWitness: false, startedAt: now };
    });
    const suspects = probes.filter(({ attempts }) => attempts === 2);
    probes.push(...this.#witnesses(suspects, now));
    for (const probe of probes) this.#inFlight.add(probe);
    return probes;
  }

  /** A probe was made, or could not be: the results of its attempts. */
  probed(probe: Probe, results: readonly ProbeResult[], now: number): void {
    this.#inFlight.delete(probe);
    this.register.count(results);
    const { target, startedAt, isWitness } = probe;
    if (target.protocol === 'tcp' && !this.#backends.isHere(target.agent))
      this.#agents.probed(target.agent, results, startedAt, now);
    const watched = this.#watched.get(target.key);
    if (isWitness) {
      if (results.every(isFailure)) this.#suspect(probe, 'probed beside another backend, no answer', now);
    } else if (watched?.phase === 'suspect')
      this.#suspectProbed(watched, results, { from: startedAt, to: now });
    else if (watched?.ejection != null) this.#ejectedProbed(watched, watched.ejection, results, now);
    this.#decide(now);
  }

  #signed(one: VipTarget, sign: Sign, now: number): void {
    if (sign.kind === 'replies' && sign.areAnswered) this.#replied(one.target);
    if ('connections' in sign) this.#suspect(one, signText(sign), now);
  }

  #suspect(one: VipTarget, sign: string, now: number): void {
    const known = this.#watched.get(one.target.key);
    const isIdle = known?.phase === 'cleared' || known?.phase === 'returned';
    if (known !== undefined && (!isIdle || known.nextAt > now)) return;
    if (known === undefined && this.#watched.size >= MOST_WATCHED) return;
    this.#watched.set(one.target.key, {
      service: one.service,
      target: one.target,
      phase: 'suspect',
      sign,
      backoff: known?.backoff ?? new Backoff(),
      nextAt: now,
      failure: null,
      isUnproven: false,
      ejection: null,
    });
  }

  /** New connections of clients are answered: it is no suspect, whatever a probe says. One that a probe cleared keeps its back-off. */
  #replied({ key }: Target): void {
    if (this.#watched.get(key)?.phase === 'suspect') this.#watched.delete(key);
  }

  #suspectProbed(watched: Watched, results: readonly ProbeResult[], during: Window): void {
    const [first] = results;
    if (first !== undefined && results.every(isFailure)) {
      watched.failure = { result: results.at(-1) ?? first, during };
      return;
    }
    // What could not be probed is tried again; all else that is no failure shows that it answers.
    if (!results.includes('unknown')) watched.phase = 'cleared';
    watched.nextAt = during.to + watched.backoff.next();
  }

  #ejectedProbed(watched: Watched, ejection: Ejection, results: readonly ProbeResult[], now: number): void {
    if (results.includes('connected') || results.includes('silent')) {
      if (watched.phase === 'returning') {
        this.#return(watched, now);
        return;
      }
      watched.phase = 'returning';
      watched.nextAt = now + SECOND_GOOD_PROBE_MS;
    } else {
      watched.phase = 'ejected';
      watched.nextAt = now + watched.backoff.next();
    }
    watched.ejection = { ...ejection, nextProbe: watched.nextAt };
    this.register.update(watched.ejection);
  }

  #return(watched: Watched, now: number): void {
    watched.phase = 'returned';
    watched.ejection = null;
    watched.nextAt = now;
    this.register.return(watched.target.key);
  }

  /** Ejects suspects that failed while others answered. One that failed beside all others is probed again, with others beside it. */
  #decide(now: number): void {
    for (const watched of this.#watched.values()) {
      const { phase, failure } = watched;
      if (phase !== 'suspect' || failure === null) continue;
      // How those fare that were probed at the same time may yet say that this host is at fault.
      const probed = this.#agentsProbed(failure.during.to, watched.target.agent);
      const verdict = this.#verdict(watched.target, failure, now, probed);
      if (!verdict.isProven && probed.length > 0 && now - failure.during.to < FRESH_MS) continue;
      if (verdict !== PROVEN) this.#agents.judged(verdict, now);
      if (verdict.isProven) {
        this.#eject(watched, failure.result, now);
        continue;
      }
      watched.failure = null;
      watched.nextAt = watched.isUnproven ? now + watched.backoff.next() : now;
      watched.isUnproven = true;
    }
    const isOpen = [...this.#watched.values()].some((one) => one.phase === 'suspect' && one.isUnproven);
    if (!isOpen) this.#agents.judged(null, now);
  }

  /** Other agents of which a suspect or a witness is being probed since this moment or before. */
  #agentsProbed(since: number, except: string): readonly string[] {
    return [...this.#inFlight].flatMap(({ attempts, startedAt, target: { agent } }) =>
      attempts === 2 && startedAt <= since && agent !== except && !this.#backends.isHere(agent)
        ? [agent]
        : [],
    );
  }

  #verdict(target: Target, { result, during }: Failure, now: number, probed: readonly string[]): Verdict {
    const { agent, protocol } = target;
    // What cuts this host off does not keep it from its own backends.
    if (this.#backends.isHere(agent)) return PROVEN;
    const verdict = this.#agents.verdict(agent, during, now, probed);
    return verdict.isProven || protocol === 'tcp' || result !== 'refused' ? verdict : this.#refusalVerdict();
  }

  /** Of a UDP backend: an ICMP error is its agent's answer, unless something on the way refuses, which then does so for others too. */
  #refusalVerdict(): Verdict {
    const refusing = new Set<string>();
    for (const { phase, ejection, target } of this.#watched.values())
      if (target.protocol === 'udp' && (phase === 'suspect' || ejection?.cause === 'refused'))
        refusing.add(target.agent);
    const others = this.#backends.beside('udp', refusing, refusing.size).length;
    return { isProven: others >= refusing.size, failing: refusing.size, answering: others };
  }

  #eject(watched: Watched, result: ProbeResult, now: number): void {
    const { target, sign } = watched;
    const cause = result === 'refused' || result === 'unreachable' ? result : 'timed out';
    watched.phase = 'ejected';
    watched.failure = null;
    watched.isUnproven = false;
    watched.nextAt = now + watched.backoff.next();
    const reason = `${sign}; connect ${cause === 'unreachable' ? 'found it unreachable' : cause}`;
    watched.ejection = { target, since: now, cause, reason, nextProbe: watched.nextAt };
    this.register.begin(watched.ejection);
    this.#suspectAgent(target.agent, now);
  }

  /** Two of its backends cannot be reached: the others are probed at once, and those of UDP, which cannot be asked, follow. */
  #suspectAgent(agent: string, now: number): void {
    const failed = [...this.#watched.values()].filter(
      ({ target, failure, ejection }) =>
        target.agent === agent && isAgentFailure(failure?.result ?? ejection?.cause),
    );
    if (failed.length < AGENT_FAILS) return;
    const isConvicted = failed.filter(({ ejection }) => ejection !== null).length >= AGENT_FAILS;
    for (const { service, target } of this.#backends.on(agent)) {
      if (this.#watched.get(target.key)?.ejection != null) continue;
      const one = { service, target };
      if (target.protocol === 'tcp')
        this.#suspect(one, `other backends of agent ${agent} do not answer`, now);
      else if (isConvicted) this.#ejectWithAgent(one, now);
    }
  }

  #ejectWithAgent(one: VipTarget, now: number): void {
    const { target } = one;
    this.#watched.delete(target.key);
    this.#suspect(one, `agent ${target.agent} does not answer`, now);
    const watched = this.#watched.get(target.key);
    if (watched === undefined) return;
    watched.phase = 'ejected';
    watched.nextAt = Number.POSITIVE_INFINITY;
    const reason = `TCP backends of agent ${target.agent} cannot be reached`;
    watched.ejection = { target, since: now, cause: 'agent', reason, nextProbe: null };
    this.register.begin(watched.ejection);
  }

  /** Drops what is no backend any more and back-offs that are over; brings back what followed an agent that answers again. */
  #forget(now: number): void {
    const failing = new Set<string>();
    for (const { cause, target } of this.register.ejections.values())
      if (isAgentFailure(cause)) failing.add(target.agent);
    for (const [key, watched] of this.#watched) {
      const { phase, nextAt, ejection, target } = watched;
      if (ejection?.cause === 'agent' && !failing.has(target.agent)) this.#return(watched, now);
      const isOver = !isProbed(phase) && now > nextAt + REMEMBERED_MS;
      if (!isOver && this.#backends.has(watched)) continue;
      this.#watched.delete(key);
      this.register.forget(key);
    }
  }

  /** Others to be probed beside suspects, where clients' connections do not show that this host reaches any. */
  #witnesses(suspects: readonly Probe[], now: number): readonly Probe[] {
    if (suspects.length === 0) return [];
    const failing = this.#agents.failing(now, ...suspects.map(({ target }) => target.agent));
    const areUnproven = suspects.some(({ target }) => this.#watched.get(target.key)?.isUnproven === true);
    if (!areUnproven && this.#agents.isAnswerSeen(now, failing)) return [];
    const found = this.#backends.beside('tcp', failing, Math.min(failing.size, MOST_WITNESSES));
    const isFree = (phase: Watched['phase'] | undefined) => phase === undefined || !isProbed(phase);
    return found
      .filter(({ target }) => isFree(this.#watched.get(target.key)?.phase))
      .map((one) => ({ ...one, attempts: 2, isWitness: true, startedAt: now }));
  }
}

const ANSWERED: Sign = { kind: 'replies', areAnswered: true };
