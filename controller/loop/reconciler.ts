import { DesiredState } from '../desired/desired-state.ts';
import type { TranslationRules } from '../desired/translation-rules.ts';
import { Inventory } from '../inventory/inventory.ts';
import type { Service, ServiceKey } from '../model.ts';
import type { PassStatus } from '../pass-status.ts';
import type { Owned } from '../plan/plan.ts';
import { Shortfalls } from '../plan/shortfall.ts';
import type {
  Clock,
  EjectionFacts,
  IpvsTable,
  Ledger,
  Log,
  Names,
  Reachability,
  StateStore,
} from '../ports.ts';
import { Applier } from './applier.ts';
import { earliest } from './backoff.ts';
import { CarryOver } from './carry-over.ts';
import { KernelView } from './kernel-view.ts';
import { LedgerBook } from './ledger-book.ts';
import { NameStore } from './name-store.ts';
import { type HostFacts, Nearest } from './nearness.ts';
import { Pass, type PassParts, type PassRequest } from './pass.ts';
import { Planner, type PlanRules } from './planner.ts';
import { ReachabilityView } from './reachability-view.ts';
import { SlowStarts } from './slow-starts.ts';
import { takenVips, withdrawTaken } from './withdraw.ts';

export interface ReconcilePorts {
  readonly table: IpvsTable;
  /** null where nothing is to be written. */
  readonly reachability: Reachability | null;
  /** Absent where nobody is told of names. */
  readonly names?: Names | undefined;
  readonly ledger: Ledger;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ReconcileRules extends PlanRules {
  readonly translation: TranslationRules;
  /** Resolves once it is known, as far as it can be, which addresses are `taken`; at once from then on. Never rejects. */
  readonly ready?: () => Promise<void>;
  /** Which backends do not answer this host; absent where nobody watches. */
  readonly ejections?: EjectionFacts | undefined;
  /** Set where nobody would make the steps of a slow start: backends then have their full weight at once. */
  readonly fullWeightAtOnce?: boolean;
  /** This host, for VIPs that want near backends; absent where nothing of it is known besides what sources tell. */
  readonly host?: HostFacts | undefined;
  readonly dryRun: boolean;
}

/**
 * Makes passes: source -> desired -> plan -> apply -> status. One at a time.
 *
 * Every pass computes from what the sources say now and what the kernel has: a full pass reads the kernel, a smaller
 * one trusts what the pass before left there. A pass never rejects: what went wrong is in its status, and the next
 * pass reads the kernel again.
 */
export class Reconciler {
  readonly #ports: ReconcilePorts;
  readonly #rules: ReconcileRules;
  /** What passes bring into the kernel. */
  readonly inventory = new Inventory();
  /** null until what is remembered has been read. */
  #desired: DesiredState | null = null;
  readonly planner: Planner;
  readonly reachability: ReachabilityView;
  readonly #applier: Applier;
  readonly #book: LedgerBook;
  readonly #nameStore: NameStore;
  readonly #view: KernelView;
  readonly #carryOver = new CarryOver();
  readonly #shortfalls = new Shortfalls();
  readonly #slowStarts: SlowStarts;
  readonly #nearest: Nearest;

  constructor(ports: ReconcilePorts, rules: ReconcileRules, random: () => number = Math.random) {
    this.#ports = ports;
    this.#rules = rules;
    this.#book = new LedgerBook(ports.ledger, ports.clock, ports.log);
    this.planner = new Planner(rules, this.inventory);
    this.#nearest = new Nearest(rules.host ?? UNKNOWN_HOST, this.inventory.places);
    this.reachability = new ReachabilityView(ports.reachability);
    this.#nameStore = new NameStore(ports.store, ports.log, rules.dryRun);
    this.#view = new KernelView(ports.table);
    this.#slowStarts = new SlowStarts(rules.fullWeightAtOnce === true);
    const { table, names } = ports;
    const unrecorded = (key: ServiceKey) => this.#book.unrecorded(key);
    const parts = {
      view: this.#view,
      reachability: this.reachability,
      unrecorded,
      inPool: rules.inPool,
      random,
    };
    this.#applier = new Applier({ table, names, ...parts });
  }

