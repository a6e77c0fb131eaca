import { type RunOptions, run, type WakeReason } from '../../controller/loop/run.ts';
import type { PassStatus } from '../../controller/pass-status.ts';
import type { AppSource, Observer } from '../../controller/ports.ts';
import { type Clock, Latch } from '../../controller/time.ts';
import { World } from './world.ts';

const OPTIONS: RunOptions = { resyncMs: 30_000, settleMs: 50, restoreAfterMs: 5_000, dryRun: false };

/** A host in memory, with the real loop. */
export class Host {
  readonly world: World;
  readonly passes: PassStatus[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.world = new World(clock);
  }

  /** Follows a source until `signal` aborts. */
  follow(source: AppSource, signal: AbortSignal): Promise<void> {
    const observer: Observer = {
      moved: () => undefined,
      sourceRead: () => undefined,
      sourceFailed: () => undefined,
      passed: (pass) => this.passes.push(pass),
      repaired: () => undefined,
    };
    const ports = { ...this.world.ports(), clock: this.#clock, sources: [source], observer };
    return run(ports, this.world.start().reconciler, OPTIONS, new Latch<WakeReason>(), signal);
  }

  /** `10.0.0.1:80 w1` of all VIPs, sorted. */
  get backends(): readonly string[] {
    return [...this.world.kernel.keys()].flatMap((key) => this.world.backends(key)).sort();
  }

  /** Reasons of what any pass has held so far. */
  get held(): ReadonlySet<string> {
    return new Set(this.passes.flatMap(({ held }) => held?.reasons.map(([why]) => why) ?? []));
  }
}
