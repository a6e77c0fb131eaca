import { messageOf } from '../errors.ts';
import type { PassStatus } from '../pass-status.ts';
import type { AppSource, Observer } from '../ports.ts';
import type { Latch } from '../time.ts';
import { createConfirmation } from './confirm.ts';
import { follow } from './follow.ts';
import type { Followers } from './followers.ts';
import type { PassRequest } from './pass.ts';
import { createPassLog } from './pass-log.ts';
import type { ReconcilePorts, Reconciler } from './reconciler.ts';
import { saveRegularly } from './save.ts';
import { Schedule, TICK_MS } from './schedule.ts';
import { Sources } from './sources.ts';

/** What the loop reads, writes and reports to. */
export interface RunPorts extends ReconcilePorts {
  readonly sources: readonly AppSource[];
  readonly observer: Observer;
  /** Other tables with the same VIPs; absent when there are none. */
  readonly followers?: Followers | undefined;
}

/** When passes are made. */
export interface RunOptions {
  /** Interval of full passes, which read the whole kernel table. */
  readonly resyncMs: number;
  /**
   * How long changes are collected after a pass; half as long after a pass that did not wait itself, since a first change is often
   * soon followed by the last one. Later changes start a pass at once.
   */
  readonly settleMs: number;
  /** How long after the start the last good state on disk is used for sources that have not been read yet. */
  readonly restoreAfterMs: number;
  readonly dryRun: boolean;
}

/** What wakes the loop: a source changed, a full pass is requested, the table has been read in the background, or ejections changed. */
export type WakeReason = 'changed' | 'resync' | 'read' | 'ejections';

/** Interval of `withdraw` while no source has been read. */
const WITHDRAW_MS = 10_000;

/**
 * Reconciles until `signal` aborts: when a source changes, on request (`wake.set('resync')`), every `resyncMs`, and when a
 * retry or another timed step is due. A wake-up carries no data: a pass takes everything from the inventory.
 *
 * Removes nothing when it ends: the kernel goes on forwarding.
 */
export async function run(
  ports: RunPorts,
  reconciler: Reconciler,
  options: RunOptions,
  wake: Latch<WakeReason>,
  signal: AbortSignal,
): Promise<void> {
  await new HostLoop(ports, reconciler, options, wake).run(signal);
}

/** The loop of passes over the host's table. Times are milliseconds of the monotonic clock. */
class HostLoop {
  readonly #ports: RunPorts;
  readonly #reconciler: Reconciler;
  readonly #options: RunOptions;
  readonly #wake: Latch<WakeReason>;
  readonly #sources: Sources;
  readonly #schedule: Schedule;
  /** When the source reported each change that no pass has brought into the kernel yet. */
  #changesSince: number[] = [];
  /** The earliest time for a pass because of changes, so that many changes make few passes. */
  #settledAt: number;
  /** Whether the last pass waited for that time. */
  #hasWaited = false;
  /** When to check for VIPs that cut this host off from its sources, while no pass can be made. */
  #withdrawAt: number;
  /** When to use saved state for sources that have not been read; infinite once done. */
  #restoreAt: number;

