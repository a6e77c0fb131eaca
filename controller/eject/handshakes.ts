import { type ConnectionKey, entryOf, type TcpConnections } from '../connection-entry.ts';
import { type TargetKey, targetKey } from '../ejection.ts';
import { type BackendKey, endpointKey, type ServiceKey, serviceKey } from '../model.ts';
import type { ConnectionsExtent } from '../ports.ts';
import type { Sign } from './suspicion.ts';

/**
 * So long a SYN has no answer before that is odd: a little less than from one reading to the next. Replies within a data
 * centre take a hundredth of it.
 */
const UNANSWERED_MS = 190;
/** A backend that was seen to take longer than that, as one in another region does, is given this much more than it took. */
const MORE_MS = 400;
/** It was a SYN that got lost and was sent again, which says nothing of how long replies take. */
const SENT_AGAIN_MS = 900;
const REMEMBERED_MS = 600_000;
/** Resets without an answer between them that a backend must give, where clients have often reset connections to it, at most. */
const MOST_RESETS = 256;
/** Of so many backends it is remembered how they usually are. */
const MOST_REMEMBERED = 4_096;

/** A backend of a service, as the table of connections names it. */
interface Named {
  readonly service: ServiceKey;
  readonly backend: BackendKey;
  readonly target: TargetKey;
}

/** What became of a backend's connections from one reading of the table to the next. */
export interface Outcome extends Omit<Named, 'target'> {
  /** null: nothing is odd. */
  readonly sign: Sign | null;
  /** It answered a new connection in that time. */
  readonly hasAnswered: boolean;
}

interface Waiting extends Named {
  readonly since: number;
  seenAt: number;
  /** The backend answered others that came later: this client's SYN got lost, or it never meant to go on. */
  areOthersAnswered: boolean;
}

interface Tally extends Named {
  answered: number;
  refused: number;
  unanswered: number;
}

/**
 * Which backends answer new TCP connections, by the state in which the kernel has each: it leaves `SYN_RECV` when the client
 * has the backend's answer, and goes to `CLOSE` when a reset comes. Told at once, where counters are brought up to date every
 * two seconds.
 *
 * A client that resets its connection leaves the same `CLOSE` as a backend that refuses. That is a suspicion too, where no
 * other client got an answer at the time; each time that a probe then shows the backend to be well, twice as many are needed.
 */
export class Handshakes {
  /** The last two readings: one alone may have left out a connection, since others ended while it was made. */
  #readings: readonly TcpConnections[] = [];
  /** Whether the last one ended before the table did. */
  #isPart = false;
  #waiting = new Map<ConnectionKey, Waiting>();
  /** Resets since an answer was seen, and how many make a suspicion. */
  readonly #resets = new Map<TargetKey, { readonly seen: number; readonly needed: number }>();
  readonly #slow = new Map<TargetKey, { readonly ms: number; readonly until: number }>();

  /** Whether a connection that was new at the last reading has no answer yet: the next reading shows whether it gets one. */
  get isAnyNew(): boolean {
    return this.#waiting.values().some(({ since, seenAt }) => since === seenAt);
  }

