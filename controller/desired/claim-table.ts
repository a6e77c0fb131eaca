import { compareText } from '../compare-text.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { KeyIndex } from '../inventory/key-index.ts';
import type { App, AppKey, Declared, Rejection } from '../model.ts';
import type { ClaimRules } from './claim.ts';
import { type AppClaims, claimsOf, type LabelState } from './claims.ts';
import type { HostContext } from './port-reading.ts';
import type { Refusals } from './refusals.ts';

export type HostAddresses = Pick<HostContext, 'localAddresses' | 'unfit'>;

/** What claims depend on besides the app itself, as it is just now. */
export interface ClaimContext extends HostAddresses, Pick<HostContext, 'remembered'> {
  readonly lacking: ReadonlySet<string>;
}

/** What an app asked for, and what it asks for now. */
export interface ClaimChange {
  readonly before: AppClaims;
  readonly now: AppClaims;
  /** What it cost to find out; 1 for each task. */
  readonly cost: number;
}

/**
 * What each app asks for, and the apps that have to be read again: those that changed, and those for which something is
 * another one that their claims depended on. Apps that ask for nothing, and of which nothing is told, cost nothing.
 */
export class ClaimTable {
  readonly #rules: ClaimRules;
  readonly #inventory: Inventory;
  readonly #refusals: Refusals;
  readonly #claims = new Map<AppKey, AppClaims>();
  readonly #due = new Set<AppKey>();
  /** Apps by addresses, schedulers and labels that they asked about. Most ask nothing. */
  readonly #askers = new KeyIndex();
  readonly #askedBy = new Map<AppKey, ReadonlySet<string>>();

  constructor(rules: ClaimRules, inventory: Inventory, refusals: Refusals) {
    this.#rules = rules;
    this.#inventory = inventory;
    this.#refusals = refusals;
  }

  /** Apps to be read; one that is marked while they are gone through comes, too. Reading one takes it off. */
  get due(): ReadonlySet<AppKey> {
    return this.#due;
  }

  markDue(apps: Iterable<AppKey>): void {
    for (const key of apps) this.#due.add(key);
  }

  /** The scheduler is lacking, or is not any more. */
  schedulerChanged(scheduler: string): void {
    this.markDue(this.#askers.find(`scheduler ${scheduler}`));
  }

  /** Another text is remembered of the label. */
  labelChanged(label: string): void {
    this.markDue(this.#askers.find(`label ${label}`));
  }

  /** The address may have another owner. */
  addressChanged(address: string): void {
    if (this.#refusals.isOther(address)) this.markDue(this.#askers.find(address));
  }

  /** Addresses became this host's, or unfit for backends, or were that before. */
  hostChanged(before: HostAddresses, now: HostAddresses): void {
    const changed = before.localAddresses.symmetricDifference(now.localAddresses);
    for (const [address, why] of [...before.unfit, ...now.unfit])
      if (before.unfit.get(address) !== why || now.unfit.get(address) !== why) changed.add(address);
    const met = [...changed].filter((address) => this.#inventory.addresses.hasTask(address));
    if (met.length > 0) this.markDue(this.#inventory.appsWithTasksAt(new Set(met)));
  }

  /** Finds out what an app asks for now; nothing where the inventory has no such app. */
  read(key: AppKey, context: ClaimContext): ClaimChange {
    this.#due.delete(key);
    const app = this.#inventory.apps.get(key);
    const before = this.#claims.get(key) ?? NO_CLAIMS;
    const asked = new Set<string>();
    const now = app === undefined ? NO_CLAIMS : claimsOf(app, this.#rules, this.#noting(asked, context));
    if (isEmpty(now)) this.#claims.delete(key);
    else this.#claims.set(key, now);
    this.#noteAsked(key, asked);
    return { before, now, cost: 1 + (app?.tasks.length ?? 0) };
  }

  /** `asked` gets what an app asks about. */
  #noting(asked: Set<string>, { lacking, remembered, localAddresses, unfit }: ClaimContext): HostContext {
    return {
      localAddresses,
      unfit,
      refusal: ({ address }) => {
        if (address === null) return null;
        asked.add(address.text);
        return this.#refusals.reasonFor(address);
      },
      remembered: (label) => {
        asked.add(`label ${label}`);
        return remembered(label);
      },
      lacks: (scheduler) => {
        asked.add(`scheduler ${scheduler}`);
        return lacking.has(scheduler);
      },
    };
  }

  #noteAsked(key: AppKey, asked: ReadonlySet<string>): void {
    const before = this.#askedBy.get(key) ?? NONE;
    this.#askers.replace(key, before, asked);
    for (const text of before) if (!this.#askers.has(text)) this.#refusals.forget(text);
    if (asked.size === 0) this.#askedBy.delete(key);
    else this.#askedBy.set(key, asked);
  }

  // ---- all of them, in the order of the apps' ids where order shows -------------------------------------

  *labelStates(): Generator<LabelState> {
    for (const { labels } of this.#claims.values()) yield* labels;
  }

  get declared(): readonly Declared[] {
    return this.#inOrder().flatMap(({ claims }) => claims.map(({ declared }) => declared));
  }

  get rejected(): readonly Rejection[] {
    return this.#inOrder().flatMap(({ rejected }) => rejected);
  }

  get warnings(): readonly string[] {
    return [...this.#claims.values()].flatMap(({ warnings }) => warnings);
  }

  #inOrder(): readonly AppClaims[] {
    const appOf = (key: AppKey): Pick<App, 'id' | 'framework'> => this.#inventory.apps.get(key) ?? NO_APP;
    return [...this.#claims]
      .map(([key, claims]) => ({ app: appOf(key), claims }))
      .sort((a, b) => compareText(a.app.id, b.app.id) || compareText(a.app.framework, b.app.framework))
      .map(({ claims }) => claims);
  }
}

const NONE: ReadonlySet<string> = new Set();
const NO_APP = { id: '', framework: '' };
const NO_CLAIMS: AppClaims = { claims: [], labels: [], spellings: [], rejected: [], warnings: [] };

function isEmpty({ claims, labels, spellings, rejected, warnings }: AppClaims): boolean {
  return claims.length + labels.length + spellings.length + rejected.length + warnings.length === 0;
}
