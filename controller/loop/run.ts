import { messageOf } from '../errors.ts';
import type { PassStatus } from '../pass-status.ts';
import type { AppSource, Observer } from '../ports.ts';
import type { Latch } from '../time.ts';
import { createConfirmation } from './confirm.ts';
import { follow } from './follow.ts';
import type { Followers } from './followers.ts';
import type { PassRequest } from './pass.ts';
import { createPassLog } from './pass-log.ts';
import type { ReachabilityView } from './reachability-view.ts';
import type { ReconcilePorts, Reconciler } from './reconciler.ts';
import { saveRegularly } from './save.ts';
import { Schedule, TICK_MS } from './schedule.ts';
import { Sources } from './sources.ts';

export interface RunPorts extends ReconcilePorts {
  readonly sources: readonly AppSource[];
  readonly observer: Observer;
  /** Other tables with the same VIPs; absent when there are none. */
  readonly followers?: Followers | undefined;
}

export interface RunOptions {
  /** Interval of full passes, which read the whole kernel table. */
  readonly resyncMs: number;
  /** How long changes are gathered after a pass. Later ones are acted on at once. */
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
  const sources = new Sources(ports.sources, ports.observer, reconciler.inventory);
  const changes = new Changes(wake);
  const following = ports.sources.map((source) =>
    follow(source, sources, ports, (since) => changes.add(since), signal),
  );
  const saving = options.dryRun ? Promise.resolve() : saveRegularly(ports, sources, signal);

  const { planner, reachability } = reconciler.table;
  const resyncAll = () => {
    wake.set('resync');
    ports.followers?.resync();
  };
  const holder = ports.followers?.holder(planner) ?? planner;
  const confirmHeld = createConfirmation(ports, holder, resyncAll, signal);
  const logPass = createPassLog(ports.log);
  const schedule = new Schedule(reconciler.table, ports.clock, () => wake.set('read'));
  const start = ports.clock.monotonic();
  const due: Due = {
    changes: start,
    tick: start,
    withdraw: start,
    restore: start + options.restoreAfterMs,
  };
  while (!signal.aborted) {
    ports.observer.moved();
    await restoreIfDue(ports, sources, due);
    const request = await nextPass(ports, schedule, sources, changes, due, signal);
    if (signal.aborted) break;
    if (request === null) {
      const next = Math.min(due.tick, sources.known ? schedule.nextLook() : due.tick);
      await wake.wait(Math.max(0, next - ports.clock.monotonic()), ports.clock, signal);
    } else {
      logPass(await makePass(request, ports, reconciler, options, schedule, due));
    }

    if (ports.clock.monotonic() < due.tick) continue;
    keepReachable(ports, reachability);
    confirmHeld();
    await withdrawIfDue(ports, reconciler, sources, wake, due);
    due.tick = ports.clock.monotonic() + TICK_MS;
  }
  await Promise.all([
    ...following,
    saving,
    reachability.settled(),
    reconciler.settled(),
    ports.store.settled?.(),
  ]);
}

/** When the source reported each change that no pass has brought into the kernel yet. */
class Changes {
  #since: number[] = [];
  readonly wake: Latch<WakeReason>;

  constructor(wake: Latch<WakeReason>) {
    this.wake = wake;
  }

  add(since: number): void {
    this.#since.push(since);
    this.wake.set('changed');
  }

  take(): readonly number[] {
    const taken = this.#since;
    this.#since = [];
    return taken;
  }
}

interface Due {
  /** The earliest time for a pass because of changes, so that many changes make few passes. */
  changes: number;
  /** When interface and routes are checked next. */
  tick: number;
  /** When to look for VIPs that cut this host off from its sources, while no pass can be made. */
  withdraw: number;
  /** When to use saved state for sources that have not been read; infinite once done. */
  restore: number;
}

/** Removes VIPs at addresses of sources, which may have become known only now, or may have cut this host off since before the start. */
async function withdrawIfDue(
  { clock }: RunPorts,
  reconciler: Reconciler,
  sources: Sources,
  wake: Latch<WakeReason>,
  due: Due,
): Promise<void> {
  if (sources.known) {
    if (reconciler.mustWithdraw()) wake.set('resync');
  } else if (clock.monotonic() >= due.withdraw) {
    await reconciler.withdraw();
    due.withdraw = clock.monotonic() + WITHDRAW_MS;
  }
}

async function restoreIfDue({ store, clock }: RunPorts, sources: Sources, due: Due): Promise<void> {
  if (clock.monotonic() < due.restore) return;
  due.restore = Number.POSITIVE_INFINITY;
  if (!sources.known) await sources.restore(store);
}

/** The request for the next pass, once changes have settled; null when there is nothing to do yet. */
async function nextPass(
  { clock }: RunPorts,
  schedule: Schedule,
  sources: Sources,
  changes: Changes,
  due: Due,
  signal: AbortSignal,
): Promise<PassRequest | null> {
  const { wake } = changes;
  const reasons = new Set(wake.take());
  const changed = reasons.has('changed');
  const isAsked = () => reasons.has('resync') || reasons.has('read');
  const unsettled = due.changes - clock.monotonic();
  if (changed && !isAsked() && unsettled > 0) {
    await clock.sleep(unsettled, signal);
    for (const reason of wake.take()) reasons.add(reason);
  }
  const full = schedule.isFull(isAsked());
  const wanted = changed || full || reasons.has('ejections') || clock.monotonic() >= schedule.nextLook();
  if (!wanted || !sources.known) return null;
  const { complete } = sources;
  return { full, complete, changesSince: changes.take(), gone: sources.takeEnded().endpoints };
}

/** Runs a pass, reports it, and sets when the next one is due. */
async function makePass(
  request: PassRequest,
  { clock, observer, followers }: RunPorts,
  reconciler: Reconciler,
  { resyncMs, settleMs }: RunOptions,
  schedule: Schedule,
  due: Due,
): Promise<PassStatus> {
  const pass = await reconciler.pass(request);
  if (reconciler.desired !== null) followers?.passed(request, pass, reconciler.desired);
  await observer.prepare?.(pass);
  observer.passed(pass);
  due.changes = clock.monotonic() + settleMs;
  schedule.passed(pass, resyncMs);
  return pass;
}

/** Restores what someone removed from interface or routes, independently of passes. */
function keepReachable({ observer, log }: RunPorts, reachability: ReachabilityView): void {
  reachability.repairInBackground(
    (repaired) => {
      observer.repaired(repaired);
      log.warn('reachability repaired', { repaired });
    },
    (error) => log.warn('reachability could not be looked at', { error: messageOf(error) }),
  );
}
