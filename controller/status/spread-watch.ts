import type { KernelReading, ServiceCounters } from '../model/counters.ts';
import type { ServiceKey } from '../model/service.ts';
import { inTurns } from '../pace.ts';
import type { Clock, KernelCounters } from '../ports.ts';
import { type CountedBefore, type LastFull, type Spread, spreadOf, updateFull } from './spread.ts';
import type { VipRecords } from './vip-records.ts';

/** How new connections spread, by the id of the VIP. VIPs with too little traffic to judge are absent. */
export type Spreads = ReadonlyMap<string, Spread>;

/** How often counters are read if nothing else reads them. */
const READ_MS = 60_000;
/** The largest share of time that these reads may take. */
const MAX_READ_SHARE = 0.005;
/** Counters are compared with those read this long ago, up to twice as long. */
const SPAN_MS = 300_000;

/** Reads the kernel's counters, and measures with each read how new connections spread over the backends of VIPs. */
export class SpreadWatch implements KernelCounters {
  readonly #counters: KernelCounters;
  readonly #vips: () => VipRecords;
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  /** The counts to compare with now, and from the next span on. */
  #before = new Map<ServiceKey, Counts>();
  #next = this.#before;
  #nextAt: number | null = null;
  /** VIPs that had a full backend since the counts of `#before`. */
  #full = new Map<ServiceKey, LastFull>();
  #spreads: Spreads = new Map();
  /** Makes concurrent reads update the counts in their order. */
  #updating = Promise.resolve();

  constructor(counters: KernelCounters, vips: () => VipRecords, clock: Pick<Clock, 'monotonic' | 'sleep'>) {
    this.#counters = counters;
    this.#vips = vips;
    this.#clock = clock;
  }

  /** The spreads as of the last read. */
  get spreads(): Spreads {
    return this.#spreads;
  }

  async read(services: Iterable<ServiceKey>): Promise<KernelReading> {
    // Connections counted during the read belong to the next span.
    const at = this.#clock.monotonic();
    const reading = await this.#counters.read(services);
    const updated = this.#updating.then(() => this.#update(at, reading.services));
    // A failed update must not fail the next one.
    this.#updating = updated.catch(() => undefined);
    await updated;
    return reading;
  }

  /** Reads counters periodically until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const from = this.#clock.monotonic();
      // The status reports why counters cannot be read.
      await this.read(this.#vips().keys()).catch(() => undefined);
      const took = this.#clock.monotonic() - from;
      await this.#clock.sleep(Math.max(READ_MS, took / MAX_READ_SHARE) - took, signal);
    }
  }

  close(): void {
    this.#counters.close();
  }

  /** Yields to the event loop: with 10,000 VIPs in use this takes a tenth of a second. */
  async #update(at: number, services: KernelReading['services']): Promise<void> {
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

  /** A new VIP is compared from now on. */
  #begin(key: ServiceKey, counts: Counts): Counts {
    this.#before.set(key, counts);
    if (!this.#next.has(key)) this.#next.set(key, counts);
    return counts;
  }
}

const NEVER: LastFull = new Map();

/** The connections counted for a service at one moment. */
interface Counts extends CountedBefore {
  /** The service's own counter, which includes backends that are gone. */
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
    // Idle services share one object, which saves memory.
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
