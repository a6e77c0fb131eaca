import { same } from '../compare.ts';
import type { PlaceIndex } from '../inventory/place-index.ts';
import type { Place } from '../model/place.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import type { DecisionTable } from '../plan/decision.ts';
import { serviceIn, waitingDecision } from '../plan/nearest.ts';
import { type NearVip, undecidedWarnings, unknownPlaceWarnings } from '../plan/nearness-text.ts';
import { chooseTier, nextChoiceAt, type TierChoice } from '../plan/tier-choice.ts';
import {
  type HostPlace,
  type NearService,
  serveElsewhere,
  tiersInRotation,
  wantsNear,
  whyUndecided,
} from '../plan/tiers.ts';
import { earliest } from '../time.ts';

/** Facts about this host that do not come from the sources. */
export interface HostFacts {
  /** The place that options specify, with the name of this host as a Kubernetes node. */
  readonly given: Place;
  /** Returns the same object as long as the addresses are the same. */
  readonly addresses: () => ReadonlySet<string>;
}

/** The places that the sources report. */
export type Places = Pick<PlaceIndex, 'placeOf' | 'names' | 'version'>;

interface Chosen extends TierChoice {
  readonly service: NearService;
  readonly undecided: ReturnType<typeof whyUndecided>;
  /** Whether the service moved to this tier by a decision of this host, or by a label or option, and has not changed since. */
  readonly hasMoved: boolean;
  /** Whether it left a nearer tier because sources report other places, and not because no backend serves there. */
  readonly wasMoved: boolean;
}

/**
 * Chooses the tier of each service that wants its nearest backends, with hysteresis: a service moves to a nearer tier only
 * after that has been available for some time. A restart forgets the choices, and starts with the nearest tiers.
 */
