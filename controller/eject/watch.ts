import { familyOf } from '../address.ts';
import type { EjectionReport, Ejections, TargetKey } from '../ejection.ts';
import { messageOf } from '../errors.ts';
import type { Service, ServiceKey } from '../model.ts';
import type { Clock, CountersRead, DestinationCounters, EjectionFacts, Log, Prober } from '../ports.ts';
import { Ejector, type Signed } from './ejector.ts';
import { shownBy } from './suspicion.ts';
import { VipBackends } from './vip-backends.ts';
import type { Probe } from './watched.ts';

/** How often counters are read where that costs little. */
const READ_MS = 150;
/** Of one processor, at most; where a read takes longer it is made more rarely. */
const MOST_SHARE = 0.02;
/** Read more rarely than this, counters tell of a failure too late to be proud of it: that is told. */
const LATE_MS = 2_000;
/** The median of so many reads says what one costs: what else goes on in this thread meanwhile only ever adds to it. */
const READS_COMPARED = 5;
/** More than this a read does not cost, on the slowest of machines: a small table is never read rarely because others are busy. */
const MOST_COST_MS = { read: 2, entry: 0.05 } as const;
const AFTER_ERROR_MS = 5_000;
const LONGEST_SLEEP_MS = 1_000;

export interface WatchPorts {
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

/** Watches the backends of VIPs: reads their counters, probes suspects, and says which do not answer. */
export class Watch implements EjectionFacts {
  readonly #ports: WatchPorts;
  readonly #options: WatchOptions;
  readonly #backends: VipBackends;
  readonly #ejector: Ejector;
  #behind: string | null = null;
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
    return { mode: this.#options.mode, ejections, suspects, blind, behind: this.#behind, ...counts };
  }

  /** Runs until `signal` aborts. `changed` is called when a pass is to be made with other ejections. */
  async run(changed: () => void, signal: AbortSignal): Promise<void> {
    await Promise.all([this.#readAgainAndAgain(changed, signal), this.#probeWhenDue(changed, signal)]);
    this.#ports.counters.close();
  }

  async #readAgainAndAgain(changed: () => void, signal: AbortSignal): Promise<void> {
    const { counters, clock, log, cpuMs } = this.#ports;
    let last = clock.monotonic();
    let isFailing = false;
    const costs: number[] = Array.from({ length: READS_COMPARED }, () => 0);
    while (!signal.aborted) {
      const [from, cpuFrom] = [clock.monotonic(), cpuMs()];
      let wait = AFTER_ERROR_MS;
      try {
        const read = await counters.read((key) => this.#backends.isWatched(key));
        isFailing = false;
        // All of it was counted after the read before began, and before this one ended.
        this.#ejector.counted({ from: last, to: clock.monotonic() }, this.#signed(read));
        last = from;
        this.#tell(changed);
        costs.shift();
        const most = MOST_COST_MS.read + MOST_COST_MS.entry * read.entries;
        costs.push(Math.min(clock.monotonic() - from, cpuMs() - cpuFrom, most));
        const cost = costs.toSorted((a, b) => a - b)[Math.floor(READS_COMPARED / 2)] ?? 0;
        wait = Math.max(READ_MS, cost / MOST_SHARE);
        this.#behind = behindText(cost, wait, read.left);
      } catch (error) {
        this.#behind = `the kernel's counters cannot be read: ${messageOf(error)}`;
        if (!isFailing) log.warn('backends are not watched', { error: messageOf(error) });
        isFailing = true;
        last = clock.monotonic();
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
    this.#ejector.probed(probe, results, clock.monotonic());
    this.#tell(changed);
  }

  #tell(changed: () => void): void {
    this.#wake();
    if (this.#ejector.register.hasChanged) changed();
  }

  *#signed({ services }: CountersRead): Generator<Signed> {
    for (const [service, destinations] of services) {
      for (const [endpoint, { readings, isInARow }] of destinations) {
        const found = this.#backends.find(service, endpoint);
        if (found === null) continue;
        const { protocol, address } = found.target;
        const shown = shownBy({ protocol, family: familyOf(address) }, readings, isInARow);
        if (shown !== null && (shown.sign.kind !== 'quiet' || shown.hasAnswered))
          yield { ...found, ...shown };
      }
    }
  }
}

const NONE: Ejections = new Map();

function behindText(cost: number, wait: number, left: number): string | null {
  if (left > 0) return `more VIPs have new connections than are read at once: ${left} wait`;
  if (wait <= LATE_MS) return null;
  return `a read of the counters takes ${Math.round(cost)} ms, so they are read every ${Math.round(wait / 1_000)} s`;
}
