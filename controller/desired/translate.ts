import type { App, Declared, Desired, Family, Memory, Rejection, Snapshot } from '../model.ts';
import { atOnce, Portion } from '../parts.ts';
import { createAllocator } from './allocate.ts';
import type { AppClaims } from './claims.ts';
import { createClaimsMemo } from './claims-memo.ts';
import { inSamePlaces } from './grouping.ts';
import { cleanName } from './names.ts';
import { createPoolOf, type Pools } from './pool.ts';
import { DEFAULT_PORT_OPTIONS, FALLBACK_SCHEDULER, lackingReason, type PortOptions } from './port-options.ts';
import type { Surroundings } from './port-reading.ts';
import { createRecollection } from './recollection.ts';
import { createRefusals, type RealAddresses } from './refusals.ts';
import { createRoster } from './roster.ts';
import { createRegrouping } from './services.ts';

/** What the operator decides. */
export interface TranslationRules {
  /** `l4lb.thisdcos.directory`; cleaned like a name. */
  readonly zone: string;
  readonly pools: Pools;
  /**
   * Why an IP VIP may not have an address: it is this host's, a name server's, … Asked anew in every call. When
   * missing, none is refused on that account; agents' addresses and names' addresses are refused in any case.
   */
  readonly realAddresses?: RealAddresses;
  /**
   * Addresses of the host whose kernel is programmed, asked for in every call: the same object while they are the
   * same. It reaches its own containers without their host ports. When missing, backends are as other hosts reach them.
   */
  readonly hostAddresses?: () => ReadonlySet<string>;
  /**
   * Addresses at which no backend can be on the host whose kernel is programmed, with why (`a broadcast address`); asked for
   * in every call: the same object while they are the same. When missing, those that are unfit on any host.
   */
  readonly unfitAddresses?: () => ReadonlyMap<string, string>;
  /** For ports without `IPVS_*` labels; wlc, not persistent, weight 1, 300 s when missing. */
  readonly defaults?: PortOptions;
}

/**
 * Follows from the arguments alone, whatever was translated before, and not from the order of apps.
 *
 * `complete` (true when missing): what is not in the snapshot does not exist, so it is forgotten. Otherwise names that
 * are not there keep their addresses, and what is remembered of a label is newer than a snapshot from our own disk.
 * `held`: names (`label.framework`) that keep theirs although no app declares them, since their VIPs are held.
 * `lacking`: schedulers that the kernel lacks; a VIP that asks for one gets the default.
 */
export type Translate = (
  snapshot: Snapshot,
  memory: Memory,
  complete?: boolean,
  held?: ReadonlySet<string>,
  lacking?: ReadonlySet<string>,
) => Desired;

/**
 * `Translate` in parts of a few milliseconds at most, between which whoever asks for them may do other things. One that
 * was begun must be brought to its end before another one begins.
 */
export type TranslateInParts = (...given: Parameters<Translate>) => Generator<undefined, Desired>;

/** Makes the stage from apps to desired services, as `createTranslatorInParts` does, without parts. */
export function createTranslator(rules: TranslationRules): Translate {
  const translate = createTranslatorInParts(rules);
  return (...given) => atOnce(translate(...given));
}

/**
 * Makes the stage from apps to desired services.
 *
 * It remembers its work by identity: an `App` that is the same object as before is not read again, and a `Service`
 * about which nothing changed is the same object in the next result. Also `Desired.memory` is the memory that was
 * given when there is nothing new to remember.
 *
 * Throws when the zone has no letter or digit.
 */
export function createTranslatorInParts(rules: TranslationRules): TranslateInParts {
  const zone = cleanName(rules.zone);
  if (zone === null) throw new Error(`the zone "${rules.zone}" cannot be a DNS name`);
  const namedFamilies: readonly Family[] = FAMILIES.filter((family) => rules.pools[family] !== null);
  const defaults = rules.defaults ?? DEFAULT_PORT_OPTIONS;
  const claimsOf = createClaimsMemo({ zone, namedFamilies, poolOf: createPoolOf(rules.pools), defaults });
  const startRefusals = createRefusals(rules.pools, rules.realAddresses ?? (() => null));
  const inOrder = createOrdering();
  const bringTogether = createRoster();
  const allocate = createAllocator(rules.pools);
  const regroup = createRegrouping();
  const remember = createRecollection();

  /** Claims of the apps that come next, as many as make a part. No generator: one makes garbage at each app. */
  function readSome(apps: readonly App[], surroundings: Surroundings, claims: AppClaims[]): void {
    const portion = new Portion(PART);
    for (let at = claims.length, full = false; !full; at += 1) {
      const app = apps[at];
      if (app === undefined) break;
      full = portion.add(claimsOf.knows(app) ? KNOWN : 1 + app.tasks.length);
      claims.push(claimsOf(app, surroundings));
    }
  }

  /**
   * What all apps claim while names have these addresses. Made once: each generator function has a hidden class of its own
   * in the old space, and all that is around one made for a pass would stay until that is collected.
   */
  function* claimAll(
    apps: readonly App[],
    agents: Snapshot['agents'],
    addresses: Memory['addresses'],
    labels: Memory['labels'],
    host: Pick<Surroundings, 'here' | 'unfit' | 'lacks'>,
  ): Generator<undefined, Attempt> {
    const { refusal, blockers, refused } = startRefusals(
      agents === undefined ? { apps } : { apps, agents },
      addresses,
    );
    const surroundings = { refusal, remembered: (key: string) => labels.get(key), ...host };
    const claims: AppClaims[] = [];
    while (claims.length < apps.length) {
      readSome(apps, surroundings, claims);
      yield;
    }
    return { claims, blockers, refused };
  }

  return function* (snapshot, memory, complete = true, held = NONE, lacking = NONE) {
    const apps = inOrder(snapshot.apps);
    const lacks = (scheduler: string) => lacking.has(scheduler);
    const host = {
      here: rules.hostAddresses?.() ?? NONE,
      unfit: rules.unfitAddresses?.() ?? NOT_UNFIT,
      lacks,
    };
    claimsOf.turnTo(apps);
    const attempt = (addresses: Memory['addresses']) =>
      claimAll(apps, snapshot.agents, addresses, memory.labels, host);
    const { claims, refused } = complete
      ? yield* withoutStaleHolders(memory.addresses, held, attempt)
      : yield* attempt(memory.addresses);
    const roster = yield* bringTogether(claims);
    // A name that is gone frees its address for the next pass: its VIP may have to be held in this one.
    const names = withRemembered(roster.names, memory.addresses);
    const allocation = yield* allocate(names, memory.addresses, roster.ipVips);
    const gone = complete && names !== roster.names;
    const addresses = gone ? declaredOnly(allocation.addresses, roster.names) : allocation.addresses;
    const { services, warnings } = yield* regroup(roster, allocation.addresses);
    const said = gather(claims);

    return {
      services,
      declared: said.declared,
      rejected: distinct([...snapshot.rejected, ...said.rejected].sort(byPlace)),
      warnings: unique([
        ...[snapshot.warnings, said.warnings, roster.warnings, allocation.warnings, warnings],
        aboutDefaults(defaults, lacks),
      ]),
      memory: remember(memory, addresses, roster, complete),
      refused,
    };
  };
}