  /** A suspect was probed from that time on. An answer shows that what clients have met before is no fault of the backend. */
  probed(target: TargetKey, startedAt: number, hasAnswered: boolean): void {
    const { seen, needed } = this.#resets.get(target) ?? { seen: 0, needed: 1 };
    if (!hasAnswered) {
      this.#resets.delete(target);
      return;
    }
    for (const one of this.#waiting.values())
      if (one.target === target && one.since < startedAt) one.areOthersAnswered = true;
    if (seen >= needed)
      remember(this.#resets, target, { seen: 0, needed: Math.min(MOST_RESETS, 2 * needed) });
  }

  /** Forgets all connections: the next reading is compared with nothing. */
  forget(): void {
    this.#readings = [];
    this.#waiting.clear();
  }

  /**
   * What these connections show that those of the reading before did not; `now`: when they were read, milliseconds of the monotonic
   * clock.
   */
  read(connections: TcpConnections, now: number, extent: ConnectionsExtent = 'all'): readonly Outcome[] {
    const [last, beforeLast] = this.#readings;
    const unread = this.#isPart && last !== undefined ? beyond(connections, last) : NOTHING;
    this.#isPart = extent !== 'all';
    this.#readings = last === undefined ? [connections] : [connections, last];
    const tallies = new Map<TargetKey, Tally>();
    const waiting = new Map<ConnectionKey, Waiting>();
    for (const [key, state] of connections) {
      const before = last?.get(key) ?? beforeLast?.get(key);
      if (state === 'SYN_RECV') waiting.set(key, this.#stillWaiting(key, now));
      else if (state !== before && last !== undefined && !unread.has(key))
        this.#ended(tallies, key, before, state, now);
    }
    if (extent !== 'waiting') {
      for (const [key, one] of this.#waiting)
        if (!connections.has(key) && last?.has(key) === true) waiting.set(key, one);
    }
    this.#waiting = waiting;
    this.#countUnanswered(tallies, now);
    return [...tallies.values()].map((one) => this.#outcomeOf(one));
  }

  #outcomeOf({ service, backend, target, answered, refused, unanswered }: Tally): Outcome {
    const hasAnswered = answered > 0;
    const { seen, needed } = this.#resets.get(target) ?? { seen: 0, needed: 1 };
    const resets = hasAnswered ? 0 : seen + refused;
    if (resets !== seen) remember(this.#resets, target, { seen: resets, needed });
    let sign: Sign | null = null;
    if (!hasAnswered && unanswered > 0) sign = { kind: 'nothing', connections: unanswered, packets: 0 };
    else if (refused > 0 && resets >= needed) sign = { kind: 'errors', connections: resets, packets: resets };
    return { service, backend, sign, hasAnswered };
  }

  #countUnanswered(tallies: Map<TargetKey, Tally>, now: number): void {
    for (const one of this.#waiting.values()) {
      const isAnswering = (tallies.get(one.target)?.answered ?? 0) > 0;
      if (isAnswering && one.since < now) one.areOthersAnswered = true;
      if (one.areOthersAnswered || now - one.since < this.#patienceWith(one.target, now)) continue;
      tallyOf(tallies, one).unanswered += 1;
    }
  }

  #stillWaiting(key: ConnectionKey, now: number): Waiting {
    const known = this.#waiting.get(key);
    if (known === undefined) return { ...nameOf(key), since: now, seenAt: now, areOthersAnswered: false };
    known.seenAt = now;
    return known;
  }

  #ended(
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

  /** One that answers late, and not because a SYN got lost, is no suspect for that another time. */
  #learn(target: TargetKey, waited: Waiting | undefined, now: number): void {
    if (waited === undefined) return;
    const took = waited.seenAt - waited.since;
    if (took < UNANSWERED_MS || now - waited.since >= SENT_AGAIN_MS) return;
    const ms = Math.max(took + MORE_MS, this.#slow.get(target)?.ms ?? 0);
    remember(this.#slow, target, { ms, until: now + REMEMBERED_MS });
  }

  #patienceWith(target: TargetKey, now: number): number {
    const slow = this.#slow.get(target);
    return slow === undefined || slow.until < now ? UNANSWERED_MS : slow.ms;
  }
}

const NOTHING: ReadonlySet<ConnectionKey> = new Set();

/** Those after the last one that both readings have: they may be old, and of a place in the table that the one before did not get to. */
function beyond(connections: TcpConnections, last: TcpConnections): ReadonlySet<ConnectionKey> {
  const found: ConnectionKey[] = [];
  for (const key of connections.keys()) {
    if (last.has(key)) found.length = 0;
    else found.push(key);
  }
  return new Set(found);
}

/** States of a connection that both sides or one have ended since the backend answered. */
const AFTER_ANSWER: ReadonlySet<string> = new Set(['FIN_WAIT', 'TIME_WAIT', 'CLOSE_WAIT', 'LAST_ACK']);

function nameOf(key: ConnectionKey): Named {
  const { vip, backend } = entryOf(key);
  const endpoint = endpointKey(backend);
  const service = serviceKey({ protocol: 'tcp', ...vip });
  return { service, backend: endpoint, target: targetKey('tcp', endpoint) };
}

function tallyOf(tallies: Map<TargetKey, Tally>, { service, backend, target }: Named): Tally {
  const known = tallies.get(target);
  if (known !== undefined) return known;
  const tally = { service, backend, target, answered: 0, refused: 0, unanswered: 0 };
  tallies.set(target, tally);
  return tally;
}

/** Forgets the one that was remembered longest ago where there are too many. */
function remember<Value>(known: Map<TargetKey, Value>, target: TargetKey, value: Value): void {
  known.delete(target);
  known.set(target, value);
  const [oldest] = known.keys();
  if (known.size > MOST_REMEMBERED && oldest !== undefined) known.delete(oldest);
}
