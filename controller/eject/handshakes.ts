import {
  type ConnectionKey,
  type ConnectionsExtent,
  entryOf,
  type TcpConnections,
} from '../model/connection-entry.ts';
import { type TargetKey, targetKey } from '../model/ejection.ts';
import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { Sign } from './suspicion.ts';

/**
 * A SYN without an answer for this long is suspicious: a little less than the interval between readings. Replies within a
 * data center take a hundredth of it.
 */
const UNANSWERED_MS = 190;
/** A backend that was seen to answer later, such as one in another region, is allowed this much more than it took. */
const SLOW_MARGIN_MS = 400;
/** An answer after this long is to a retransmitted SYN, and does not show how long replies take. */
const RETRANSMITTED_MS = 900;
/** How long the response time of a slow backend is remembered. */
const REMEMBERED_MS = 600_000;
/** Maximum number of resets in a row that a suspicion takes, for a backend whose connections clients often reset. */
const MAX_RESETS = 256;
/** Maximum number of backends whose usual behavior is remembered. */
const MAX_REMEMBERED = 4_096;

/** A backend in the connection table. */
interface Named {
  /** The service of the connection. */
  readonly service: ServiceKey;
  readonly backend: BackendKey;
  readonly target: TargetKey;
}

/** What became of a backend's connections between two readings of the table. */
export interface Outcome extends Pick<Named, 'backend'> {
  /** The services of these connections. Some may belong to other programs. */
  readonly services: ReadonlySet<ServiceKey>;
  /** null: nothing unusual. */
  readonly sign: Sign | null;
  /** Whether it answered a new connection in that time. */
  readonly hasAnswered: boolean;
}

interface Waiting extends Named {
  readonly since: number;
  seenAt: number;
  /** Whether the backend has answered others since: then this client's SYN was lost, or the client gave up. */
  areOthersAnswered: boolean;
}

interface Tally extends Omit<Named, 'service'> {
  readonly services: Set<ServiceKey>;
  answered: number;
  refused: number;
  unanswered: number;
}

/**
 * Finds which backends answer new TCP connections, from the kernel's connection states: a connection leaves `SYN_RECV` when
 * the client has the backend's answer, and enters `CLOSE` on a reset. This shows at once, while the kernel updates counters
 * only every two seconds.
 *
 * A client that resets its connection leaves the same `CLOSE` as a backend that refuses it. So a reset is suspicious only if
 * no other client got an answer at the time. Whenever a probe then finds the backend healthy, twice as many are needed.
 */
export class Handshakes {
  /** The last two readings: a single one may have missed a connection because others ended during the reading. */
  #readings: readonly TcpConnections[] = [];
  /** Whether the last reading was only a part of the table. */
  #isPart = false;
  #waiting = new Map<ConnectionKey, Waiting>();
  /** Resets since the last answer, and how many of them make a suspicion. */
  readonly #resets = new Map<TargetKey, { readonly seen: number; readonly needed: number }>();
  readonly #slow = new Map<TargetKey, { readonly ms: number; readonly until: number }>();

  /** Whether a connection that was new in the last reading has no answer yet; the next reading may show one. */
  get isAnyNew(): boolean {
    return this.#waiting.values().some(({ since, seenAt }) => since === seenAt);
  }

