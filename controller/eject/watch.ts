import { familyOf } from '../address.ts';
import type { CountersRead } from '../counters.ts';
import type { EjectionReport, Ejections, TargetKey } from '../ejection.ts';
import { messageOf } from '../errors.ts';
import type { Service, ServiceKey } from '../model.ts';
import type {
  Clock,
  ConnectionsExtent,
  ConnectionTable,
  DestinationCounters,
  EjectionFacts,
  Log,
  Prober,
} from '../ports.ts';
import type { Met, Signed } from './backends.ts';
import { Ejector } from './ejector.ts';
import { Handshakes, type Outcome } from './handshakes.ts';
import { CounterPace, TablePace } from './pace.ts';
import { isForCounters, signOf } from './suspicion.ts';
import { VipBackends } from './vip-backends.ts';
import type { Probe } from './watched.ts';

/** How often the connections are read where that costs little. */
const TABLE_MS = 200;
/** Of one processor, at most; where a read takes longer it is made more rarely. */
const TABLE_SHARE = 0.015;
/** Read more rarely than this, connections tell of a failure too late to be proud of it: that is told. */
const TABLE_LATE_MS = 2_000;
/** How much of the table of connections is read. */
type TableRead = ConnectionsExtent | 'none';
/**
 * The same of counters, by how much else tells of a failure. Beside the whole table they are read at longer intervals than the two
 * seconds in which the kernel brings them up to date, each time to something new.
 */
const COUNTERS: Readonly<
  Record<TableRead, { readonly everyMs: number; readonly share: number; readonly late: number }>
> = {
  all: { everyMs: 2_200, share: 0.005, late: 10_000 },
  waiting: { everyMs: 500, share: 0.005, late: 10_000 },
  beginning: { everyMs: 500, share: 0.005, late: 10_000 },
  none: { everyMs: 500, share: 0.02, late: 2_000 },
};
/**
 * By how much a read of the table may come before the ones before it are paid for: to see whether a new connection is answered,
 * and to see whether this host reaches others while a suspect is probed.
 */
const LENT_MS = { newConnections: 2_000, suspects: 5_000 } as const;
const AFTER_ERROR_MS = 5_000;
const LONGEST_SLEEP_MS = 1_000;

export interface WatchPorts {
  readonly connections: ConnectionTable;
  readonly counters: DestinationCounters;
  readonly prober: Prober;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds of processor time that this thread has used. */
  readonly cpuMs: () => number;
}

export interface WatchOptions {
  /** `observe`: what would be ejected is told, and stays in rotation. */
  readonly mode: EjectionReport['mode'];
  /** What the sources want, without ejections. */
  readonly services: () => ReadonlyMap<ServiceKey, Service>;
  /** Addresses of this host, which it reaches also when it is cut off. */
  readonly hostAddresses: () => ReadonlySet<string>;
}

/**
 * Watches the backends of VIPs: reads what becomes of connections to them, probes suspects, and says which do not answer.
 *
 * The table of connections tells it at once. The counters tell the rest, up to four seconds late: UDP, connections that had
 * been open, and all of it where that table cannot be read, or no more than a part of it.
 */
export class Watch implements EjectionFacts {
  readonly #ports: WatchPorts;
  readonly #options: WatchOptions;
  readonly #backends: VipBackends;
  readonly #ejector: Ejector;
  readonly #handshakes = new Handshakes();
  /** What keeps either from being read, or often enough. */
  #behind: { table: string | null; counters: string | null } = { table: null, counters: null };
  /** How much of the table of connections was read the last time. */
  #tableRead: TableRead = 'all';
  #wake: () => void = () => undefined;

  constructor(ports: WatchPorts, options: WatchOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#backends = new VipBackends(options.services, options.hostAddresses);
    this.#ejector = new Ejector(this.#backends);
  }

  /** None where it only observes. */
  get ejections(): Ejections {
    return this.#options.mode === 'on' ? this.#ejector.register.ejections : NONE;
  }

