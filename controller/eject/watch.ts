import { familyOf } from '../address.ts';
import { messageOf } from '../errors.ts';
import type { ConnectionsExtent } from '../model/connection-entry.ts';
import type { CountersRead } from '../model/counters.ts';
import type { EjectionReport, Ejections, TargetKey } from '../model/ejection.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import type { Clock, ConnectionTable, DestinationCounters, EjectionFacts, Log, Prober } from '../ports.ts';
import type { BackendOutcome, BackendSign } from './backends.ts';
import { Ejector } from './ejector.ts';
import { Handshakes, type Outcome } from './handshakes.ts';
import { CounterCosts, ReadPace, tableCost } from './pace.ts';
import { isForCounters, signOf } from './suspicion.ts';
import { VipBackends } from './vip-backends.ts';
import type { Probe } from './watched.ts';

/** Maximum share of one CPU. Expensive readings are made less often. */
const SHARE = 0.017;
/** How much of the connection table is read. */
type TableRead = ConnectionsExtent | 'none';
/** Interval between readings of the connection table, if they are cheap. */
const TABLE_MS = 200;
/** How much of `SHARE` these take at most. The less of the table is read, the more depends on counters, which get the rest. */
const TABLE_SHARE: Readonly<Record<ConnectionsExtent, number>> = {
  all: 0.012,
  waiting: 0.01,
  beginning: 0.005,
};
/** A longer interval is reported, since failures are then detected late. */
const TABLE_LATE_MS = 2_000;
/**
 * Intervals for counters, beside the whole connection table and beside a part of it or none; a longer one than `lateMs` is
 * reported. Beside the whole table it is longer than the two seconds at which the kernel updates counters, so that each read
 * shows new values. Otherwise, at up to `lateMs`, three reads that show a failure are over within nine seconds.
 */
const COUNTERS = {
  whole: { shortestMs: 2_200, lateMs: 10_000 },
  part: { shortestMs: 500, lateMs: 2_000 },
} as const;
/**
 * How much earlier than the CPU budget allows the table may be read: to see whether a new connection is answered, and to
 * see whether this host reaches other agents while a suspect is probed.
 */
const LENT_MS = { newConnections: 2_000, suspects: 5_000 } as const;
const AFTER_ERROR_MS = 5_000;
const MAX_SLEEP_MS = 1_000;

/** What watching reads and uses. */
export interface WatchPorts {
  readonly connections: ConnectionTable;
  readonly counters: DestinationCounters;
  readonly prober: Prober;
  readonly clock: Clock;
  readonly log: Log;
  /** Returns the CPU time that this thread has used, in milliseconds. */
  readonly cpuMs: () => number;
}

/** What is watched, and whether ejections take effect. */
export interface WatchOptions {
  /** `observe`: ejections are only reported, and the backends stay in rotation. */
  readonly mode: EjectionReport['mode'];
  /** What the sources want, without ejections. */
  readonly services: () => ReadonlyMap<ServiceKey, Service>;
  /** Addresses of this host, which it can reach even if it is cut off from the network. */
  readonly hostAddresses: () => ReadonlySet<string>;
}

/**
 * Watches the backends of VIPs: reads the outcome of connections to them, probes suspects, and decides which to eject.
 *
 * The connection table shows at once which new TCP connections fail. The counters show the rest, up to four seconds late: UDP
 * backends, established connections, and whatever the table does not show because it cannot be read, or only in part.
 */
export class Watch implements EjectionFacts {
  readonly #ports: WatchPorts;
  readonly #options: WatchOptions;
  readonly #backends: VipBackends;
  readonly #ejector: Ejector;
  readonly #handshakes = new Handshakes();
  /** Why the table or the counters cannot be read, or not often enough; null: they can. */
  #behind: { table: string | null; counters: string | null } = { table: null, counters: null };
  /** How much of the connection table the last reading covered. */
  #tableRead: TableRead = 'all';
  readonly #tablePace = new ReadPace();
  /** Ends the sleep of the prober, which lasts until `until`. */
  #prober: { readonly until: number; readonly wake: () => void } = { until: 0, wake: () => undefined };

