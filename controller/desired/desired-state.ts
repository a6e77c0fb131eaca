import type { Inventory } from '../inventory/inventory.ts';
import type {
  AppKey,
  CalledVip,
  Declared,
  Desired,
  Family,
  Rejection,
  Service,
  ServiceKey,
} from '../model.ts';
import type { NameMemory } from '../name-memory.ts';
import { type Pause, withoutPause } from '../pause.ts';
import { same } from '../same.ts';
import { FALLBACK_SCHEDULER } from '../schedulers.ts';
import { DEFAULT_PORT_OPTIONS } from '../setting-fields.ts';
import type { ClaimRules } from './claim.ts';
import { ClaimTable } from './claim-table.ts';
import { LabelTexts } from './label-texts.ts';
import { NameAddresses } from './name-addresses.ts';
import { cleanName } from './names.ts';
import { createPoolOf } from './pool.ts';
import { lackingReason } from './port-options.ts';
import type { HostContext } from './port-reading.ts';
import { Refusals } from './refusals.ts';
import { distinctRejections } from './rejections.ts';
import { Spellings } from './spellings.ts';
import type { Conditions, TranslationRules } from './translation-rules.ts';
import { VipTable } from './vip-table.ts';

/**
 * The services that the apps of an inventory ask for, kept up to date: an update costs what changed. What it comes to
 * follows from the inventory, the conditions and what is remembered alone, not from the way there: `translate` computes
 * the same from nothing.
 *
 * `begin` takes what changed; `work` does what follows from it, until it returns true; `commit` remembers it.
 */
