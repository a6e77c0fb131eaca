import { DesiredState } from '../desired/desired-state.ts';
import type { TranslationRules } from '../desired/translation-rules.ts';
import { Inventory } from '../inventory/inventory.ts';
import type { Desired } from '../model/desired.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import type { PassStatus } from '../pass-status.ts';
import type { Owned } from '../plan/plan.ts';
import type { EjectionFacts, StateStore } from '../ports.ts';
import { ManagedTable, type ManagedTablePorts, type ManagedTableRules } from './managed-table.ts';
import { NameStore } from './name-store.ts';
import { Pass, type PassParts, type PassRequest } from './pass.ts';
import { takenVips, withdrawTaken } from './withdraw.ts';

export interface ReconcilePorts extends ManagedTablePorts {
  readonly store: StateStore;
}

export interface ReconcileRules extends ManagedTableRules {
  readonly translation: TranslationRules;
  /** Resolves once the addresses of `taken`, and what is `saved`, are known as far as possible. Never rejects. */
  readonly ready?: () => Promise<void>;
  /** The ejected backends; absent without ejection. */
  readonly ejections?: EjectionFacts | undefined;
  readonly dryRun: boolean;
}

/**
 * Runs the passes over the host's table, one at a time: sources -> desired -> plan -> apply -> status.
 *
 * Each pass works from the current state of the sources and of the kernel: a full pass reads the kernel, a smaller one relies
 * on its known state. A pass never rejects: an error is in its status, and the next pass reads the kernel again.
 */
export class Reconciler {
  readonly #ports: ReconcilePorts;
  readonly #rules: ReconcileRules;
  /** The apps that passes bring into the kernel. */
  readonly inventory = new Inventory();
  /** null until the remembered names have been read. */
  #desired: DesiredState | null = null;
  readonly table: ManagedTable;
  readonly #nameStore: NameStore;

  constructor(ports: ReconcilePorts, rules: ReconcileRules, random: () => number = Math.random) {
    this.#ports = ports;
    this.#rules = rules;
    this.table = new ManagedTable(ports, rules, this.inventory, random);
    this.#nameStore = new NameStore(ports.store, ports.log, rules.dryRun);
  }

  /** What the sources want, without ejections, as of the last pass; null before the first. The next pass changes it in place. */
  get desired(): Desired | null {
    return this.#desired;
  }

  /** The services of `desired`; empty before the first pass. */
  get services(): ReadonlyMap<ServiceKey, Service> {
    return this.#desired?.services ?? NO_SERVICES;
  }

  /** Whether an owned VIP has an address that this program depends on; a pass must remove it at once. */
  mustWithdraw(): boolean {
    const { view, book } = this.table;
    return view.isKnown && takenVips(book.owned, view.table, this.#rules).size > 0;
  }

  /** Resolves once the remembered names are on disk, or could not be saved. */
  async settled(): Promise<void> {
    await this.#nameStore.settled();
  }

  /** Removes the VIPs of `mustWithdraw` when no source has been read yet. Call it between passes; never rejects. */
  async withdraw(): Promise<void> {
    if (this.#rules.dryRun) return;
    await this.#rules.ready?.();
    await withdrawTaken(this.#ports, this.table, this.#rules);
  }

  async pass(request: PassRequest): Promise<PassStatus> {
    const { clock } = this.#ports;
    const startedAt = clock.monotonic();
    this.table.begin(request.gone, startedAt);
    await this.#rules.ready?.();
    const parts = {
      table: this.table,
      ...(await this.#load()),
      inventory: this.inventory,
      nameStore: this.#nameStore,
      ejections: this.#rules.ejections,
      dryRun: this.#rules.dryRun,
      clock,
    };
    return await new Pass(request, parts, startedAt).run();
  }

  /** `unread`: why the ledger cannot be read. Then nothing may be written, and the next pass tries again. */
  async #load(): Promise<Pick<PassParts, 'desired' | 'translation' | 'unread'>> {
    const known = this.#desired;
    if (known !== null) return { desired: known, translation: known, unread: null };
    const { translation, inPool } = this.#rules;
    let unread: Error | null = null;
    const owned = await this.table.book.read().catch((error: Error) => {
      unread = error;
      return new Map<ServiceKey, Owned>();
    });
    const desired = new DesiredState(translation, this.inventory, await this.#nameStore.load(owned, inPool));
    if (unread === null) this.#desired = desired;
    return { desired, translation: desired, unread };
  }
}

const NO_SERVICES: ReadonlyMap<ServiceKey, Service> = new Map();
