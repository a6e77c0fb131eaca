import type { PlaceIndex } from '../inventory/place-index.ts';
import type { Desired, Service, ServiceKey } from '../model.ts';
import type { Place } from '../place.ts';
import type { Decisions } from '../plan/decision.ts';
import { DesiredWith } from '../plan/desired-with.ts';
import { serviceIn, waitingDecisions } from '../plan/nearest.ts';
import { chooseTier, nextLookAt, type TierChoice } from '../plan/tier-choice.ts';
import { type HostPlace, type NearService, tiersInRotation, wantsNear, whyUndecided } from '../plan/tiers.ts';
import { same } from '../same.ts';

/** What is known of this host without the sources. */
export interface HostFacts {
  /** What the operator says, and the name by which Kubernetes may know this host. */
  readonly given: Place;
  /** The same object while they are the same. */
  readonly addresses: () => ReadonlySet<string>;
}

interface Chosen extends TierChoice {
  readonly distribution: NearService['trafficDistribution'];
  readonly undecided: ReturnType<typeof whyUndecided>;
}

/** So many VIPs are named in a warning. */
const MOST_NAMED = 3;

/**
 * Chooses the tier of each service that wants the nearest backends, and remembers it from pass to pass: how long a nearer tier
 * has been there decides whether a service moves to it. A restart forgets that, and starts with the nearest.
 */
export class Nearest {
  readonly #facts: HostFacts;
  readonly #places: Pick<PlaceIndex, 'placeOf' | 'version'>;
  #host: HostPlace;
  #placesVersion = -1;
  readonly #chosen = new Map<ServiceKey, Chosen>();
  /** What was made of a service, so that it stays the same object from pass to pass. */
  #made = new WeakMap<Service, Service>();
  /** Those that wait for a nearer tier. */
  readonly #waiting = new Set<ServiceKey>();

  constructor(facts: HostFacts, places: Pick<PlaceIndex, 'placeOf' | 'version'>) {
    this.#facts = facts;
    this.#places = places;
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
    return new DesiredWith(desired, near, () => this.#warnings(desired.services));
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
    const { trafficDistribution: distribution } = service;
    const undecided = whyUndecided(service, this.#host);
    const known = before?.distribution === distribution ? before : undefined;
    const choice = chooseTier(known, tiersInRotation(service, this.#host), now);
    return choice === known && known.undecided === undecided ? known : { ...choice, distribution, undecided };
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
    const host = { ...this.#toldPlace(addresses), ...this.#facts.given, addresses };
    const before = this.#host;
    this.#host = host;
    return !same({ ...before, addresses: [...before.addresses] }, { ...host, addresses: [...addresses] });
  }

  /** As tasks or agents at this host tell. What was told once counts until something else is: the last task may just have ended. */
  #toldPlace(addresses: ReadonlySet<string>): Place {
    const { node } = this.#facts.given;
    for (const host of [...(node === undefined ? [] : [node]), ...addresses]) {
      const place = this.#places.placeOf(host);
      if (place !== null) return place;
    }
    const { addresses: _, ...before } = this.#host;
    return before;
  }

  #warnings(services: ReadonlyMap<ServiceKey, Service>): readonly string[] {
    const vips = { host: new Set<string>(), backends: new Set<string>() };
    for (const [key, { undecided }] of this.#chosen) {
      const service = undecided === null ? undefined : services.get(key);
      if (undecided === null || service === undefined) continue;
      vips[undecided].add(`${service.fqdn ?? service.address}:${service.port}`);
    }
    const warnings: string[] = [];
    if (vips.host.size > 0)
      warnings.push(
        `the zone of this host is not known: no task or agent here tells it, and --node-zone does not. ${allBackends(vips.host)}`,
      );
    if (vips.backends.size > 0)
      warnings.push(`no source tells the zone of a backend. ${allBackends(vips.backends)}`);
    return warnings;
  }
}

const NO_ADDRESSES: ReadonlySet<string> = new Set();

function allBackends(vips: ReadonlySet<string>): string {
  const names = [...vips].sort();
  const more = names.length - MOST_NAMED;
  const named = names.slice(0, MOST_NAMED).join(', ');
  return `So connections go to all backends, whatever IPVS_TRAFFIC_DISTRIBUTION says: ${named}${more > 0 ? ` and ${more} more` : ''}`;
}
