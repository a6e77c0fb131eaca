import type { KernelReading, ServiceCounters } from '../counters.ts';
import type { ServiceKey } from '../model.ts';
import { inTurns } from '../pace.ts';
import type { Clock, KernelCounters } from '../ports.ts';
import { type CountedBefore, type LastFull, type Spread, spreadOf, updateFull } from './spread.ts';
import type { VipRecords } from './vip-records.ts';

/** How new connections spread, by the id of the VIP; without those of which nothing can be said. */
export type Spreads = ReadonlyMap<string, Spread>;

/** So often counters are read where nobody else asks for them. */
const READ_MS = 60_000;
/** Of the time, reading them for this may take so much. */
const MOST_SHARE = 0.005;
/** Counters are compared with those of so long before, up to twice that. */
const SPAN_MS = 300_000;

/** The kernel's counters. Each read also tells how new connections spread over the backends of VIPs. */
export class SpreadWatch implements KernelCounters {
  readonly #counters: KernelCounters;
  readonly #vips: () => VipRecords;
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  /** What is compared with, and what will be from the next span on. */
  #before = new Map<ServiceKey, Counts>();
  #next = this.#before;
  #nextAt: number | null = null;
  /** Of the VIPs that had a full backend since what they are compared with. */
  #full = new Map<ServiceKey, LastFull>();
  #spreads: Spreads = new Map();
  /** What was read is learnt in its order, however many read. */
  #learning = Promise.resolve();

  constructor(counters: KernelCounters, vips: () => VipRecords, clock: Pick<Clock, 'monotonic' | 'sleep'>) {
    this.#counters = counters;
    this.#vips = vips;
    this.#clock = clock;
  }

  /** As of the last read. */
  get spreads(): Spreads {
    return this.#spreads;
  }

  async read(services: Iterable<ServiceKey>): Promise<KernelReading> {
    // What is counted while it reads belongs to the next span.
    const at = this.#clock.monotonic();
    const reading = await this.#counters.read(services);
    const learnt = this.#learning.then(() => this.#learn(at, reading.services));
    // One that fails is no reason for the next one to.
    this.#learning = learnt.catch(() => undefined);
    await learnt;
    return reading;
  }

  /** Reads counters now and then until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const from = this.#clock.monotonic();
      // Whoever asks for the status is told why they cannot be read.
      await this.read(this.#vips().keys()).catch(() => undefined);
      const took = this.#clock.monotonic() - from;
      await this.#clock.sleep(Math.max(READ_MS, took / MOST_SHARE) - took, signal);
    }
  }

  close(): void {
    this.#counters.close();
  }

  /** In turns: at 10,000 VIPs that are all in use it takes a tenth of a second. */
  async #learn(at: number, services: KernelReading['services']): Promise<void> {
    this.#nextAt ??= at;
    if (at - this.#nextAt >= SPAN_MS) {
      const next = await inTurns(countAll(at, services, this.#next));
      this.#before = this.#next;
      this.#next = next;
      this.#nextAt = at;
    }
    this.#spreads = await inTurns(this.#compare(at, services));
  }

  *#compare(at: number, services: KernelReading['services']): Generator<undefined, Spreads> {
    const vips = this.#vips();
    const spreads = new Map<string, Spread>();
    const allFull = new Map<ServiceKey, LastFull>();
    for (const [key, counted] of services) {
      const vip = vips.get(key);
      const before = this.#before.get(key) ?? this.#begin(key, countsOf(at, counted));
      if (vip !== undefined && !isIdle(before, counted)) {
        const full = updateFull(this.#full.get(key) ?? NEVER, vip, before, counted.backends, at);
        if (full.size > 0) allFull.set(key, full);
        const spread = spreadOf(vip, before, counted.backends, full);
        if (spread !== null) spreads.set(key, spread);
      }
      yield;
    }
    this.#full = allFull;
    return spreads;
  }

  /** A VIP that was not there before is compared from now on. */
  #begin(key: ServiceKey, counts: Counts): Counts {
    this.#before.set(key, counts);
    if (!this.#next.has(key)) this.#next.set(key, counts);
    return counts;
  }
}

const NEVER: LastFull = new Map();

/** What was counted of a service at one moment. */
interface Counts extends CountedBefore {
  /** By the service itself: with what backends got that are gone. */
  readonly all: number;
}

function* countAll(
  at: number,
  services: KernelReading['services'],
  before: ReadonlyMap<ServiceKey, Counts>,
): Generator<undefined, Map<ServiceKey, Counts>> {
  const counts = new Map<ServiceKey, Counts>();
  for (const [key, counted] of services) {
    const known = before.get(key);
    // Of a service that nobody uses the numbers are kept once.
    counts.set(key, known !== undefined && isIdle(known, counted) ? { ...known, at } : countsOf(at, counted));
    yield;
  }
  return counts;
}

function countsOf(at: number, { traffic, backends }: ServiceCounters): Counts {
  const counts = [...backends].map(([key, counted]) => [key, counted.traffic.connections] as const);
  return { at, all: traffic.connections, backends: new Map(counts) };
}

function isIdle({ all, backends }: Counts, now: ServiceCounters): boolean {
  return all === now.traffic.connections && backends.size === now.backends.size;
}
