import { DesiredState } from '../desired/desired-state.ts';
import type { TranslationRules } from '../desired/translation-rules.ts';
import { Inventory } from '../inventory/inventory.ts';
import type { Desired, Service, ServiceKey } from '../model.ts';
import type { PassStatus } from '../pass-status.ts';
import type { Owned } from '../plan/plan.ts';
import type { EjectionFacts, StateStore } from '../ports.ts';
import { KeptTable, type KeptTablePorts, type KeptTableRules } from './kept-table.ts';
import { NameStore } from './name-store.ts';
import { Pass, type PassParts, type PassRequest } from './pass.ts';
import type { Planner } from './planner.ts';
import type { ReachabilityView } from './reachability-view.ts';
import { takenVips, withdrawTaken } from './withdraw.ts';

export interface ReconcilePorts extends KeptTablePorts {
  readonly store: StateStore;
}

export interface ReconcileRules extends KeptTableRules {
  readonly translation: TranslationRules;
  /** Resolves once it is known, as far as it can be, which addresses are `taken`; at once from then on. Never rejects. */
  readonly ready?: () => Promise<void>;
  /** Which backends do not answer this host; absent where nobody watches. */
  readonly ejections?: EjectionFacts | undefined;
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
  readonly #table: KeptTable;
  readonly #nameStore: NameStore;

  constructor(ports: ReconcilePorts, rules: ReconcileRules, random: () => number = Math.random) {
    this.#ports = ports;
    this.#rules = rules;
    this.#table = new KeptTable(ports, rules, this.inventory, random);
    this.#nameStore = new NameStore(ports.store, ports.log, rules.dryRun);
  }

  get planner(): Planner {
    return this.#table.planner;
  }

  get reachability(): ReachabilityView {
    return this.#table.reachability;
  }

  /** What the sources want, ejections apart, as of the last pass; null before the first. It changes with the next one. */
  get desired(): Desired | null {
    return this.#desired;
  }

  /** What the sources want, ejections apart, as of the last pass; it changes with the next one. */
  get services(): ReadonlyMap<ServiceKey, Service> {
    return this.#desired?.services ?? NO_SERVICES;
  }

  /** Whether the kernel was read: otherwise a pass has to, and `refreshInBackground` serves nothing. */
  get isViewKnown(): boolean {
    return this.#table.view.isKnown;
  }

  /**
   * Reads the kernel's whole table, and looks whether VIPs are reachable, for the next full pass, while smaller ones go
   * on. To be called between passes; never rejects.
   */
  async refreshInBackground(): Promise<void> {
    await this.#table.refreshInBackground();
  }

  /** Whether a VIP of ours has an address that this program depends on, so that a pass is to be made at once. */
  mustWithdraw(): boolean {
    const { view, book } = this.#table;
    return view.isKnown && takenVips(book.owned, view.table, this.#rules).size > 0;
  }

  /** Resolves once what is remembered is on disk, or could not be saved. */
  async settled(): Promise<void> {
    await this.#nameStore.settled();
  }

  /** Removes VIPs as `mustWithdraw` means them where no source has been read yet. Between passes; never rejects. */
  async withdraw(): Promise<void> {
    if (this.#rules.dryRun) return;
    await this.#rules.ready?.();
    await withdrawTaken(this.#ports, this.#table, this.#rules);
  }

  /**
   * When a pass is worth making though nothing changed: a failed step is due, a drain may have ended, a backend grows, or a
   * VIP may move to a nearer tier.
   */
  nextLook(): number | null {
    return this.#table.nextLook();
  }

  async pass(request: PassRequest): Promise<PassStatus> {
    const { clock } = this.#ports;
    const startedAt = clock.monotonic();
    this.#table.begin(request.gone, startedAt);
    await this.#rules.ready?.();
    const parts = {
      table: this.#table,
      ...(await this.#load()),
      inventory: this.inventory,
      nameStore: this.#nameStore,
      ejections: this.#rules.ejections,
      dryRun: this.#rules.dryRun,
      clock,
    };
    return await new Pass(request, parts, startedAt).run();
  }

  /** `unread`: why the ledger cannot be read. Nothing may be written then, and the next pass begins anew. */
  async #load(): Promise<Pick<PassParts, 'desired' | 'translation' | 'unread'>> {
    const known = this.#desired;
    if (known !== null) return { desired: known, translation: known, unread: null };
    const { translation, inPool } = this.#rules;
    let unread: Error | null = null;
    const owned = await this.#table.book.read().catch((error: Error) => {
      unread = error;
      return new Map<ServiceKey, Owned>();
    });
    const desired = new DesiredState(translation, this.inventory, await this.#nameStore.load(owned, inPool));
    if (unread === null) this.#desired = desired;
    return { desired, translation: desired, unread };
  }
}

const NO_SERVICES: ReadonlyMap<ServiceKey, Service> = new Map();