export class DesiredState implements Desired {
  readonly #rules: TranslationRules;
  readonly #claimRules: ClaimRules;
  readonly #inventory: Inventory;
  readonly #names: NameAddresses;
  readonly #refusals: Refusals;
  readonly #claims: ClaimTable;
  readonly #vips = new VipTable({
    nameBegins: (name) => this.#nameBegins(name),
    nameEnds: (name) => this.#nameEnds(name),
    addressBegins: (address) => this.#names.take(address),
    addressEnds: (address) => this.#names.release(address),
  });
  readonly #spellings = new Spellings();
  readonly #labels: LabelTexts;
  #conditions: Required<Conditions> = { complete: false, heldNames: NONE, lacking: NONE };
  #host: Pick<HostContext, 'localAddresses' | 'unfit'> = { localAddresses: NONE, unfit: NOT_UNFIT };
  /** Names that nobody declares any more; their addresses are freed by the next update. */
  readonly #released = new Set<string>();
  /** Names that may have to be released, once all sources were read. */
  readonly #leaving: Set<string>;
  #wasComplete = false;
  /** As it was told last. */
  #memory: NameMemory;
  #isOtherMemory = true;

  /** Throws when the zone has no letter or digit. */
  constructor(rules: TranslationRules, inventory: Inventory, memory: NameMemory) {
    const zone = cleanName(rules.zone);
    if (zone === null) throw new Error(`the zone "${rules.zone}" cannot be a DNS name`);
    this.#rules = rules;
    this.#inventory = inventory;
    this.#claimRules = {
      zone,
      namedFamilies: FAMILIES.filter((family) => rules.pools[family] !== null),
      poolOf: createPoolOf(rules.pools),
      defaults: rules.defaults ?? DEFAULT_PORT_OPTIONS,
    };
    this.#names = new NameAddresses(rules.pools, memory.addresses);
    // Until apps ask for them. All are looked at once: `work` comes back to this after each rest.
    this.#leaving = new Set(this.#names.all.keys());
    this.#labels = new LabelTexts(memory.labels);
    this.#memory = memory;
    this.#refusals = new Refusals(rules.pools, {
      ownerOf: (address) => inventory.addresses.ownerOf(address),
      holderOf: (address) => this.#blockingHolder(address),
      realAddresses: rules.realAddresses ?? (() => null),
    });
    this.#claims = new ClaimTable(this.#claimRules, inventory, this.#refusals);
    this.#claims.markDue(inventory.apps.keys());
    inventory.takeChanged();
  }

  // ---- what it says; computed when it is asked for, where no pass needs it ------------------------------

  get services(): ReadonlyMap<ServiceKey, Service> {
    return this.#vips.services;
  }

  /** Declared VIPs that have no service, by their key, with all that declare each. */
  get unserved(): ReadonlyMap<string, readonly Declared[]> {
    return this.#vips.unserved;
  }

  /** Addresses that apps asked for as IP VIPs and that belong to someone, with why. */
  get refused(): ReadonlyMap<string, string> {
    return this.#refusals.refused;
  }

  get declared(): readonly Declared[] {
    return this.#claims.declared;
  }

  get rejected(): readonly Rejection[] {
    return distinctRejections([...this.#inventory.rejected, ...this.#claims.rejected]);
  }

  get warnings(): readonly string[] {
    const ofVips = [...this.#spellings.warnings(), ...this.#names.warnings(), ...this.#vips.warnings()];
    const all = [this.#inventory.warnings, this.#claims.warnings, ofVips, this.#aboutDefaults()];
    return [...new Set(all.flat())].sort();
  }

  /** What must be remembered across a restart; the same object while it is the same. */
  get memory(): NameMemory {
    if (this.#isOtherMemory) {
      const { heldNames, complete } = this.#conditions;
      const isKept = (name: string) => !complete || this.#vips.hasName(name) || heldNames.has(name);
      const addresses = new Map([...this.#names.all].filter(([name]) => isKept(name)));
      const isOther =
        !sameMap(this.#memory.addresses, addresses) || !sameMap(this.#memory.labels, this.#labels.all);
      if (isOther) this.#memory = { addresses, labels: new Map(this.#labels.all) };
      this.#isOtherMemory = false;
    }
    return this.#memory;
  }

  /** Whether an app declares a VIP, with backends or without. */
  readonly declares = ({ protocol, name, framework, address, port }: CalledVip): boolean => {
    const { zone } = this.#claimRules;
    const where = name === null ? `${address} ${port}` : `${name}.${framework}.${zone}:${port}`;
    return this.#vips.has(`${protocol}/${where}`);
  };

  // ---- updates ------------------------------------------------------------------------------------------

  /** Takes what changed in the inventory, on the host and in the conditions since the last update. */
  begin({ complete, heldNames = NONE, lacking = NONE }: Conditions): void {
    const before = this.#conditions;
    this.#conditions = { complete, heldNames, lacking };
    if (before.complete !== complete) this.#isOtherMemory = true;
    for (const name of this.#released) {
      this.#released.delete(name);
      if (heldNames.has(name)) continue;
      this.#names.forget(name);
      this.#isOtherMemory = true;
    }
    for (const name of before.heldNames.symmetricDifference(heldNames)) {
      this.#isOtherMemory = true;
      if (!heldNames.has(name) && !this.#vips.hasName(name)) this.#leaving.add(name);
    }
    this.#claims.markDue(this.#inventory.takeChanged());
    for (const scheduler of before.lacking.symmetricDifference(lacking))
      this.#claims.schedulerChanged(scheduler);
    this.#lookAtHost();
    for (const address of this.#refusals.asked()) this.#claims.addressChanged(address);
  }

  /** Does what is due; true once nothing is, false where `pause` said so before. */
  work(pause: Pause): boolean {
    do {
      for (const key of this.#claims.due) if (pause(this.#readApp(key))) return false;
      this.#releaseNames();
      if (this.#claims.due.size > 0) continue;
      if (!this.#names.place(pause)) return false;
      this.#moveVips();
    } while (this.#claims.due.size > 0);
    if (!this.#vips.serve(this.#names.all, pause)) return false;
    if (this.#conditions.complete && !this.#wasComplete) this.#labels.noteAll(this.#claims.labelStates());
    this.#wasComplete ||= this.#conditions.complete;
    return true;
  }

  /**
   * What this came to stands: label texts that were valid are remembered in place of older ones. To be called before the
   * next update, and not between updates that only try out conditions.
   */
  commit(): void {
    for (const label of this.#labels.commit()) {
      this.#isOtherMemory = true;
      this.#claims.labelChanged(label);
    }
  }

  /** All of it at once, for what is small, or what nobody waits for. */
  update(conditions: Conditions): void {
    this.begin(conditions);
    this.work(withoutPause);
    this.commit();
  }

  /** The services that came, went or differ since this was last asked. */
  takeTouched(): ReadonlySet<ServiceKey> {
    return this.#vips.takeTouched();
  }

  // ---- apps -> claims -----------------------------------------------------------------------------------

  /** Returns what it cost. */
  #readApp(key: AppKey): number {
    const { lacking, complete } = this.#conditions;
    const remembered = (label: string) => this.#labels.textOf(label);
    const { before, now, cost } = this.#claims.read(key, { ...this.#host, lacking, remembered });
    this.#vips.exchange(before.claims, now.claims);
    this.#spellings.exchange(before.spellings, now.spellings);
    this.#labels.note(before.labels, now.labels, complete);
    return cost;
  }

  // ---- names and addresses ------------------------------------------------------------------------------

  #nameBegins(name: string): void {
    this.#isOtherMemory = true;
    this.#names.want(name);
    this.#leaving.delete(name);
    if (this.#released.delete(name)) this.#askAgainOf(name);
  }

  #nameEnds(name: string): void {
    this.#isOtherMemory = true;
    this.#names.unwant(name);
    this.#leaving.add(name);
  }

  /** The name that keeps an address from others; null where none does. */
  #blockingHolder(address: string): string | null {
    const holder = this.#names.holderOf(address);
    if (holder === null) return null;
    const isInUse = this.#vips.hasName(holder) || this.#conditions.heldNames.has(holder);
    return isInUse || !this.#released.has(holder) ? holder : null;
  }

  /**
   * A name that is neither declared nor held stands in no IP VIP's way. It frees its address for the next update only: its
   * VIP may have to be held in this one.
   */
  #releaseNames(): void {
    const { complete, heldNames } = this.#conditions;
    if (!complete) return;
    for (const name of this.#leaving) {
      if (this.#vips.hasName(name) || heldNames.has(name) || this.#released.has(name)) continue;
      this.#released.add(name);
      this.#askAgainOf(name);
    }
    this.#leaving.clear();
  }

  #moveVips(): void {
    for (const name of this.#names.takeMoved()) {
      this.#isOtherMemory = true;
      this.#vips.move(name);
      this.#askAgainOf(name);
    }
  }

  #askAgainOf(name: string): void {
    const { ipv4, ipv6 } = this.#names.all.get(name) ?? {};
    if (ipv4 !== undefined) this.#claims.addressChanged(ipv4);
    if (ipv6 !== undefined) this.#claims.addressChanged(ipv6);
  }

  #lookAtHost(): void {
    const localAddresses = this.#rules.hostAddresses?.() ?? NONE;
    const unfit = this.#rules.unfitAddresses?.() ?? NOT_UNFIT;
    const before = this.#host;
    this.#host = { localAddresses, unfit };
    if (before.localAddresses === localAddresses && before.unfit === unfit) return;
    this.#claims.hostChanged(before, this.#host);
  }

  /** What is to be told to the operator of the scheduler that VIPs without a label should have. */
  #aboutDefaults(): readonly string[] {
    const { scheduler } = this.#claimRules.defaults;
    if (scheduler === FALLBACK_SCHEDULER || !this.#conditions.lacking.has(scheduler)) return [];
    return [`--default-scheduler ${scheduler}: ${lackingReason(scheduler, FALLBACK_SCHEDULER)}`];
  }
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const NONE: ReadonlySet<string> = new Set();
const NOT_UNFIT: ReadonlyMap<string, string> = new Map();
function sameMap<Value>(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!same(value, b.get(key))) return false;
  return true;
}
