import type { Inventory } from '../inventory/inventory.ts';
import type { NamedEnd } from '../plan/large-removal.ts';
import { Shortfalls } from '../plan/shortfall.ts';
import type { Clock, IpvsTable, Ledger, Log, Names, Reachability } from '../ports.ts';
import { earliest } from '../time.ts';
import { Applier } from './applier.ts';
import { CarryOver } from './carry-over.ts';
import { KernelView } from './kernel-view.ts';
import { LedgerBook } from './ledger-book.ts';
import type { HostFacts } from './nearness.ts';
import { Planner, type PlanRules } from './planner.ts';
import { ReachabilityView } from './reachability-view.ts';
import { Wanted } from './wanted.ts';

/** One kernel table, and what belongs to it. */
export interface ManagedTablePorts {
  readonly table: IpvsTable;
  /** null when nothing may be written. */
  readonly reachability: Reachability | null;
  /** Absent when names are not published. */
  readonly names?: Names | undefined;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
}

/** How one kernel table is kept. */
export interface ManagedTableRules extends PlanRules {
  /** Backends get their full weight at once: set for a single pass, after which nobody would raise weights. */
  readonly fullWeightAtOnce?: boolean;
  /** Facts about this host, for VIPs that want near backends; absent when only sources may know it. */
  readonly host?: HostFacts | undefined;
  readonly dryRun?: boolean;
}

/** The state of one kernel table that this program manages: what its passes work with and leave for the next one. */
export class ManagedTable {
  /** The kernel's table, as far as it is known. */
  readonly view: KernelView;
  /** The owned services in it, as in the ledger. */
  readonly book: LedgerBook;
  /** Whether packets to VIPs get to this host, as far as known. */
  readonly reachability: ReachabilityView;
  /** What the last pass left to do. */
  readonly carryOver = new CarryOver();
  /** The services that are not as desired. */
  readonly shortfalls = new Shortfalls();
  /** The services that it should have. */
  readonly wanted: Wanted;
  readonly planner: Planner;
  readonly applier: Applier;
  readonly #dryRun: boolean;

  constructor(
    ports: ManagedTablePorts,
    rules: ManagedTableRules,
    inventory: Inventory,
    random: () => number,
  ) {
    const { host = UNKNOWN_HOST, fullWeightAtOnce = false } = rules;
    this.wanted = new Wanted(host, inventory.places, fullWeightAtOnce);
    this.#dryRun = rules.dryRun === true;
    this.book = new LedgerBook(ports.ledger, ports.clock, ports.log);
    this.planner = new Planner(rules, inventory, this.wanted);
    this.reachability = new ReachabilityView(ports.reachability);
    this.view = new KernelView(ports.table);
    const { table, names } = ports;
    const { view, reachability, book } = this;
    this.applier = new Applier({
      table,
      names,
      view,
      reachability,
      unrecorded: (key) => book.unrecorded(key),
      disown: (keys) => book.forgetAll(keys),
      inPool: rules.inPool,
      random,
    });
  }

  /**
   * Reads the whole kernel table and checks reachability in the background, for the next full pass, while smaller passes go
   * on. Call it between passes; never rejects.
   */
  async refreshInBackground(): Promise<void> {
    await Promise.all([this.view.refreshInBackground(), this.reachability.refreshInBackground()]);
  }

  /**
   * When a pass is due although nothing changed: to retry a failed step, end a drain, raise a weight in slow start, or move a
   * VIP to a nearer tier. null when none is.
   */
  nextDue(): number | null {
    const { nearest } = this.wanted;
    const nextStep = this.#dryRun ? null : this.wanted.nextDue(this.view.table);
    return earliest(this.applier.nextDue(), this.carryOver.nextDrainCheck, nextStep, nearest.nextDue);
  }

  /** Starts a pass. */
  begin(gone: Iterable<NamedEnd>, now: number): void {
    this.planner.begin(gone, now);
    this.applier.begin(now);
  }
}

const UNKNOWN_HOST: HostFacts = { given: {}, addresses: () => NO_ADDRESSES };
const NO_ADDRESSES: ReadonlySet<string> = new Set();
