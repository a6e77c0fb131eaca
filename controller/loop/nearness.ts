import type { PlaceIndex } from '../inventory/place-index.ts';
import type { Desired, Service, ServiceKey } from '../model.ts';
import type { Place } from '../place.ts';
import type { Decisions } from '../plan/decision.ts';
import { desiredWith } from '../plan/desired-with.ts';
import { serviceIn, waitingDecisions } from '../plan/nearest.ts';
import { type NearVip, undecidedWarnings, unknownPlaceWarnings } from '../plan/nearness-warnings.ts';
import { chooseTier, nextLookAt, type TierChoice } from '../plan/tier-choice.ts';
import {
  type HostPlace,
  type NearService,
  serveElsewhere,
  tiersInRotation,
  wantsNear,
  whyUndecided,
} from '../plan/tiers.ts';
import { same } from '../same.ts';

/** What is known of this host without the sources. */
export interface HostFacts {
  /** What the operator says, and the name by which Kubernetes may know this host. */
  readonly given: Place;
  /** The same object while they are the same. */
  readonly addresses: () => ReadonlySet<string>;
}

interface Chosen extends TierChoice {
  readonly service: NearService;
  readonly undecided: ReturnType<typeof whyUndecided>;
  /** The service, which is as it was then, moved to this tier after that had been waited for, or was asked for. */
  readonly hasMoved: boolean;
  /** It has left a nearer tier not since nobody serves there, but since sources told other places of those who do. */
  readonly wasMoved: boolean;
}

/**
 * Chooses the tier of each service that wants the nearest backends, and remembers it from pass to pass: how long a nearer tier
 * has been there decides whether a service moves to it. A restart forgets that, and starts with the nearest.
 */
