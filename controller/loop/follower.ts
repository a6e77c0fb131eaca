import { messageOf } from '../errors.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Desired } from '../model/desired.ts';
import type { ServiceKey } from '../model/service.ts';
import type { PassStatus } from '../pass-status.ts';
import type { NamedEnd } from '../plan/large-removal.ts';
import type { EjectionFacts } from '../ports.ts';
import { Latch } from '../time.ts';
import { ManagedTable, type ManagedTablePorts, type ManagedTableRules } from './managed-table.ts';
import { Pass, type PassParts, type PassRequest } from './pass.ts';
import type { Planner } from './planner.ts';
import { Schedule, TICK_MS } from './schedule.ts';
import type { SharedDesired } from './shared-desired.ts';
import type { Turns } from './turns.ts';

/** How the table of a network namespace is kept. */
export interface FollowerRules extends ManagedTableRules {
  readonly ejections?: Pick<EjectionFacts, 'ejections'> | undefined;
  /** Interval of full passes, which read the whole kernel table. */
  readonly resyncMs: number;
}

/** What a pass over the host's table changed. */
export interface HostChange extends Pick<PassRequest, 'gone' | 'changesSince'> {
  readonly touched: ReadonlySet<ServiceKey>;
}

/** Passes over more services than this, and full ones, take turns with those of other tables. */
const LARGE = 50;
/** Full passes over several tables are spread over this share of their interval. */
const SPREAD = 0.2;

/**
 * Brings the desired state of the host's passes into the table of another network namespace, which has a ledger, a brake and
 * drains of its own. The host's passes do the translation, and remember names and their addresses.
 */
export class Follower {
  readonly #ports: ManagedTablePorts;
  readonly #rules: FollowerRules;
  readonly #shared: SharedDesired;
  readonly #turns: Turns;
  readonly #random: () => number;
  readonly #table: ManagedTable;
  readonly #schedule: Schedule;
  readonly #wake = new Latch<'changed' | 'read' | 'resync'>();
  #touched = new Set<ServiceKey>();
  #gone: readonly NamedEnd[] = [];
  #since: readonly number[] = [];
  #wasComplete = false;

  constructor(
    ports: ManagedTablePorts,
    rules: FollowerRules,
    shared: SharedDesired,
    inventory: Inventory,
    turns: Turns,
    random: () => number = Math.random,
  ) {
    this.#ports = ports;
    this.#rules = rules;
    this.#shared = shared;
    this.#turns = turns;
    this.#random = random;
    this.#table = new ManagedTable(ports, rules, inventory, random);
    this.#schedule = new Schedule(this.#table, ports.clock, () => this.#wake.set('read'));
  }

  get planner(): Planner {
    return this.#table.planner;
  }

  /** Takes the changes of a pass over the host's table, for the next pass over this one. */
  changed({ touched, gone, changesSince }: HostChange): void {
    for (const key of touched) this.#touched.add(key);
    this.#gone = [...this.#gone, ...gone];
    this.#since = [...this.#since, ...changesSince];
    if (touched.size > 0 || this.#shared.isComplete !== this.#wasComplete) this.#wake.set('changed');
  }

  /** Requests a full pass. */
  resync(): void {
    this.#wake.set('resync');
  }

  /**
   * Runs passes until `signal` aborts, beginning after the first pass over the host's table; calls `passed` after each.
   * Removes nothing when it ends. Never rejects: errors are in the status of the pass.
   */
  async run(passed: (pass: PassStatus) => void, signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    let tick = clock.monotonic();
    while (!signal.aborted) {
      const full = this.#nextPass();
      const { desired } = this.#shared;
      if (full === null || desired === null)
        await this.#wake.wait(Math.max(0, tick - clock.monotonic()), clock, signal);
      else {
        const pass = await this.#passInTurn(full, desired, signal);
        if (pass === null || signal.aborted) break;
        passed(pass);
        this.#schedule.passed(pass, this.#rules.resyncMs * (1 - SPREAD * this.#random()));
      }
      if (clock.monotonic() < tick) continue;
      this.#repair();
      tick = clock.monotonic() + TICK_MS;
    }
    await this.#table.reachability.settled();
  }

  /** Whether the next pass is a full one; null when there is nothing to do yet. */
  #nextPass(): boolean | null {
    const reasons = this.#wake.take();
    if (this.#shared.desired === null) return null;
    if (this.#schedule.takeFull(reasons.has('read') || reasons.has('resync'))) return true;
    const isTimerDue = this.#ports.clock.monotonic() >= this.#schedule.nextDue();
    return reasons.has('changed') || isTimerDue ? false : null;
  }

  /** null when the pass was not made because `signal` aborted first. */
  async #passInTurn(full: boolean, desired: Desired, signal: AbortSignal): Promise<PassStatus | null> {
    const isLarge = full || !this.#table.view.isKnown || this.#touched.size > LARGE;
    if (!isLarge) return await this.#pass(full, desired);
    return await this.#turns.take(this.#ports.clock, async () =>
      signal.aborted ? null : await this.#pass(full, desired),
    );
  }

  async #pass(full: boolean, desired: Desired): Promise<PassStatus> {
    const { clock } = this.#ports;
    const startedAt = clock.monotonic();
    const { isComplete: complete } = this.#shared;
    const request = { full, complete, gone: this.#gone, changesSince: this.#since };
    this.#wasComplete = complete;
    this.#gone = [];
    this.#since = [];
    this.#table.begin(request.gone, startedAt);
    const { ejections } = this.#rules;
    const parts = {
      table: this.#table,
      desired,
      translation: this.#following,
      unread: null,
      inventory: { settle: () => true, unknown: this.#shared.unknown },
      nameStore: NOBODY,
      // The host's pass has touched the services of changed ejections.
      ejections: ejections && { ejections: ejections.ejections, takeChanged: () => NONE },
      dryRun: false,
      clock,
    };
    return await new Pass(request, parts, startedAt).run();
  }

  #repair(): void {
    const { log } = this.#ports;
    this.#table.reachability.repairInBackground(
      (repaired) => log.warn('reachability repaired', { repaired }),
      (error) => log.debug('reachability could not be checked', { error: messageOf(error) }),
    );
  }

  /** Stands in for the translation, which the host's passes do. */
  readonly #following: PassParts['translation'] = {
    begin: () => undefined,
    work: () => true,
    commit: () => undefined,
    takeTouched: () => {
      const touched = this.#touched;
      this.#touched = new Set();
      return touched;
    },
  };
}

const NONE: ReadonlySet<string> = new Set();
/** The host's passes remember names. */
const NOBODY = { keep: () => undefined };
