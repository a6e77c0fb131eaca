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
import { Sources } from './sources.ts';

export interface RunPorts extends ReconcilePorts {
  readonly sources: readonly AppSource[];
  readonly observer: Observer;
  /** Other tables that are to have the same VIPs; absent where there are none. */
  readonly followers?: Followers | undefined;
}

export interface RunOptions {
  /** How often the kernel's whole table is read and put right. */
  readonly resyncMs: number;
  /** How long changes are gathered after a pass; one that comes later is acted on at once. */
  readonly settleMs: number;
  /** How long after the start the last good state on disk is used for sources that have not answered yet. */
  readonly restoreAfterMs: number;
  readonly dryRun: boolean;
}

/** What wakes the loop: a source changed, someone wants the whole table put right now, it has been read in the background, or other backends than before do not answer. */
export type WakeReason = 'changed' | 'resync' | 'read' | 'ejections';

/** How often the loop shows that it moves, and interface and routes are looked at. */
const TICK_MS = 1_000;
/** The kernel or our own files could not be read or written: again after this. */
const RETRY_AFTER_ERROR_MS = 2_000;
/** How often the kernel is looked at while no source has said anything. */
const WITHDRAW_MS = 10_000;

/**
 * Reconciles until `signal` aborts: when a source tells of a change, on request (`wake.set('resync')`), every
 * `resyncMs`, and when a failed step may be tried again. Changes carry no data that a pass relies on; each computes
 * from the whole.
 *
 * Removes nothing when it ends: the kernel forwards on.
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

  const { planner } = reconciler;
  const resyncAll = () => {
    wake.set('resync');
    ports.followers?.resync();
  };
  const holder = ports.followers?.holder(planner) ?? planner;
  const confirmHeld = createConfirmation(ports, holder, resyncAll, signal);
  const logPass = createPassLog(ports.log);
  const start = ports.clock.monotonic();
  let repairing: Promise<void> | null = null;
  const due: Due = {
    full: start,
    look: start,
    changes: start,
    tick: start,
    withdraw: start,
    restore: start + options.restoreAfterMs,
  };
  while (!signal.aborted) {
    ports.observer.moved();
    await restoreIfDue(ports, sources, due);
    const request = await nextPass(ports, reconciler, sources, changes, due, signal);
    if (signal.aborted) break;
    if (request === null) {
      const next = Math.min(due.tick, sources.known ? nextLook(reconciler, due) : due.tick);
      await wake.wait(Math.max(0, next - ports.clock.monotonic()), ports.clock, signal);
    } else {
      logPass(await makePass(request, ports, reconciler, options, due));
    }

    if (ports.clock.monotonic() < due.tick) continue;
    // A change does not wait for it; one that takes long is not begun once more.
    repairing ??= keepReachable(ports, reconciler).finally(() => {
      repairing = null;
    });
    confirmHeld();
    await withdrawIfDue(ports, reconciler, sources, wake, due);
    due.tick = ports.clock.monotonic() + TICK_MS;
  }
  await Promise.all([...following, saving, repairing, reconciler.settled(), ports.store.settled?.()]);
}

/** When the source told of each change that no pass has brought into the kernel yet. */
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
  /** When the kernel's whole table is to be read again; infinite while it is being read. */
  full: number;
  /** Not before this for a failed step, a drain or a slow start: after an error they would be due again at once, and for ever. */
  look: number;
  /** Not before this for a change: many that come together make few passes, and one by itself does not wait. */
  changes: number;
  /** When interface and routes are looked at again: a change does not wait for that. */
  tick: number;
  /** While no pass can be made: when to look for VIPs that cut this host off from its sources. */
  withdraw: number;
  /** When to turn to the disk for sources that have said nothing; infinite once done. */
  restore: number;
}

/** A VIP may have the address of a source that was learnt only now, or cut this host off from it since before the start. */
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

/** What the next pass works on, once changes have settled; null when there is nothing to do yet. */
async function nextPass(
  { clock }: RunPorts,
  reconciler: Reconciler,
  sources: Sources,
  changes: Changes,
  due: Due,
  signal: AbortSignal,
): Promise<PassRequest | null> {
  const { wake } = changes;
  const reasons = new Set(wake.take());
  const changed = reasons.has('changed');
  const whole = () => reasons.has('resync') || reasons.has('read');
  const unsettled = due.changes - clock.monotonic();
  if (changed && !whole() && unsettled > 0) {
    await clock.sleep(unsettled, signal);
    for (const reason of wake.take()) reasons.add(reason);
  }
  const now = clock.monotonic();
  if (now >= due.full && reconciler.isViewKnown) {
    due.full = Number.POSITIVE_INFINITY;
    void reconciler.refreshInBackground().then(() => wake.set('read'));
  }
  const full = whole() || now >= due.full;
  const wanted = changed || full || reasons.has('ejections') || now >= nextLook(reconciler, due);
  if (!wanted || !sources.known) return null;
  const { complete } = sources;
  return { full, complete, changesSince: changes.take(), gone: sources.takeEnded().endpoints };
}

/** When a pass is to be made though nothing changed; infinite: not at all. */
function nextLook(reconciler: Reconciler, due: Due): number {
  const look = reconciler.nextLook();
  return look === null ? Number.POSITIVE_INFINITY : Math.max(look, due.look);
}

/** Makes a pass, tells of it, and says when the next one is due. */
async function makePass(
  request: PassRequest,
  { clock, observer, followers }: RunPorts,
  reconciler: Reconciler,
  { resyncMs, settleMs }: RunOptions,
  due: Due,
): Promise<PassStatus> {
  const pass = await reconciler.pass(request);
  if (reconciler.desired !== null) followers?.passed(request, pass, reconciler.desired);
  await observer.prepare?.(pass);
  observer.passed(pass);
  const now = clock.monotonic();
  due.changes = now + settleMs;
  if (pass.error !== null) due.full = due.look = now + RETRY_AFTER_ERROR_MS;
  else if (pass.kind === 'full') due.full = now + resyncMs;
  return pass;
}

/** What someone took from interface or routes comes back, whether passes are made or not. */
async function keepReachable({ observer, log }: RunPorts, { reachability }: Reconciler): Promise<void> {
  try {
    const repaired = await reachability.repair();
    if (repaired.length === 0) return;
    observer.repaired(repaired);
    log.warn('reachability repaired', { repaired });
  } catch (error) {
    log.warn('reachability could not be looked at', { error: messageOf(error) });
  }
}
