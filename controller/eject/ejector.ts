import type { Blindness, Ejection, ProbeResult, Target, TargetKey } from '../model/ejection.ts';
import { Agents, isAgentFailure, isFailure, PROVEN, type Window } from './agents.ts';
import type { BackendOutcome, BackendSign, Backends } from './backends.ts';
import { EjectionRegister } from './register.ts';
import { type Sign, signText } from './suspicion.ts';
import { Verdicts } from './verdicts.ts';
import {
  isProbed,
  markEjected,
  type Probe,
  REMEMBERED_MS,
  suspectOf,
  type VipTarget,
  type Watched,
} from './watched.ts';

/** Maximum number of concurrent probes. */
const MAX_CONCURRENT = 64;
/** Maximum number of witnesses to probe together with suspects. */
const MAX_WITNESSES = 16;
/** Maximum number of backends to keep a state for. Further suspicions are ignored until there is room. */
const MAX_WATCHED = 4_096;
/** Time from the first good probe of an ejected backend to the second. */
const SECOND_GOOD_PROBE_MS = 500;
/**
 * How long an unproven failure waits for probes of other agents that are still running. After that the network may have
 * changed, so the backend is probed again instead.
 */
const FRESH_MS = 2_500;
/** If this many backends of an agent cannot be reached, its other TCP backends become suspects. */
const AGENT_FAILURES = 2;

/**
 * Decides which backends to eject. A backend becomes a suspect when clients seem to get no reply from it. It is ejected if
 * two connections from this host fail too while this host reaches others, and returns after two good probes.
 *
 * It has no clock and does no I/O: callers pass in what readings and probes show, and make the probes that it returns. Times
 * are milliseconds of the monotonic clock.
 */
export class Ejector {
  readonly #backends: Backends;
  readonly #agents = new Agents();
  readonly #verdicts: Verdicts;
  readonly #watched = new Map<TargetKey, Watched>();
  /** Running probes, each with what it is a probe of; a witness need not be watched. */
  readonly #inFlight = new Map<Probe, Watched | undefined>();
  readonly register = new EjectionRegister();

  constructor(backends: Backends) {
    this.#backends = backends;
    this.#verdicts = new Verdicts(backends, this.#agents);
  }

  get blind(): Blindness | null {
    return this.#agents.blind;
  }