  /** What the sources want, ejections apart, as of the last pass; it changes with the next one. */
  get services(): ReadonlyMap<ServiceKey, Service> {
    return this.#desired?.services ?? NO_SERVICES;
  }

  /** Whether the kernel was read: otherwise a pass has to, and `refreshInBackground` serves nothing. */
  get isViewKnown(): boolean {
    return this.#view.isKnown;
  }

  /**
   * Reads the kernel's whole table, and looks whether VIPs are reachable, for the next full pass, while smaller ones go
   * on. To be called between passes; never rejects.
   */
  async refreshInBackground(): Promise<void> {
    await Promise.all([this.#view.refreshInBackground(), this.reachability.refreshInBackground()]);
  }

  /** Whether a VIP of ours has an address that this program depends on, so that a pass is to be made at once. */
  mustWithdraw(): boolean {
    return this.#view.isKnown && takenVips(this.#book.owned, this.#view.table, this.#rules).size > 0;
  }

  /** Resolves once what is remembered is on disk, or could not be saved. */
  async settled(): Promise<void> {
    await this.#nameStore.settled();
  }

  /** Removes VIPs as `mustWithdraw` means them where no source has been read yet. Between passes; never rejects. */
  async withdraw(): Promise<void> {
    if (this.#rules.dryRun) return;
    await this.#rules.ready?.();
    await withdrawTaken(this.#ports, { book: this.#book, reachability: this.reachability }, this.#rules);
  }

  /**
   * When a pass is worth making though nothing changed: a failed step is due, a drain may have ended, a backend grows, or a
   * VIP may move to a nearer tier.
   */
  nextLook(): number | null {
    const nextStep = this.#rules.dryRun ? null : this.#slowStarts.nextDue(this.#view.table);
    return earliest(this.#applier.nextDue(), this.#carryOver.nextDrainLook, nextStep, this.#nearest.nextLook);
  }

  async pass(request: PassRequest): Promise<PassStatus> {
    const { clock } = this.#ports;
    const startedAt = clock.monotonic();
    this.planner.begin(request.gone, startedAt);
    this.#applier.begin();
    await this.#rules.ready?.();
    const parts = {
      ...(await this.#load()),
      inventory: this.inventory,
      view: this.#view,
      book: this.#book,
      planner: this.planner,
      applier: this.#applier,
      nameStore: this.#nameStore,
      shortfalls: this.#shortfalls,
      carryOver: this.#carryOver,
      ejections: this.#rules.ejections,
      slowStarts: this.#slowStarts,
      nearest: this.#nearest,
      dryRun: this.#rules.dryRun,
      clock,
    };
    return await new Pass(request, parts, startedAt).run();
  }

  /** `unread`: why the ledger cannot be read. Nothing may be written then, and the next pass begins anew. */
  async #load(): Promise<Pick<PassParts, 'desired' | 'unread'>> {
    if (this.#desired !== null) return { desired: this.#desired, unread: null };
    const { translation, inPool } = this.#rules;
    let unread: Error | null = null;
    const owned = await this.#book.read().catch((error: Error) => {
      unread = error;
      return new Map<ServiceKey, Owned>();
    });
    const desired = new DesiredState(translation, this.inventory, await this.#nameStore.load(owned, inPool));
    if (unread === null) this.#desired = desired;
    return { desired, unread };
  }
}

const UNKNOWN_HOST: HostFacts = { given: {}, addresses: () => NO_ADDRESSES };
const NO_ADDRESSES: ReadonlySet<string> = new Set();
const NO_SERVICES: ReadonlyMap<ServiceKey, Service> = new Map();