  takeChanged(): ReadonlySet<TargetKey> {
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

  /** Runs until `signal` aborts. `changed` is called when a pass is to be made with other ejections. */
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
    const pace = new TablePace();
    let last = clock.monotonic();
    while (!signal.aborted) {
      const from = clock.monotonic();
      let next = from + AFTER_ERROR_MS;
      try {
        const read = await connections.read();
        const [now, used] = [clock.monotonic(), cpuMs()];
        const { tcp, extent, bytes } = read;
        this.#tableRead = extent;
        // All of it came about after the read before began, and before this one ended.
        this.#ejector.met({ from: last, to: now }, this.#met(handshakes.read(tcp, now, extent)));
        this.#tell(changed);
        const cost = read.cost + cpuMs() - used;
        next = pace.next(
          from,
          { cost, bytes },
          { shortestMs: TABLE_MS, share: TABLE_SHARE, lentMs: this.#lentMs() },
        );
        this.#behind.table =
          lateText('the connections', cost, pace.interval, TABLE_LATE_MS) ?? PART_TEXT[extent];
      } catch (error) {
        handshakes.forget();
        if (this.#tableRead !== 'none')
          log.warn('connections cannot be read, so that failures of backends are found some seconds later', {
            error: messageOf(error),
          });
        this.#tableRead = 'none';
        this.#behind.table = `the kernel's connections cannot be read: ${messageOf(error)}`;
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
    const pace = new CounterPace();
    let isFailing = false;
    while (!signal.aborted) {
      const [from, cpuFrom] = [clock.monotonic(), cpuMs()];
      let wait = AFTER_ERROR_MS;
      try {
        const read = await counters.read((key) => this.#backends.isWatched(key));
        isFailing = false;
        this.#ejector.counted(this.#signed(read), clock.monotonic());
        this.#tell(changed);
        pace.took(Math.min(clock.monotonic() - from, cpuMs() - cpuFrom), read.entries);
        const { everyMs, share, late } = COUNTERS[this.#tableRead];
        wait = pace.interval(everyMs, share);
        this.#behind.counters =
          read.left > 0
            ? `more VIPs have new connections than are read at once: ${read.left} wait`
            : lateText('the counters', pace.cost, wait, late);
      } catch (error) {
        this.#behind.counters = `the kernel's counters cannot be read: ${messageOf(error)}`;
        if (!isFailing) log.warn('backends are not watched', { error: messageOf(error) });
        isFailing = true;
      }
      await clock.sleep(Math.max(0, wait - (clock.monotonic() - from)), signal);
    }
  }

  async #probeWhenDue(changed: () => void, signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      for (const probe of this.#ejector.takeDue(clock.monotonic())) void this.#probe(probe, changed);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // Bounded, or each wake-up would leave a sleeper behind.
        const wait = Math.min(LONGEST_SLEEP_MS, this.#ejector.nextDue() - clock.monotonic());
        void clock.sleep(wait, signal).then(resolve);
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
      this.#handshakes.probed(target.key, startedAt, results.includes('connected'));
    this.#ejector.probed(probe, results, clock.monotonic());
    this.#tell(changed);
  }

  #tell(changed: () => void): void {
    this.#wake();
    if (this.#ejector.register.hasChanged) changed();
  }

  *#met(outcomes: readonly Outcome[]): Generator<Met> {
    for (const { service, backend, sign, hasAnswered } of outcomes) {
      const found = this.#backends.find(service, backend);
      if (found !== null) yield { ...found, sign, hasAnswered };
    }
  }

  *#signed({ services }: CountersRead): Generator<Signed> {
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
  beginning:
    'only a part of the many connections is looked through: failures may be found some seconds later',
};

function lateText(what: string, cost: number, wait: number, late: number): string | null {
  if (wait <= late) return null;
  return `a read of ${what} takes ${Math.round(cost)} ms, so they are read every ${Math.round(wait / 1_000)} s`;
}