  get suspects(): number {
    return [...this.#watched.values()].filter(({ phase }) => phase === 'suspect').length;
  }

  /** When the next probe is due; infinite if none is, or while no more may run. */
  nextDue(): number {
    if (this.#inFlight.size >= MAX_CONCURRENT) return Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const { phase, nextAt } of this.#watched.values())
      if (isProbed(phase)) next = Math.min(next, nextAt);
    return next;
  }

  /** Drops backends that are removed or replaced by another task, and expired back-offs. Returns UDP backends whose agent has no unreachable TCP backend any more. */
  forgetRemoved(now: number): void {
    const failing = new Set<string>();
    for (const { cause, target } of this.register.ejections.values())
      if (isAgentFailure(cause)) failing.add(target.agent);
    for (const [key, watched] of this.#watched) {
      const { phase, nextAt, ejection, target } = watched;
      if (ejection?.cause === 'agent' && !failing.has(target.agent)) this.#return(watched, now);
      const isOver = !isProbed(phase) && now > nextAt + REMEMBERED_MS;
      const service = isOver ? null : this.#backends.vipOf(watched);
      if (service !== null) {
        watched.service = service;
        continue;
      }
      this.#watched.delete(key);
      this.register.forget(key);
    }
  }

  /** Records what the counters show, which may be some seconds old. Backends without a sign keep their state. */
  recordCounters(signs: Iterable<BackendSign>, now: number): void {
    for (const { sign, ...one } of signs) this.#applySign(one, sign, now);
    this.forgetRemoved(now);
    this.#decide(now);
  }

  /** Records what the connection table shows about these backends' connections in this window. */
  recordConnections(window: Window, outcomes: Iterable<BackendOutcome>): void {
    const answering = new Set<string>();
    for (const { sign, hasAnswered, ...one } of outcomes) {
      const { agent } = one.target;
      if (hasAnswered && !this.#backends.isThisHost(agent)) answering.add(agent);
      if (hasAnswered) this.#applySign(one, ANSWERED, window.to);
      else if (sign !== null) this.#applySign(one, sign, window.to);
    }
    this.#agents.recordAnswers(window, answering);
    this.forgetRemoved(window.to);
    this.#decide(window.to);
  }

  /** Returns the probes to make now. The caller must pass the results of each to `recordProbe`. */
  takeDue(now: number): readonly Probe[] {
    this.forgetRemoved(now);
    const room = MAX_CONCURRENT - this.#inFlight.size;
    const due = [...this.#watched.values()].filter(({ phase, nextAt }) => isProbed(phase) && nextAt <= now);
    const probes = due.slice(0, Math.max(0, room)).map((watched): Probe => {
      const { phase, service, target } = watched;
      watched.nextAt = Number.POSITIVE_INFINITY;
      const attempts = phase === 'suspect' ? 2 : 1;
      return { service, target, attempts, isWitness: false, startedAt: now };
    });
    const suspects = probes.filter(({ attempts }) => attempts === 2);
    probes.push(...this.#witnesses(suspects, now));
    for (const probe of probes)
      this.#inFlight.set(probe, probe.isWitness ? undefined : this.#watched.get(probe.target.key));
    return probes;
  }

  /** Records the results of all attempts of a probe. */
  recordProbe(probe: Probe, results: readonly ProbeResult[], now: number): void {
    const probed = this.#inFlight.get(probe);
    this.#inFlight.delete(probe);
    this.register.countProbe(results);
    const { target, startedAt, isWitness } = probe;
    if (target.protocol === 'tcp' && !this.#backends.isThisHost(target.agent))
      this.#agents.recordProbe(target.agent, results, startedAt, now);
    this.forgetRemoved(now);
    if (isWitness && results.every(isFailure) && this.#backends.vipOf(probe) !== null)
      this.#suspect(probe, 'no answer when probed together with a suspect', now);
    // Another task may be at that address by now, or the same one a suspect again, for which there is another probe.
    const watched = this.#watched.get(target.key) === probed ? probed : undefined;
    if (watched?.phase === 'suspect')
      this.#recordSuspectProbe(watched, results, { from: startedAt, to: now });
    else if (watched?.ejection != null) this.#recordEjectedProbe(watched, watched.ejection, results, now);
    this.#decide(now);
  }

  #applySign(one: VipTarget, sign: Sign, now: number): void {
    if (sign.kind === 'replies' && sign.areAnswered) this.#clear(one.target, now);
    if ('connections' in sign) this.#suspect(one, signText(sign), now);
  }

  #suspect(one: VipTarget, sign: string, now: number): void {
    const known = this.#watched.get(one.target.key);
    const isIdle = known?.phase === 'cleared' || known?.phase === 'returned';
    if (known !== undefined && (!isIdle || known.nextAt > now)) return;
    if (known === undefined && this.#watched.size >= MAX_WATCHED) return;
    this.#watched.set(one.target.key, suspectOf(one, sign, now, known));
  }

  /** Clears a suspect whose clients are answered, regardless of probes. One that was ejected before keeps its back-off. */
  #clear({ key }: Target, now: number): void {
    const watched = this.#watched.get(key);
    if (watched?.phase !== 'suspect') return;
    if (watched.hasReturned)
      Object.assign(watched, { phase: 'returned', nextAt: now, failure: null, isUnproven: false });
    else this.#watched.delete(key);
  }

  #recordSuspectProbe(watched: Watched, results: readonly ProbeResult[], during: Window): void {
    const [first] = results;
    if (first !== undefined && results.every(isFailure)) {
      watched.failure = { result: results.at(-1) ?? first, during };
      return;
    }
    // An attempt that could not be made says nothing, so the probe is repeated. Any other success shows that the backend answers.
    if (!results.includes('unknown')) watched.phase = 'cleared';
    watched.nextAt = during.to + watched.backoff.next();
  }

  #recordEjectedProbe(
    watched: Watched,
    ejection: Ejection,
    results: readonly ProbeResult[],
    now: number,
  ): void {
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

  /** Ejects each suspect whose failure is proven. Without proof it is probed again, together with witnesses. */
  #decide(now: number): void {
    for (const watched of this.#watched.values()) {
      const { phase, failure } = watched;
      if (phase !== 'suspect' || failure === null) continue;
      const probed = this.#agentsInProbe(failure.during.to, watched.target.agent);
      const evidence = { now, probed, watched: this.#watched.values() };
      const verdict = this.#verdicts.of(watched.target, failure, evidence);
      if (!verdict.isProven && probed.length > 0 && now - failure.during.to < FRESH_MS) continue;
      if (verdict !== PROVEN) this.#agents.recordVerdict(verdict, now);
      if (verdict.isProven) {
        this.#eject(watched, failure.result, now);
        continue;
      }
      watched.failure = null;
      watched.nextAt = watched.isUnproven ? now + watched.backoff.next() : now;
      watched.isUnproven = true;
    }
    const isOpen = [...this.#watched.values()].some((one) => one.phase === 'suspect' && one.isUnproven);
    if (!isOpen) this.#agents.recordVerdict(null, now);
  }

  /** Agents outside `except` with a probe of a suspect or witness that began by this time and is still running. */
  #agentsInProbe(startedBy: number, except: string): readonly string[] {
    return [...this.#inFlight.keys()].flatMap(({ attempts, startedAt, target: { agent } }) =>
      attempts === 2 && startedAt <= startedBy && agent !== except && !this.#backends.isThisHost(agent)
        ? [agent]
        : [],
    );
  }

  #eject(watched: Watched, result: ProbeResult, now: number): void {
    const { target, sign } = watched;
    const cause = result === 'refused' || result === 'unreachable' ? result : 'timed out';
    const reason = `${sign}; connect ${cause === 'unreachable' ? 'found it unreachable' : cause}`;
    const nextAt = now + watched.backoff.next();
    this.register.begin(markEjected(watched, { cause, reason, nextAt }, now));
    this.#suspectAgent(target.agent, now);
  }

  /**
   * If two backends of an agent cannot be reached, makes its other TCP backends suspects. If two are ejected for that, ejects
   * its UDP backends with them, since the silence of a UDP backend proves nothing.
   */
  #suspectAgent(agent: string, now: number): void {
    const failed = [...this.#watched.values()].filter(
      ({ target, failure, ejection }) =>
        target.agent === agent && isAgentFailure(failure?.result ?? ejection?.cause),
    );
    if (failed.length < AGENT_FAILURES) return;
    const isAgentProven = failed.filter(({ ejection }) => ejection !== null).length >= AGENT_FAILURES;
    for (const { service, target } of this.#backends.onAgent(agent)) {
      if (this.#watched.get(target.key)?.ejection != null) continue;
      const one = { service, target };
      if (target.protocol === 'tcp')
        this.#suspect(one, `other backends of agent ${agent} do not answer`, now);
      else if (isAgentProven) this.#ejectWithAgent(one, now);
    }
  }

  #ejectWithAgent(one: VipTarget, now: number): void {
    const { target } = one;
    this.#watched.delete(target.key);
    this.#suspect(one, `agent ${target.agent} does not answer`, now);
    const watched = this.#watched.get(target.key);
    if (watched === undefined) return;
    const reason = `TCP backends of agent ${target.agent} cannot be reached`;
    const nextAt = Number.POSITIVE_INFINITY;
    this.register.begin(markEjected(watched, { cause: 'agent', reason, nextAt }, now));
  }

  /**
   * Witnesses to probe together with suspects. None if client connections show that this host reaches other agents, and no
   * suspect has failed without proof.
   */
  #witnesses(suspects: readonly Probe[], now: number): readonly Probe[] {
    if (suspects.length === 0) return [];
    const failing = this.#agents.failing(now, ...suspects.map(({ target }) => target.agent));
    const areUnproven = suspects.some(({ target }) => this.#watched.get(target.key)?.isUnproven === true);
    if (!areUnproven && this.#agents.isAnswerSeen(now, failing)) return [];
    const found = this.#backends.onOtherAgents('tcp', failing, Math.min(failing.size, MAX_WITNESSES));
    const isFree = (phase: Watched['phase'] | undefined) => phase === undefined || !isProbed(phase);
    return found
      .filter(({ target }) => isFree(this.#watched.get(target.key)?.phase))
      .map((one) => ({ ...one, attempts: 2, isWitness: true, startedAt: now }));
  }
}

const ANSWERED: Sign = { kind: 'replies', areAnswered: true };