/** So many new apps and tasks are one part: a millisecond or two. */
const PART = 256;
/** What an app costs that has been read before. */
const KNOWN = 0.1;
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const NONE: ReadonlySet<string> = new Set();
const NOT_UNFIT: ReadonlyMap<string, string> = new Map();

/** What is to be told to the operator of the scheduler that VIPs without a label should have. */
function aboutDefaults({ scheduler }: PortOptions, lacks: (scheduler: string) => boolean): readonly string[] {
  if (scheduler === FALLBACK_SCHEDULER || !lacks(scheduler)) return [];
  return [`--default-scheduler ${scheduler}: ${lackingReason(scheduler, FALLBACK_SCHEDULER)}`];
}

/**
 * Makes the function that puts apps in order: by id, and for apps of several frameworks by framework. It remembers the
 * places, since a source tells of the same apps in the same order again.
 */
function createOrdering(): (apps: readonly App[]) => readonly App[] {
  let last: readonly App[] = [];
  let places: readonly number[] = [];
  let ordered: readonly App[] = [];
  return (apps) => {
    if (apps === last) return ordered;
    if (!inSamePlaces(last, apps)) {
      const sorted = apps.map((app, place) => ({ app, place })).sort((a, b) => byId(a.app, b.app));
      places = sorted.map(({ place }) => place);
      ordered = sorted.map(({ app }) => app);
    } else ordered = ordered.map((app, rank) => apps[places[rank] ?? -1] ?? app);
    last = apps;
    return ordered;
  };
}

function byId(a: App, b: App): number {
  return compare(a.id, b.id) || compare(a.framework, b.framework);
}

function gather(apps: readonly AppClaims[]): Pick<Desired, 'declared' | 'rejected' | 'warnings'> {
  const declared: Declared[] = [];
  const rejected: Rejection[] = [];
  const warnings: string[] = [];
  for (const app of apps) {
    for (const claim of app.claims) declared.push(claim.declared);
    rejected.push(...app.rejected);
    warnings.push(...app.warnings);
  }
  return { declared, rejected, warnings };
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

function unique(warnings: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(warnings.flat())].sort();
}

/** `names` itself where it has all that are remembered. */
function withRemembered(names: ReadonlySet<string>, remembered: Memory['addresses']): ReadonlySet<string> {
  for (const name of remembered.keys()) if (!names.has(name)) return names.union(new Set(remembered.keys()));
  return names;
}

function declaredOnly(addresses: Memory['addresses'], names: ReadonlySet<string>): Memory['addresses'] {
  return new Map([...addresses].filter(([name]) => names.has(name)));
}

interface Attempt {
  readonly claims: readonly AppClaims[];
  /** Names whose remembered address was a reason to refuse an IP VIP. */
  readonly blockers: ReadonlySet<string>;
  /** Addresses that no VIP may take, with why. */
  readonly refused: ReadonlyMap<string, string>;
}

/**
 * The claims with names holding the addresses that they had, without those names that stood in an IP VIP's way but
 * are neither declared nor held any more.
 */
function* withoutStaleHolders(
  remembered: Memory['addresses'],
  held: ReadonlySet<string>,
  attempt: (addresses: Memory['addresses']) => Generator<undefined, Attempt>,
): Generator<undefined, Attempt> {
  let addresses = remembered;
  for (;;) {
    const made = yield* attempt(addresses);
    const { claims, blockers } = made;
    const stale = blockers.difference(held);
    if (stale.size > 0) {
      for (const app of claims)
        for (const { target } of app.claims) stale.delete(target.named?.fullName ?? '');
    }
    if (stale.size === 0) return made;
    addresses = new Map([...addresses].filter(([name]) => !stale.has(name)));
  }
}
