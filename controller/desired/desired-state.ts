import { FAMILIES } from '../address.ts';
import { same } from '../compare.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { AppKey, Rejection } from '../model/app.ts';
import type { CalledVip, Declared, Desired } from '../model/desired.ts';
import type { NameMemory } from '../model/name-memory.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import { DEFAULT_PORT_OPTIONS, lackingReason } from '../settings/label-options.ts';
import { FALLBACK_SCHEDULER } from '../settings/schedulers.ts';
import { type Pause, withoutPause } from '../time.ts';
import { ClaimTable } from './claim-table.ts';
import type { ClaimRules } from './claims.ts';
import { LabelTexts } from './label-texts.ts';
import { NameAddresses } from './name-addresses.ts';
import { cleanName } from './names.ts';
import { createPoolOf } from './pool.ts';
import type { HostContext } from './port-reading.ts';
import { Refusals } from './refusals.ts';
import { distinctRejections } from './rejections.ts';
import { Spellings } from './spellings.ts';
import type { Conditions, TranslationRules } from './translation-rules.ts';
import { VipTable } from './vips.ts';

/**
 * The desired services of an inventory, updated incrementally: the cost of an update is proportional to what changed. The
 * result depends only on the inventory, the conditions and the remembered names, never on the history: `translate`
 * computes the same from scratch.
 *
 * An update has three steps: `begin` collects what changed, `work` computes until it returns true, and `commit` remembers
 * the result.
 */
