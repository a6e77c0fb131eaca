import type { Inventory } from '../inventory/inventory.ts';
import { KeyIndex } from '../inventory/key-index.ts';
import type {
  AppKey,
  CalledVip,
  Declared,
  Desired,
  Family,
  Memory,
  Rejection,
  Service,
  ServiceKey,
} from '../model.ts';
import { type Pause, withoutPause } from '../pause.ts';
import { same } from '../same.ts';
import { type AppClaims, type ClaimRules, claimsOf, type LabelState } from './claims.ts';
import { LabelTexts } from './label-texts.ts';
import { NameAddresses } from './name-addresses.ts';
import { cleanName } from './names.ts';
import { createPoolOf, type Pools } from './pool.ts';
import { DEFAULT_PORT_OPTIONS, FALLBACK_SCHEDULER, lackingReason, type PortOptions } from './port-options.ts';
import type { HostContext } from './port-reading.ts';
import { type RealAddresses, Refusals } from './refusals.ts';
import { Spellings } from './spellings.ts';
import { VipTable } from './vip-table.ts';

/** What the operator decides, and what the host is like. */
export interface TranslationRules {
  /** `l4lb.thisdcos.directory`; cleaned like a name. */
  readonly zone: string;
  readonly pools: Pools;
  /**
   * Why an IP VIP may not have an address: it is this host's, a name server's, … Asked anew in every update. When
   * missing, none is refused on that account; agents' addresses and names' addresses are refused in any case.
   */
  readonly realAddresses?: RealAddresses;
  /**
   * Addresses of the host whose kernel is programmed, asked for in every update: the same object while they are the
   * same. It reaches its own containers without their host ports. When missing, backends are as other hosts reach them.
   */
  readonly hostAddresses?: () => ReadonlySet<string>;
  /**
   * Addresses at which no backend can be on the host whose kernel is programmed, with why (`a broadcast address`); asked for
   * in every update: the same object while they are the same. When missing, those that are unfit on any host.
   */
  readonly unfitAddresses?: () => ReadonlyMap<string, string>;
  /** For ports without `IPVS_*` labels; wlc, not persistent, weight 1, 300 s when missing. */
  readonly defaults?: PortOptions;
}