export class Nearest {
  readonly #facts: HostFacts;
  readonly #givenText: string;
  readonly #places: Places;
  #host: HostPlace;
  #placesVersion = -1;
  readonly #chosen = new Map<ServiceKey, Chosen>();
  /** Warnings about places of options that no source knows, for one version of the places. */
  #unknown: { readonly version: number; readonly warnings: readonly string[] } = {
    version: -1,
    warnings: [],
  };
  /** Services that wait for a nearer tier. */
  readonly #waiting = new Set<ServiceKey>();

  constructor(facts: HostFacts, places: Places) {
    this.#facts = facts;
    this.#places = places;
    const { region, zone, node } = facts.given;
    this.#givenText = [region, zone, node].filter(Boolean).join('/');
    this.#host = { ...facts.given, addresses: NO_ADDRESSES };
  }

  /** Services to choose for although they did not change: their wait is over, or the place of this host has changed. */
  due(now: number): Set<ServiceKey> {
    if (this.#lookAtHost()) {
      const all = new Set(this.#chosen.keys());
      this.#chosen.clear();
      this.#waiting.clear();
      return all;
    }
    return new Set([...this.#waiting].filter((key) => this.#isDue(key, now)));
  }

  /** Chooses the tier of a service (undefined: it is no longer desired). Returns the service with its backends of that tier. */
  choose(key: ServiceKey, service: Service | undefined, now: number): Service | undefined {
    if (!wantsNear(service)) {
      this.#chosen.delete(key);
      this.#waiting.delete(key);
      return service;
    }
    const chosen = this.#choose(service, this.#chosen.get(key), now);
    this.#chosen.set(key, chosen);
    if (chosen.nearer.size === 0) this.#waiting.delete(key);
    else this.#waiting.add(key);
    return serviceIn(chosen.tier, service, this.#host);
  }

  /** What restricts a service to its nearest backends: its distribution, and the options about this host. */
  asked({ trafficDistribution }: Service): string | undefined {
    return trafficDistribution && [trafficDistribution, this.#givenText].join(' ').trim();
  }

  /** Takes what restricted a service in the ledger: if that differs, a label or an option has moved the service. */
  askedBefore(key: ServiceKey, before: string | undefined): void {
    const chosen = this.#chosen.get(key);
    if (chosen !== undefined && !chosen.hasMoved && this.asked(chosen.service) !== before)
      this.#chosen.set(key, { ...chosen, hasMoved: true });
  }

  /**
   * Whether a service moved to a nearer tier by a decision of this host, or because a label or an option now requests it.
   * Otherwise backends leave because sources report other places of backends or of this host, perhaps since before a restart,
   * and that counts as a removal by a source.
   */
  hasMoved(key: ServiceKey): boolean {
    return this.#chosen.get(key)?.hasMoved === true;
  }

  /** Whether a new read of the sources reports the same place of this host. */
  agree(places: Pick<PlaceIndex, 'placeOf'>): boolean {
    const { addresses } = this.#host;
    return same(this.#toldPlace(addresses, places), this.#toldPlace(addresses, this.#places));
  }

  /** Adds the decision about a service that waits for a nearer tier. */
  decide(decisions: DecisionTable, key: ServiceKey): void {
    const choice = this.#chosen.get(key);
    const decision = choice === undefined ? null : waitingDecision(choice);
    if (decision !== null) decisions.add(key, null, decision);
  }

  /** Where connections cannot stay as near as requested, and options about this host that no source confirms. */
  warnings(): readonly string[] {
    if (this.#chosen.size === 0) return [];
    const { version } = this.#places;
    if (this.#unknown.version !== version) {
      const warnings = unknownPlaceWarnings(this.#facts.given, (on) => this.#places.names(on));
      this.#unknown = { version, warnings };
    }
    return [...undecidedWarnings(this.#nearVips()), ...this.#unknown.warnings];
  }

  /** When the next service may move to a nearer tier; null when none waits. */
  get nextDue(): number | null {
    let next: number | null = null;
    for (const key of this.#waiting) {
      const choice = this.#chosen.get(key);
      const at = choice === undefined ? null : nextChoiceAt(choice);
      next = earliest(next, at);
    }
    return next;
  }

  #isDue(key: ServiceKey, now: number): boolean {
    const choice = this.#chosen.get(key);
    const at = choice === undefined ? null : nextChoiceAt(choice);
    return at !== null && at <= now;
  }

  #choose(service: NearService, before: Chosen | undefined, now: number): Chosen {
    const known = before?.service.trafficDistribution === service.trafficDistribution ? before : undefined;
    const choice = chooseTier(known, tiersInRotation(service, this.#host), now);
    if (choice === known && known.service === service) return known;
    const undecided = whyUndecided(service, this.#host);
    return { ...choice, service, undecided, ...this.#whoseMove(service, choice, known) };
  }

  #whoseMove(
    service: NearService,
    { tier, movedNearer }: TierChoice,
    known: Chosen | undefined,
  ): Pick<Chosen, 'hasMoved' | 'wasMoved'> {
    if (known === undefined) return { hasMoved: false, wasMoved: false };
    if (movedNearer !== known.movedNearer) return { hasMoved: !known.wasMoved, wasMoved: false };
    const { hasMoved, wasMoved } = known;
    if (tier === known.tier) return { hasMoved: hasMoved && service === known.service, wasMoved };
    return {
      hasMoved: false,
      wasMoved: wasMoved || serveElsewhere(known.tier, known.service, service, this.#host),
    };
  }

  /** Whether the place or the addresses of this host have changed since the last call. */
  #lookAtHost(): boolean {
    const addresses = this.#facts.addresses();
    const { version } = this.#places;
    if (this.#placesVersion === version && this.#host.addresses === addresses) return false;
    this.#placesVersion = version;
    const host = { ...this.#toldPlace(addresses, this.#places), ...this.#facts.given, addresses };
    const before = this.#host;
    this.#host = host;
    return !same({ ...before, addresses: [...before.addresses] }, { ...host, addresses: [...addresses] });
  }

  /** The place of this host as its tasks or agents report it. It stays until another is reported, since the last task may have ended. */
  #toldPlace(addresses: ReadonlySet<string>, places: Pick<PlaceIndex, 'placeOf'>): Place {
    const { node } = this.#facts.given;
    for (const host of [...(node === undefined ? [] : [node]), ...addresses]) {
      const place = places.placeOf(host);
      if (place !== null) return place;
    }
    const { addresses: _, ...before } = this.#host;
    return before;
  }

  *#nearVips(): Generator<NearVip> {
    for (const { service, tier, undecided } of this.#chosen.values())
      if (undecided !== null)
        yield { name: `${service.fqdn ?? service.address}:${service.port}`, tier, undecided };
  }
}

const NO_ADDRESSES: ReadonlySet<string> = new Set();
