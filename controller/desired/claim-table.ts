import { compareText } from '../compare.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { KeyIndex } from '../inventory/key-index.ts';
import type { App, AppKey, Rejection } from '../model/app.ts';
import type { Declared } from '../model/desired.ts';
import { type AppClaims, type ClaimRules, claimsOf, type LabelState } from './claims.ts';
import type { HostContext } from './port-reading.ts';
import type { Refusals } from './refusals.ts';

export type HostAddresses = Pick<HostContext, 'localAddresses' | 'unfit'>;

/** The current state of everything that claims depend on besides the app itself. */
export interface ClaimContext extends HostAddresses, Pick<HostContext, 'remembered'> {
  readonly lacking: ReadonlySet<string>;
}

/** The claims of an app before and after it was read. */
export interface ClaimChange {
  readonly before: AppClaims;
  readonly now: AppClaims;
  /** Cost of the work, in units of one task. */
  readonly cost: number;
}

/**
 * The claims of each app, and the apps that are due to be read: those that changed, and those whose claims depend on
 * something that changed. An app without claims, rejections and warnings has no entry.
 */
export class ClaimTable {
  readonly #rules: ClaimRules;
  readonly #inventory: Inventory;
  readonly #refusals: Refusals;
  readonly #claims = new Map<AppKey, AppClaims>();
  readonly #due = new Set<AppKey>();
  /** Apps by the addresses, schedulers and labels that their claims depend on. Most depend on none. */
  readonly #dependents = new KeyIndex();
  readonly #dependencies = new Map<AppKey, ReadonlySet<string>>();

  constructor(rules: ClaimRules, inventory: Inventory, refusals: Refusals) {
    this.#rules = rules;
    this.#inventory = inventory;
    this.#refusals = refusals;
  }

  /** Apps to read. An app that is marked during iteration is visited too; `read` removes it. */
  get due(): ReadonlySet<AppKey> {
    return this.#due;
  }

  markDue(apps: Iterable<AppKey>): void {
    for (const key of apps) this.#due.add(key);
  }

  /** The kernel has lost or gained a scheduler. */
  schedulerChanged(scheduler: string): void {
    this.markDue(this.#dependents.find(`scheduler ${scheduler}`));
  }

  /** The last valid text of a label changed. */
  labelChanged(label: string): void {
    this.markDue(this.#dependents.find(`label ${label}`));
  }

  /** The address may have another owner. */
  addressChanged(address: string): void {
    if (this.#refusals.hasChanged(address)) this.markDue(this.#dependents.find(address));
  }

  /** The addresses of this host, or those unfit for backends, changed. */
  hostChanged(before: HostAddresses, now: HostAddresses): void {
    const changed = before.localAddresses.symmetricDifference(now.localAddresses);
    for (const [address, why] of [...before.unfit, ...now.unfit])
      if (before.unfit.get(address) !== why || now.unfit.get(address) !== why) changed.add(address);
    const met = [...changed].filter((address) => this.#inventory.addresses.hasTask(address));
    if (met.length > 0) this.markDue(this.#inventory.appsWithTasksAt(new Set(met)));
  }

  /** Computes the claims of an app anew; none when the inventory does not have it. */
  read(key: AppKey, context: ClaimContext): ClaimChange {
    this.#due.delete(key);
    const app = this.#inventory.apps.get(key);
    const before = this.#claims.get(key) ?? NO_CLAIMS;
    const dependsOn = new Set<string>();
    const now =
      app === undefined ? NO_CLAIMS : claimsOf(app, this.#rules, this.#tracking(dependsOn, context));
    if (isEmpty(now)) this.#claims.delete(key);
    else this.#claims.set(key, now);
    this.#trackDependencies(key, dependsOn);
    return { before, now, cost: 1 + (app?.tasks.length ?? 0) };
  }

  /** A host context that adds to `dependsOn` what claims depend on. */
  #tracking(
    dependsOn: Set<string>,
    { lacking, remembered, localAddresses, unfit }: ClaimContext,
  ): HostContext {
    return {
      localAddresses,
      unfit,
      refusal: ({ address }) => {
        if (address === null) return null;
        dependsOn.add(address.text);
        return this.#refusals.reasonFor(address);
      },
      remembered: (label) => {
        dependsOn.add(`label ${label}`);
        return remembered(label);
      },
      lacks: (scheduler) => {
        dependsOn.add(`scheduler ${scheduler}`);
        return lacking.has(scheduler);
      },
    };
  }

  #trackDependencies(key: AppKey, dependsOn: ReadonlySet<string>): void {
    const before = this.#dependencies.get(key) ?? NONE;
    this.#dependents.replace(key, before, dependsOn);
    for (const text of before) if (!this.#dependents.has(text)) this.#refusals.forget(text);
    if (dependsOn.size === 0) this.#dependencies.delete(key);
    else this.#dependencies.set(key, dependsOn);
  }

  // ---- over all apps ---------------------------------------------------------------------------------

  *labelStates(): Generator<LabelState> {
    for (const { labels } of this.#claims.values()) yield* labels;
  }

  /** Sorted by app. */
  get declared(): readonly Declared[] {
    const appOf = (key: AppKey): Pick<App, 'id' | 'framework'> => this.#inventory.apps.get(key) ?? NO_APP;
    return [...this.#claims]
      .map(([key, { claims }]) => ({ app: appOf(key), claims }))
      .sort((a, b) => compareText(a.app.id, b.app.id) || compareText(a.app.framework, b.app.framework))
      .flatMap(({ claims }) => claims.map(({ declared }) => declared));
  }

  get rejected(): readonly Rejection[] {
    return [...this.#claims.values()].flatMap(({ rejected }) => rejected);
  }

  get warnings(): readonly string[] {
    return [...this.#claims.values()].flatMap(({ warnings }) => warnings);
  }
}

const NONE: ReadonlySet<string> = new Set();
const NO_APP = { id: '', framework: '' };
const NO_CLAIMS: AppClaims = { claims: [], labels: [], spellings: [], rejected: [], warnings: [] };

function isEmpty({ claims, labels, spellings, rejected, warnings }: AppClaims): boolean {
  return claims.length + labels.length + spellings.length + rejected.length + warnings.length === 0;
}