export class Nearest {
  readonly #facts: HostFacts;
  readonly #givenText: string;
  readonly #places: Pick<PlaceIndex, 'placeOf' | 'names' | 'version'>;
  #host: HostPlace;
  #placesVersion = -1;
  readonly #chosen = new Map<ServiceKey, Chosen>();
  /** What was made of a service, so that it stays the same object from pass to pass. */
  #made = new WeakMap<Service, Service>();
  /** Of places that an option gives and no source knows, as of a version of the places. */
  #unknown: { readonly version: number; readonly warnings: readonly string[] } = {
    version: -1,
    warnings: [],
  };
  /** Those that wait for a nearer tier. */
  readonly #waiting = new Set<ServiceKey>();

  constructor(facts: HostFacts, places: Pick<PlaceIndex, 'placeOf' | 'names' | 'version'>) {
    this.#facts = facts;
    this.#places = places;
    const { region, zone, node } = facts.given;
    this.#givenText = [region, zone, node].filter(Boolean).join('/');
    this.#host = { ...facts.given, addresses: NO_ADDRESSES };
  }

  /**
   * Looks at these services, at those whose wait is over, and at all where this host stands elsewhere than before. Returns those
   * of which other backends than before may be desired.
   */
  look(
    services: ReadonlyMap<ServiceKey, Service>,
    keys: Iterable<ServiceKey>,
    now: number,
  ): ReadonlySet<ServiceKey> {
    const due = new Set(keys);
    if (this.#lookAtHost()) {
      for (const key of this.#chosen.keys()) due.add(key);
      this.#chosen.clear();
      this.#made = new WeakMap();
    }
    for (const key of this.#waiting) if (this.#isDue(key, now)) due.add(key);
    const moved = new Set<ServiceKey>();
    for (const key of due) {
      const before = this.#chosen.get(key);
      const chosen = this.#choose(services.get(key), before, now);
      if (before?.tier !== chosen?.tier) moved.add(key);
      this.#set(key, chosen);
    }
    return moved;
  }

  /** What is desired, with the backends of the chosen tiers alone. */
  of(desired: Desired): Desired {
    const near = (service: Service, key: ServiceKey) => this.#near(service, key);
    return desiredWith(desired, near, () => this.#warnings(desired.services));
  }

  /** By what a service is asked to have the nearest backends: its distribution, and what options say of this host. */
  asked({ trafficDistribution }: Service): string | undefined {
    return trafficDistribution && [trafficDistribution, this.#givenText].join(' ').trim();
  }

  /** A plan is made with a service that was asked like this before: if otherwise, a label or an option has moved it. */
  askedBefore(key: ServiceKey, before: string | undefined): void {
    const chosen = this.#chosen.get(key);
    if (chosen !== undefined && !chosen.hasMoved && this.asked(chosen.service) !== before)
      this.#chosen.set(key, { ...chosen, hasMoved: true });
  }

  /**
   * Whether a service moved to a nearer tier, which it had not left because of places, by a decision of this host or because a
   * label or an option asks for it now. What leaves it otherwise, since others are nearer, leaves because sources told other
   * places of backends or of this host, perhaps before a restart, which forgets where all were.
   */
  hasMoved(key: ServiceKey): boolean {
    return this.#chosen.get(key)?.hasMoved === true;
  }

  /** Whether these sources, which were read anew, say of the place of this host what passes know of it. */
  agree(places: Pick<PlaceIndex, 'placeOf'>): boolean {
    const { addresses } = this.#host;
    return same(this.#toldPlace(addresses, places), this.#toldPlace(addresses, this.#places));
  }

  /** Which of these services wait for a nearer tier. */
  decisions(keys: Iterable<ServiceKey>): Decisions {
    const chosen = this.#chosen;
    return waitingDecisions(
      (function* () {
        if (chosen.size === 0) return;
        for (const key of keys) {
          const choice = chosen.get(key);
          if (choice !== undefined) yield [key, choice] as const;
        }
      })(),
    );
  }

  /** When a service may move to a nearer tier though nothing else changes; null: none waits. */
  get nextLook(): number | null {
    let next: number | null = null;
    for (const key of this.#waiting) {
      const choice = this.#chosen.get(key);
      const at = choice === undefined ? null : nextLookAt(choice);
      if (at !== null && (next === null || at < next)) next = at;
    }
    return next;
  }

  #isDue(key: ServiceKey, now: number): boolean {
    const choice = this.#chosen.get(key);
    const at = choice === undefined ? null : nextLookAt(choice);
    return at !== null && at <= now;
  }

  #set(key: ServiceKey, chosen: Chosen | undefined): void {
    if (chosen === undefined) this.#chosen.delete(key);
    else this.#chosen.set(key, chosen);
    if (chosen === undefined || chosen.nearer.size === 0) this.#waiting.delete(key);
    else this.#waiting.add(key);
  }

  #choose(service: Service | undefined, before: Chosen | undefined, now: number): Chosen | undefined {
    if (!wantsNear(service)) return undefined;
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

  #near(service: Service, key: ServiceKey): Service {
    const chosen = this.#chosen.get(key);
    if (chosen === undefined || !wantsNear(service)) return service;
    const known = this.#made.get(service);
    if (known?.nearness?.tier === chosen.tier) return known;
    const made = serviceIn(chosen.tier, service, this.#host);
    this.#made.set(service, made);
    return made;
  }

  /** Whether this host stands elsewhere, or has other addresses, than at the last look. */
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

  /** As tasks or agents at this host tell. What was told once counts until something else is: the last task may just have ended. */
  #toldPlace(addresses: ReadonlySet<string>, places: Pick<PlaceIndex, 'placeOf'>): Place {
    const { node } = this.#facts.given;
    for (const host of [...(node === undefined ? [] : [node]), ...addresses]) {
      const place = places.placeOf(host);
      if (place !== null) return place;
    }
    const { addresses: _, ...before } = this.#host;
    return before;
  }

  #warnings(services: ReadonlyMap<ServiceKey, Service>): readonly string[] {
    if (this.#chosen.size === 0) return [];
    const { version } = this.#places;
    if (this.#unknown.version !== version) {
      const warnings = unknownPlaceWarnings(this.#facts.given, (on) => this.#places.names(on));
      this.#unknown = { version, warnings };
    }
    return [...undecidedWarnings(this.#nearVips(services)), ...this.#unknown.warnings];
  }

  *#nearVips(services: ReadonlyMap<ServiceKey, Service>): Generator<NearVip> {
    for (const [key, { tier, undecided }] of this.#chosen) {
      const service = undecided === null ? undefined : services.get(key);
      if (service !== undefined)
        yield { name: `${service.fqdn ?? service.address}:${service.port}`, tier, undecided };
    }
  }
}

const NO_ADDRESSES: ReadonlySet<string> = new Set();