/** What an update depends on besides the apps. */
export interface Conditions {
  /**
   * What is not in the inventory does not exist, so it is forgotten. Otherwise names that are not there keep their
   * addresses, and what is remembered of a label is newer than an inventory from our own disk.
   */
  readonly complete: boolean;
  /** Names (`label.framework`) that keep their addresses although no app declares them, since their VIPs are held. */
  readonly heldNames?: ReadonlySet<string>;
  /** Schedulers that the kernel lacks; a VIP that asks for one gets the default. */
  readonly lacking?: ReadonlySet<string>;
}

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
  /** What each app asks for; apps that ask for nothing and of which nothing is told are left out. */
  readonly #apps = new Map<AppKey, AppClaims>();
  readonly #vips = new VipTable({
    nameBegins: (name) => this.#nameBegins(name),
    nameEnds: (name) => this.#nameEnds(name),
    addressBegins: (address) => this.#names.take(address),
    addressEnds: (address) => this.#names.release(address),
  });
  readonly #spellings = new Spellings();
  readonly #labels: LabelTexts;
  /** Addresses, schedulers and labels that apps asked about: what they claim depends on the answers. Most ask nothing. */
  readonly #askers = new KeyIndex();
  readonly #askedBy = new Map<AppKey, ReadonlySet<string>>();
  #conditions: Required<Conditions> = { complete: false, heldNames: NONE, lacking: NONE };
  #host: Pick<HostContext, 'here' | 'unfit'> = { here: NONE, unfit: NOT_UNFIT };
  /** Names that nobody declares any more; their addresses are freed by the next update. */
  readonly #released = new Set<string>();
  /** Names that may have to be released, once all sources were read. */
  readonly #leaving: Set<string>;
  #wasComplete = false;
  readonly #dueApps = new Set<AppKey>();
  /** As it was told last. */
  #memory: Memory;
  #isOtherMemory = true;

  /** Throws when the zone has no letter or digit. */
  constructor(rules: TranslationRules, inventory: Inventory, memory: Memory) {
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
    for (const key of inventory.apps.keys()) this.#dueApps.add(key);
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
    return this.#inOrder().flatMap(({ claims }) => claims.map(({ declared }) => declared));
  }

  get rejected(): readonly Rejection[] {
    const all = [...this.#inventory.rejected, ...this.#inOrder().flatMap(({ rejected }) => rejected)];
    return distinct(all.sort(byPlace));
  }

  get warnings(): readonly string[] {
    const ofApps = [...this.#apps.values()].flatMap(({ warnings }) => warnings);
    const { warnings } = this.#inventory;
    const all = [warnings, ofApps, this.#spellings.warnings(), this.#names.warnings(), this.#vips.warnings()];
    return [...new Set([...all.flat(), ...this.#aboutDefaults()])].sort();
  }

  /** What must be remembered across a restart; the same object while it is the same. */
  get memory(): Memory {
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
    for (const key of this.#inventory.takeChanged()) this.#dueApps.add(key);
    for (const scheduler of before.lacking.symmetricDifference(lacking))
      this.#makeDue(this.#askers.find(`scheduler ${scheduler}`));
    this.#lookAtHost();
    for (const address of this.#refusals.asked()) this.#askAgain(address);
  }

  /** Does what is due; true once nothing is, false where `pause` said so before. */
  work(pause: Pause): boolean {
    do {
      for (const key of this.#dueApps) {
        this.#dueApps.delete(key);
        if (pause(this.#readApp(key))) return false;
      }
      this.#releaseNames();
      if (this.#dueApps.size > 0) continue;
      if (!this.#names.place(pause)) return false;
      this.#moveVips();
    } while (this.#dueApps.size > 0);
    if (!this.#vips.serve(this.#names.all, pause)) return false;
    if (this.#conditions.complete && !this.#wasComplete) this.#labels.noteAll(this.#labelStates());
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
      this.#makeDue(this.#askers.find(`label ${label}`));
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
    const app = this.#inventory.apps.get(key);
    const before = this.#apps.get(key) ?? NO_CLAIMS;
    const asked = new Set<string>();
    const context = this.#contextOf(asked);
    const now = app === undefined ? NO_CLAIMS : claimsOf(app, this.#claimRules, context);
    if (isEmpty(now)) this.#apps.delete(key);
    else this.#apps.set(key, now);
    this.#noteAsked(key, asked);
    this.#vips.exchange(before.claims, now.claims);
    this.#spellings.exchange(before.spellings, now.spellings);
    this.#labels.note(before.labels, now.labels, this.#conditions.complete);
    return 1 + (app?.tasks.length ?? 0);
  }

  /** What the labels of an app depend on besides the app; `asked` gets what was asked for. */
  #contextOf(asked: Set<string>): HostContext {
    const { lacking } = this.#conditions;
    return {
      ...this.#host,
      refusal: ({ address }) => {
        if (address === null) return null;
        asked.add(address.text);
        return this.#refusals.reasonFor(address);
      },
      remembered: (label) => {
        asked.add(`label ${label}`);
        return this.#labels.textOf(label);
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

  *#labelStates(): Generator<LabelState> {
    for (const { labels } of this.#apps.values()) yield* labels;
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
    if (ipv4 !== undefined) this.#askAgain(ipv4);
    if (ipv6 !== undefined) this.#askAgain(ipv6);
  }

  #askAgain(address: string): void {
    if (this.#refusals.isOther(address)) this.#makeDue(this.#askers.find(address));
  }

  #makeDue(apps: Iterable<AppKey>): void {
    for (const key of apps) this.#dueApps.add(key);
  }

  /** Apps with tasks at addresses that became this host's, or unfit, or were that before. */
  #lookAtHost(): void {
    const here = this.#rules.hostAddresses?.() ?? NONE;
    const unfit = this.#rules.unfitAddresses?.() ?? NOT_UNFIT;
    const before = this.#host;
    this.#host = { here, unfit };
    if (before.here === here && before.unfit === unfit) return;
    const changed = before.here.symmetricDifference(here);
    for (const [address, why] of [...before.unfit, ...unfit])
      if (before.unfit.get(address) !== why || unfit.get(address) !== why) changed.add(address);
    const met = [...changed].filter((address) => this.#inventory.addresses.hasTask(address));
    if (met.length > 0) this.#makeDue(this.#inventory.appsWithTasksAt(new Set(met)));
  }

  // ---- in order -----------------------------------------------------------------------------------------

  #inOrder(): readonly AppClaims[] {
    const rank = (key: AppKey) => this.#inventory.apps.get(key);
    return [...this.#apps]
      .map(([key, claims]) => ({ app: rank(key), claims }))
      .sort(
        (a, b) =>
          compare(a.app?.id ?? '', b.app?.id ?? '') ||
          compare(a.app?.framework ?? '', b.app?.framework ?? ''),
      )
      .map(({ claims }) => claims);
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
const NO_CLAIMS: AppClaims = { claims: [], labels: [], spellings: [], rejected: [], warnings: [] };

function sameMap<Value>(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!same(value, b.get(key))) return false;
  return true;
}

function isEmpty({ claims, labels, spellings, rejected, warnings }: AppClaims): boolean {
  return claims.length + labels.length + spellings.length + rejected.length + warnings.length === 0;
}

function byPlace(a: Rejection, b: Rejection): number {
  return (
    compare(a.app, b.app) || compare(a.at, b.at) || compare(a.value, b.value) || compare(a.reason, b.reason)
  );
}

/** Without those that are as the one before them: several sources may say one thing. */
function distinct(sorted: readonly Rejection[]): readonly Rejection[] {
  return sorted.filter((one, i) => {
    const before = sorted[i - 1];
    return before === undefined || byPlace(before, one) !== 0;
  });
}

/** By code units: the same on every host, whatever its locale. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