  constructor(ports: WatchPorts, options: WatchOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#backends = new VipBackends(options.services, options.hostAddresses);
    this.#ejector = new Ejector(this.#backends);
  }

  /** The ejections in effect; none in mode `observe`. */
  get ejections(): Ejections {
    return this.#options.mode === 'on' ? this.#ejector.register.ejections : NONE;
  }

  takeChanged(): ReadonlySet<TargetKey> {
    this.#ejector.forgetRemoved(this.#ports.clock.monotonic());
    return this.#ejector.register.takeChanged();
  }

  report(): EjectionReport {
    const { suspects, blind, register } = this.#ejector;
    const { ejections, ejected, returned, probes } = register;
    const counts = { ejected: { ...ejected }, returned, probes: { ...probes } };
    const { table, counters } = this.#behind;
    const behind = [table, counters].filter((one) => one !== null).join('; ') || null;
    return { mode: this.#options.mode, ejections, suspects, blind, behind, ...counts };
  }

  /** Runs until `signal` aborts. `changed` is called when ejections have changed and a pass should apply them. */
  async run(changed: () => void, signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#readTable(changed, signal),
      this.#readCounters(changed, signal),
      this.#probeWhenDue(changed, signal),
    ]);
    this.#ports.counters.close();
    this.#ports.connections.close();
  }

  async #readTable(changed: () => void, signal: AbortSignal): Promise<void> {
    const { connections, clock, log, cpuMs } = this.#ports;
    const handshakes = this.#handshakes;
    const pace = this.#tablePace;
    let last = clock.monotonic();
    while (!signal.aborted) {
      const from = clock.monotonic();
      let next = from + AFTER_ERROR_MS;
      try {
        const read = await connections.read();
        const now = clock.monotonic();
        const { tcp, extent, bytes, cpuFrom } = read;
        this.#tableRead = extent;
        // What this reading shows happened after the previous one began and before this one ended.
        const outcomes = this.#withTargets(handshakes.read(tcp, now, extent));
        this.#ejector.recordConnections({ from: last, to: now }, outcomes);
        this.#publish(changed);
        const cost = cpuMs() - cpuFrom;
        const budget = { shortestMs: TABLE_MS, share: TABLE_SHARE[extent], lentMs: this.#lentMs() };
        next = pace.next(from, tableCost({ cost, bytes }), budget);
        this.#behind.table =
          lateText('the connection table', cost, pace.interval, TABLE_LATE_MS) ?? PART_TEXT[extent];
      } catch (error) {
        handshakes.forget();
        if (this.#tableRead !== 'none')
          log.warn('connection table cannot be read; failures of backends are detected some seconds late', {
            error: messageOf(error),
          });
        this.#tableRead = 'none';
        this.#behind.table = `the kernel's connection table cannot be read: ${messageOf(error)}`;
      }
      last = from;
      await clock.sleep(Math.max(0, next - clock.monotonic()), signal);
    }
  }

  #lentMs(): number {
    if (this.#ejector.suspects > 0) return LENT_MS.suspects;
    return this.#handshakes.isAnyNew ? LENT_MS.newConnections : 0;
  }

  async #readCounters(changed: () => void, signal: AbortSignal): Promise<void> {
    const { counters, clock, log, cpuMs } = this.#ports;
    const [costs, pace] = [new CounterCosts(), new ReadPace()];
    let isFailing = false;
    while (!signal.aborted) {
      const [from, cpuFrom] = [clock.monotonic(), cpuMs()];
      let next = from + AFTER_ERROR_MS;
      try {
        const read = await counters.read((key) => this.#backends.isWatched(key));
        isFailing = false;
        this.#ejector.recordCounters(this.#signs(read), clock.monotonic());
        this.#publish(changed);
        const { shortestMs, lateMs } = COUNTERS[this.#tableRead === 'all' ? 'whole' : 'part'];
        const share = SHARE - (this.#tableRead === 'none' ? 0 : this.#tablePace.used);
        next = pace.next(from, costs.count(cpuMs() - cpuFrom, read.entries), { shortestMs, share });
        this.#behind.counters =
          read.left > 0
            ? `too many VIPs have new connections: the counters of ${read.left} wait for the next read`
            : lateText('the counters', costs.usual, pace.interval, lateMs);
      } catch (error) {
        this.#behind.counters = `the kernel's counters cannot be read: ${messageOf(error)}`;
        if (!isFailing)
          log.warn('backend counters cannot be read; some failures of backends are not detected', {
            error: messageOf(error),
          });
        isFailing = true;
      }
      await clock.sleep(Math.max(0, next - clock.monotonic()), signal);
    }
  }

  async #probeWhenDue(changed: () => void, signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      for (const probe of this.#ejector.takeDue(clock.monotonic())) void this.#probe(probe, changed);
      // Backends that their VIPs lost are forgotten with that.
      if (this.#ejector.register.hasChanged) changed();
      await new Promise<void>((wake) => {
        // Bounded, since each wake-up leaves a sleeping timer behind.
        const until = Math.min(clock.monotonic() + MAX_SLEEP_MS, this.#ejector.nextDue());
        this.#prober = { until, wake };
        void clock.sleep(until - clock.monotonic(), signal).then(wake);
      });
    }
  }

  async #probe(probe: Probe, changed: () => void): Promise<void> {
    const { prober, clock, log } = this.#ports;
    const { target, attempts, isWitness, startedAt } = probe;
    const results = await prober.probe(target, attempts);
    const ms = Math.round(clock.monotonic() - startedAt);
    log.debug('backend probed', { backend: target.key, results, isWitness, ms });
    if (attempts === 2 && !isWitness)
      this.#handshakes.recordProbe(target.key, startedAt, results.includes('connected'));
    this.#ejector.recordProbe(probe, results, clock.monotonic());
    this.#publish(changed);
  }

  /** Wakes the prober if a probe is due earlier than it knows, and reports changed ejections. */
  #publish(changed: () => void): void {
    if (this.#ejector.nextDue() < this.#prober.until) this.#prober.wake();
    if (this.#ejector.register.hasChanged) changed();
  }

  *#withTargets(outcomes: readonly Outcome[]): Generator<BackendOutcome> {
    for (const { services, backend, sign, hasAnswered } of outcomes) {
      const found = this.#backends.findInAny(services, backend);
      if (found !== null) yield { ...found, sign, hasAnswered };
    }
  }

  *#signs({ services }: CountersRead): Generator<BackendSign> {
    for (const [service, destinations] of services) {
      for (const [endpoint, readings] of destinations) {
        const found = this.#backends.find(service, endpoint);
        if (found === null) continue;
        const { protocol, address } = found.target;
        const sign = signOf({ protocol, family: familyOf(address) }, readings);
        if (sign !== null && isForCounters(sign, protocol, this.#tableRead === 'all'))
          yield { ...found, sign };
      }
    }
  }
}

const NONE: Ejections = new Map();

const PART_TEXT: Readonly<Record<ConnectionsExtent, string | null>> = {
  all: null,
  waiting: null,
  beginning: 'the connection table is too large to read whole: failures may be detected some seconds late',
};

/** Why reads are late; null if they are not. All times are in milliseconds. */
function lateText(what: string, cost: number, wait: number, lateMs: number): string | null {
  if (wait <= lateMs) return null;
  return `reading ${what} takes ${Math.round(cost)} ms, so it happens only every ${Math.round(wait / 1_000)} s`;
}