export class DesiredState implements Desired {
  readonly #rules: TranslationRules;
  readonly #claimRules: ClaimRules;
  readonly #inventory: Inventory;
  readonly #names: NameAddresses;
  readonly #refusals: Refusals;
  readonly #claims: ClaimTable;
  readonly #vips = new VipTable({
    nameAdded: (name) => this.#nameAdded(name),
    nameRemoved: (name) => this.#nameRemoved(name),
    addressTaken: (address) => this.#names.take(address),
    addressReleased: (address) => this.#names.release(address),
  });
  readonly #spellings = new Spellings();
  readonly #labels: LabelTexts;
  #conditions: Required<Conditions> = { complete: false, heldNames: NONE, lacking: NONE };
  #host: Pick<HostContext, 'localAddresses' | 'unfit'> = { localAddresses: NONE, unfit: NOT_UNFIT };
  /** Names that no app declares any more; the next update frees their addresses. */
  readonly #released = new Set<string>();
  /** Names that may have to be released once all sources have been read. */
  readonly #leaving: Set<string>;
  #wasComplete = false;
  /** The memory as of the last call of `memory`. */
  #memory: NameMemory;
  #isOtherMemory = true;

  /** Throws when the zone has no letter or digit, and so cannot be a DNS name. */
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
    // Every remembered name may be obsolete until an app asks for it. `work` checks each once.
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

  // ---- results; what no pass needs is computed on demand -------------------------------------------------

  get services(): ReadonlyMap<ServiceKey, Service> {
    return this.#vips.services;
  }

  /** Declared VIPs without a service, by key, with every declaration. */
  get withoutService(): ReadonlyMap<string, readonly Declared[]> {
    return this.#vips.withoutService;
  }

  /** Addresses of IP VIPs that were refused because they belong to someone, with the reason. */
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
    const all = [this.#inventory.warnings, this.#claims.warnings, ofVips, this.#defaultWarnings()];
    return [...new Set(all.flat())].sort();
  }

  /** What must survive a restart. The same object as long as its content is the same. */
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

  /** Whether an app declares this VIP, with or without backends. */
  readonly declares = ({ protocol, name, framework, address, port }: CalledVip): boolean => {
    const { zone } = this.#claimRules;
    const where = name === null ? `${address} ${port}` : `${name}.${framework}.${zone}:${port}`;
    return this.#vips.has(`${protocol}/${where}`);
  };

  // ---- updates ------------------------------------------------------------------------------------------

  /** Starts an update: collects what changed in the inventory, on the host and in the conditions since the last one. */
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
    this.#refreshHost();
    for (const address of this.#refusals.asked()) this.#claims.addressChanged(address);
  }

  /** Computes what is due. True when done; false when `pause` interrupted it: call it again. */
  work(pause: Pause): boolean {
    do {
      for (const key of this.#claims.due) if (pause(this.#readApp(key))) return false;
      this.#releaseNames();
      if (this.#claims.due.size > 0) continue;
      if (!this.#names.assign(pause)) return false;
      this.#moveVips();
    } while (this.#claims.due.size > 0);
    if (!this.#vips.update(this.#names.all, pause)) return false;
    if (this.#conditions.complete && !this.#wasComplete) this.#labels.noteAll(this.#claims.labelStates());
    this.#wasComplete ||= this.#conditions.complete;
    return true;
  }

  /**
   * Accepts the result: the valid label texts replace the remembered ones. Call it before the next update, except after an
   * update that only tried out conditions.
   */
  commit(): void {
    for (const label of this.#labels.commit()) {
      this.#isOtherMemory = true;
      this.#claims.labelChanged(label);
    }
  }

  /** A whole update without pauses. */
  update(conditions: Conditions): void {
    this.begin(conditions);
    this.work(withoutPause);
    this.commit();
  }

  /** The services that were added, removed or changed since the last call. */
  takeTouched(): ReadonlySet<ServiceKey> {
    return this.#vips.takeTouched();
  }

  // ---- apps -> claims -----------------------------------------------------------------------------------

  /** Returns its cost. */
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

  #nameAdded(name: string): void {
    this.#isOtherMemory = true;
    this.#names.markUsed(name);
    this.#leaving.delete(name);
    if (this.#released.delete(name)) this.#recheckAddressesOf(name);
  }

  #nameRemoved(name: string): void {
    this.#isOtherMemory = true;
    this.#names.markUnused(name);
    this.#leaving.add(name);
  }

  /** The name that reserves an address; null when the address is free. */
  #blockingHolder(address: string): string | null {
    const holder = this.#names.holderOf(address);
    if (holder === null) return null;
    const isInUse = this.#vips.hasName(holder) || this.#conditions.heldNames.has(holder);
    return isInUse || !this.#released.has(holder) ? holder : null;
  }

  /**
   * Releases names that are neither declared nor held. An IP VIP may have their addresses only from the next update on,
   * since this one may still hold the name's VIP.
   */
  #releaseNames(): void {
    const { complete, heldNames } = this.#conditions;
    if (!complete) return;
    for (const name of this.#leaving) {
      if (this.#vips.hasName(name) || heldNames.has(name) || this.#released.has(name)) continue;
      this.#released.add(name);
      this.#recheckAddressesOf(name);
    }
    this.#leaving.clear();
  }

  #moveVips(): void {
    for (const name of this.#names.takeMoved()) {
      this.#isOtherMemory = true;
      this.#vips.move(name);
      this.#recheckAddressesOf(name);
    }
  }

  #recheckAddressesOf(name: string): void {
    const { ipv4, ipv6 } = this.#names.all.get(name) ?? {};
    if (ipv4 !== undefined) this.#claims.addressChanged(ipv4);
    if (ipv6 !== undefined) this.#claims.addressChanged(ipv6);
  }

  #refreshHost(): void {
    const localAddresses = this.#rules.hostAddresses?.() ?? NONE;
    const unfit = this.#rules.unfitAddresses?.() ?? NOT_UNFIT;
    const before = this.#host;
    this.#host = { localAddresses, unfit };
    if (before.localAddresses === localAddresses && before.unfit === unfit) return;
    this.#claims.hostChanged(before, this.#host);
  }

  /** Warns when the kernel lacks the default scheduler. */
  #defaultWarnings(): readonly string[] {
    const { scheduler } = this.#claimRules.defaults;
    if (scheduler === FALLBACK_SCHEDULER || !this.#conditions.lacking.has(scheduler)) return [];
    return [`--default-scheduler ${scheduler}: ${lackingReason(scheduler, FALLBACK_SCHEDULER)}`];
  }
}

const NONE: ReadonlySet<string> = new Set();
const NOT_UNFIT: ReadonlyMap<string, string> = new Map();
function sameMap<Value>(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!same(value, b.get(key))) return false;
  return true;
}