  /** Records a probe of a suspect. An answer shows that earlier failures of clients were not the backend's fault. */
  recordProbe(target: TargetKey, startedAt: number, hasAnswered: boolean): void {
    const { seen, needed } = this.#resets.get(target) ?? { seen: 0, needed: 1 };
    if (!hasAnswered) {
      this.#resets.delete(target);
      return;
    }
    for (const one of this.#waiting.values())
      if (one.target === target && one.since < startedAt) one.areOthersAnswered = true;
    if (seen >= needed) remember(this.#resets, target, { seen: 0, needed: Math.min(MAX_RESETS, 2 * needed) });
  }

  /** Forgets all connections, so that the next reading has nothing to be compared with. */
  forget(): void {
    this.#readings = [];
    this.#waiting.clear();
  }

  /**
   * Compares a reading with the one before it and returns the outcomes. `now`: when it was read, in milliseconds of the
   * monotonic clock; `extent`: which part of the table it covers.
   */
  read(connections: TcpConnections, now: number, extent: ConnectionsExtent = 'all'): readonly Outcome[] {
    const [last, beforeLast] = this.#readings;
    const unread = this.#isPart && last !== undefined ? beyond(connections, last) : NO_KEYS;
    this.#isPart = extent !== 'all';
    this.#readings = last === undefined ? [connections] : [connections, last];
    const tallies = new Map<TargetKey, Tally>();
    const waiting = new Map<ConnectionKey, Waiting>();
    for (const [key, state] of connections) {
      const before = last?.get(key) ?? beforeLast?.get(key);
      if (state === 'SYN_RECV') waiting.set(key, this.#stillWaiting(key, now));
      else if (state !== before && last !== undefined && !unread.has(key))
        this.#countChange(tallies, key, before, state, now);
    }
    if (extent !== 'waiting') {
      for (const [key, one] of this.#waiting)
        if (!connections.has(key) && last?.has(key) === true) waiting.set(key, one);
    }
    this.#waiting = waiting;
    this.#countUnanswered(tallies, now);
    return [...tallies.values()].map((one) => this.#outcomeOf(one));
  }

  #outcomeOf({ services, backend, target, answered, refused, unanswered }: Tally): Outcome {
    const hasAnswered = answered > 0;
    const { seen, needed } = this.#resets.get(target) ?? { seen: 0, needed: 1 };
    const resets = hasAnswered ? 0 : seen + refused;
    if (resets !== seen) remember(this.#resets, target, { seen: resets, needed });
    let sign: Sign | null = null;
    if (!hasAnswered && unanswered > 0) sign = { kind: 'nothing', connections: unanswered, packets: 0 };
    else if (refused > 0 && resets >= needed) sign = { kind: 'errors', connections: resets, packets: resets };
    return { services, backend, sign, hasAnswered };
  }

  #countUnanswered(tallies: Map<TargetKey, Tally>, now: number): void {
    for (const one of this.#waiting.values()) {
      const isAnswering = (tallies.get(one.target)?.answered ?? 0) > 0;
      if (isAnswering && one.since < now) one.areOthersAnswered = true;
      if (one.areOthersAnswered || now - one.since < this.#allowedMs(one.target, now)) continue;
      tallyOf(tallies, one).unanswered += 1;
    }
  }

  #stillWaiting(key: ConnectionKey, now: number): Waiting {
    const known = this.#waiting.get(key);
    if (known === undefined) return { ...nameOf(key), since: now, seenAt: now, areOthersAnswered: false };
    known.seenAt = now;
    return known;
  }

  /** Counts a connection whose state changed, unless it is waiting for an answer. */
  #countChange(
    tallies: Map<TargetKey, Tally>,
    key: ConnectionKey,
    before: string | undefined,
    state: string,
    now: number,
  ) {
    const isNew = before === undefined || before === 'SYN_RECV';
    if (state === 'CLOSE') {
      if (isNew) tallyOf(tallies, nameOf(key)).refused += 1;
    } else if (state === 'ESTABLISHED' || (isNew && AFTER_ANSWER.has(state))) {
      const named = nameOf(key);
      tallyOf(tallies, named).answered += 1;
      this.#learn(named.target, this.#waiting.get(key), now);
    }
  }

  /** Learns the response time of a slow backend, so that it does not become a suspect for it again. Ignores lost SYNs. */
  #learn(target: TargetKey, waited: Waiting | undefined, now: number): void {
    if (waited === undefined) return;
    const took = waited.seenAt - waited.since;
    if (took < UNANSWERED_MS || now - waited.since >= RETRANSMITTED_MS) return;
    const ms = Math.max(took + SLOW_MARGIN_MS, this.#slow.get(target)?.ms ?? 0);
    remember(this.#slow, target, { ms, until: now + REMEMBERED_MS });
  }

  #allowedMs(target: TargetKey, now: number): number {
    const slow = this.#slow.get(target);
    return slow === undefined || slow.until < now ? UNANSWERED_MS : slow.ms;
  }
}

const NO_KEYS: ReadonlySet<ConnectionKey> = new Set();

/** Connections after the last one that both readings have: possibly old ones that the earlier reading did not reach. */
function beyond(connections: TcpConnections, last: TcpConnections): ReadonlySet<ConnectionKey> {
  const found: ConnectionKey[] = [];
  for (const key of connections.keys()) {
    if (last.has(key)) found.length = 0;
    else found.push(key);
  }
  return new Set(found);
}

/** States of a connection that one or both sides closed after the backend had answered. */
const AFTER_ANSWER: ReadonlySet<string> = new Set(['FIN_WAIT', 'TIME_WAIT', 'CLOSE_WAIT', 'LAST_ACK']);

function nameOf(key: ConnectionKey): Named {
  const { vip, backend } = entryOf(key);
  const endpoint = endpointKey(backend);
  const service = serviceKey({ protocol: 'tcp', ...vip });
  return { service, backend: endpoint, target: targetKey('tcp', endpoint) };
}

function tallyOf(tallies: Map<TargetKey, Tally>, { service, backend, target }: Named): Tally {
  const known = tallies.get(target);
  if (known !== undefined) {
    known.services.add(service);
    return known;
  }
  const tally = { services: new Set([service]), backend, target, answered: 0, refused: 0, unanswered: 0 };
  tallies.set(target, tally);
  return tally;
}

/** Stores a value, and drops the one stored longest ago if there are too many. */
function remember<Value>(known: Map<TargetKey, Value>, target: TargetKey, value: Value): void {
  known.delete(target);
  known.set(target, value);
  const [oldest] = known.keys();
  if (known.size > MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
}