  constructor(ports: RunPorts, reconciler: Reconciler, options: RunOptions, wake: Latch<WakeReason>) {
    this.#ports = ports;
    this.#reconciler = reconciler;
    this.#options = options;
    this.#wake = wake;
    this.#sources = new Sources(ports.sources, ports.observer, reconciler.inventory);
    this.#schedule = new Schedule(reconciler.table, ports.clock, () => wake.set('read'));
    const now = ports.clock.monotonic();
    this.#settledAt = now;
    this.#withdrawAt = now;
    this.#restoreAt = now + options.restoreAfterMs;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, observer, store, log } = this.#ports;
    const { reachability } = this.#reconciler.table;
    const following = this.#followSources(signal);
    const saving = this.#options.dryRun ? null : saveRegularly(this.#ports, this.#sources, signal);
    const confirmHeld = this.#createConfirmation(signal);
    const logPass = createPassLog(log);
    for (let tick = clock.monotonic(); !signal.aborted; ) {
      observer.moved();
      await this.#restoreIfDue();
      const request = await this.#nextPass(signal);
      if (signal.aborted) break;
      if (request === null) {
        const next = this.#sources.known ? Math.min(tick, this.#schedule.nextDue()) : tick;
        await this.#wake.wait(Math.max(0, next - clock.monotonic()), clock, signal);
      } else {
        logPass(await this.#makePass(request));
      }

      if (clock.monotonic() < tick) continue;
      this.#keepReachable();
      confirmHeld();
      await this.#withdrawIfDue();
      tick = clock.monotonic() + TICK_MS;
    }
    const settled = [reachability.settled(), this.#reconciler.settled(), store.settled?.()];
    await Promise.all([...following, saving, ...settled]);
  }

  #followSources(signal: AbortSignal): readonly Promise<void>[] {
    const changed = (since: number) => {
      this.#changesSince.push(since);
      this.#wake.set('changed');
    };
    return this.#ports.sources.map((source) => follow(source, this.#sources, this.#ports, changed, signal));
  }

  /** The confirmation of held removals, of this table and of the others. */
  #createConfirmation(signal: AbortSignal): () => void {
    const { planner } = this.#reconciler.table;
    const { followers } = this.#ports;
    const resyncAll = () => {
      this.#wake.set('resync');
      followers?.resync();
    };
    return createConfirmation(this.#ports, followers?.holder(planner) ?? planner, resyncAll, signal);
  }

  async #restoreIfDue(): Promise<void> {
    const { store, clock } = this.#ports;
    if (clock.monotonic() < this.#restoreAt) return;
    this.#restoreAt = Number.POSITIVE_INFINITY;
    if (!this.#sources.known) await this.#sources.restore(store);
  }

  /** The request for the next pass, once changes have settled; null when there is nothing to do yet. */
  async #nextPass(signal: AbortSignal): Promise<PassRequest | null> {
    const { clock } = this.#ports;
    const reasons = new Set(this.#wake.take());
    const changed = reasons.has('changed');
    const isAsked = () => reasons.has('resync') || reasons.has('read');
    const unsettled = this.#settledAt - clock.monotonic();
    const mustWait = changed && !isAsked() && unsettled > 0;
    if (mustWait) {
      await clock.sleep(unsettled, signal);
      for (const reason of this.#wake.take()) reasons.add(reason);
    }
    const full = this.#schedule.takeFull(isAsked());
    const isTimerDue = clock.monotonic() >= this.#schedule.nextDue();
    const isWanted = changed || full || reasons.has('ejections') || isTimerDue;
    if (!isWanted || !this.#sources.known) return null;
    this.#hasWaited = mustWait;
    const changesSince = this.#changesSince;
    this.#changesSince = [];
    const { complete } = this.#sources;
    return { full, complete, changesSince, gone: this.#sources.takeEnded().endpoints };
  }

  /** Runs a pass, reports it, and sets when the next one is due. */
  async #makePass(request: PassRequest): Promise<PassStatus> {
    const { clock, observer, followers } = this.#ports;
    const { resyncMs, settleMs } = this.#options;
    const pass = await this.#reconciler.pass(request);
    const { desired } = this.#reconciler;
    if (desired !== null) followers?.passed(request, pass, desired);
    await observer.prepare?.(pass);
    observer.passed(pass);
    this.#settledAt = clock.monotonic() + (this.#hasWaited ? settleMs : settleMs / 2);
    this.#schedule.passed(pass, resyncMs);
    return pass;
  }

  /** Restores what someone removed from interface or routes, independently of passes. */
  #keepReachable(): void {
    const { observer, log } = this.#ports;
    this.#reconciler.table.reachability.repairInBackground(
      (repaired) => {
        observer.repaired(repaired);
        log.warn('reachability repaired', { repaired });
      },
      (error) => log.warn('reachability could not be checked', { error: messageOf(error) }),
    );
  }

  /** Removes VIPs at addresses of sources, which may have become known only now, or may have cut this host off since before the start. */
  async #withdrawIfDue(): Promise<void> {
    const { clock } = this.#ports;
    if (this.#sources.known) {
      if (this.#reconciler.mustWithdraw()) this.#wake.set('resync');
    } else if (clock.monotonic() >= this.#withdrawAt) {
      await this.#reconciler.withdraw();
      this.#withdrawAt = clock.monotonic() + WITHDRAW_MS;
    }
  }
}
