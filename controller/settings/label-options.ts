/**
 * Every label beside a VIP label, as one row each: with these, apps choose how a VIP is balanced. The kernel's fields that
 * follow from them are in `settings.ts`.
 */

import type { Family } from '../address.ts';
import { FALLBACK_SCHEDULER, FLAGS, flagsFault, readFlags, SCHEDULERS } from './schedulers.ts';
import { MAX_SLOW_START_SECONDS, slowStartFault } from './slow-start.ts';
import { Refused, readNumber, readOneOf, readPrefixes, readTruth } from './values.ts';

/** The values of `trafficDistribution` of a Kubernetes Service (KEP-3015). */
export const TRAFFIC_DISTRIBUTIONS = ['Cluster', 'PreferSameZone', 'PreferSameNode'] as const;
/** One of these values. */
export type TrafficDistribution = (typeof TRAFFIC_DISTRIBUTIONS)[number];

/** How a VIP is balanced, as the labels beside its VIP label say. */
export interface PortOptions {
  /** The kernel's short name. */
  readonly scheduler: string;
  /** As for `ipvsadm -b`: `mh-fallback,mh-port`; empty for none. */
  readonly flags: string;
  /** 0: not persistent. */
  readonly persistenceSeconds: number;
  /** Prefix length by which persistence groups clients. */
  readonly persistencePrefix: Readonly<Record<Family, number>>;
  /** Weight of a healthy backend. */
  readonly weight: number;
  /** Limit for each backend; 0: no limit. */
  readonly maxConnections: number;
  readonly drainSeconds: number;
  /** Whether a backend that does not answer is ejected. */
  readonly eject: boolean;
  /** How long a backend that comes into rotation grows to its weight; 0: no slow start. */
  readonly slowStartSeconds: number;
  /** Whether all backends get connections, or only the nearest. */
  readonly trafficDistribution: TrafficDistribution;
}

/** A label beside a VIP label. */
export interface OptionRow<Value> {
  /** Key of the label: `IPVS_WEIGHT`. */
  readonly label: string;
  /** Whether all apps of a VIP share the value, or each app has one for its own backends. */
  readonly of: 'vip' | 'backends';
  readonly unset: Value;
  /** Parses the text of a label. */
  read(text: string): Value | Refused;
  /** A label that this one depends on, and why their values do not go together; null when they do. */
  readonly beside?: {
    readonly option: keyof PortOptions;
    fault(value: Value, others: PortOptions): string | null;
  };
  /** Formats a value as the text of a label. When missing, the value is its text. */
  text?(value: Value): string;
  /** Markdown for the table in docs/labels.md. */
  readonly meaning: string;
}

/** 31 days, the bound of `ipvsadm -p`: the kernel counts in jiffies, of which 32 bits hold 49 days. */
const MAX_PERSISTENCE_SECONDS = 31 * 86_400;
/** The kernel counts connections in an int, and `ipvsadm -x` takes no more. */
const MAX_CONNECTIONS = 2_147_483_647;

/** Defaults are as in dcos-net, with a drain of five minutes. */
export const OPTIONS: { readonly [Name in keyof PortOptions]: OptionRow<PortOptions[Name]> } = {
  scheduler: {
    label: 'IPVS_SCHEDULER',
    of: 'vip',
    unset: FALLBACK_SCHEDULER,
    read: (text) => readOneOf(text, SCHEDULERS),
    meaning:
      'scheduler, by its name in the kernel ([how each spreads connections](balancing.md)); default `wlc`, or `--default-scheduler`',
  },
  flags: {
    label: 'IPVS_SCHEDULER_FLAGS',
    of: 'vip',
    unset: '',
    read: readFlags,
    beside: {
      option: 'scheduler',
      fault: (flags, { scheduler }) => flagsFault(flags, scheduler),
    },
    meaning: `flags of the scheduler, comma-separated: ${FLAGS.map((flag) => `\`${flag}\``).join(', ')} ([what they do](balancing.md#flags-of-mh-and-sh)); default none`,
  },
  persistenceSeconds: {
    label: 'IPVS_PERSISTENCE_SECONDS',
    of: 'vip',
    unset: 0,
    read: readNumber(MAX_PERSISTENCE_SECONDS),
    meaning: 'how many seconds a client stays with its backend; default 0: no persistence',
  },
  persistencePrefix: {
    label: 'IPVS_PERSISTENCE_PREFIX',
    of: 'vip',
    unset: { ipv4: 32, ipv6: 128 },
    read: readPrefixes,
    text: ({ ipv4, ipv6 }) => `${ipv4}/${ipv6}`,
    beside: {
      option: 'persistenceSeconds',
      fault: ({ ipv4, ipv6 }, { persistenceSeconds }) =>
        persistenceSeconds > 0 || (ipv4 === 32 && ipv6 === 128)
          ? null
          : 'has no effect without IPVS_PERSISTENCE_SECONDS',
    },
    meaning:
      'prefix length of the clients that stay together: `24` for IPv4, `24/64` for IPv4 and IPv6; default `32/128`: each address separately',
  },
  weight: {
    label: 'IPVS_WEIGHT',
    of: 'backends',
    unset: 1,
    // The bound of `ipvsadm -w`.
    read: readNumber(65_535),
    meaning: "weight of this app's backends; default 1",
  },
  maxConnections: {
    label: 'IPVS_MAX_CONNECTIONS',
    of: 'backends',
    unset: 0,
    read: readNumber(MAX_CONNECTIONS),
    meaning:
      'limit on the connections of each backend of this app, per host; a full backend gets no new ones until it is below three quarters of the limit; default 0: no limit',
  },
  drainSeconds: {
    label: 'IPVS_DRAIN_SECONDS',
    of: 'backends',
    unset: 300,
    read: readNumber(86_400),
    meaning: 'how many seconds the connections of a removed backend may continue; default 300',
  },
  eject: {
    label: 'IPVS_EJECT',
    of: 'backends',
    unset: true,
    read: readTruth,
    meaning:
      "`false`: never eject this app's backends, even if they do not answer ([ejection](ejection.md)); default `true`",
  },
  slowStartSeconds: {
    label: 'IPVS_SLOW_START_SECONDS',
    of: 'vip',
    unset: 0,
    read: readNumber(MAX_SLOW_START_SECONDS),
    beside: {
      option: 'scheduler',
      fault: (slowStartSeconds, others) => slowStartFault({ ...others, slowStartSeconds }),
    },
    meaning:
      'how many seconds a backend that enters the rotation takes to grow from a tenth of its weight to all of it ([slow start](slow-start.md)); default 0, or `--slow-start-seconds`: full weight at once',
  },
  trafficDistribution: {
    label: 'IPVS_TRAFFIC_DISTRIBUTION',
    of: 'vip',
    unset: 'Cluster',
    read: (text) => readOneOf(text, TRAFFIC_DISTRIBUTIONS),
    meaning:
      '`PreferSameZone` or `PreferSameNode`: only the nearest backends get connections ([nearness](nearness.md)); default `Cluster`, or `--traffic-distribution`: all backends do',
  },
};

/** Names of the options, in the order of their rows. */
export const optionNames = Object.keys(OPTIONS) as (keyof PortOptions)[];

/** The options of ports without labels. */
export const DEFAULT_PORT_OPTIONS = Object.fromEntries(
  optionNames.map((name) => [name, OPTIONS[name].unset]),
) as unknown as PortOptions;

/** A label with an invalid value; the default is used. */
interface OptionProblem {
  readonly key: string;
  readonly value: string;
  /** What was expected; absent when the label is no known option. */
  readonly reason?: string;
}

/** The options of a port, and the labels that were rejected. */
export interface OptionsReading {
  readonly options: PortOptions;
  readonly problems: readonly OptionProblem[];
}

/**
 * Reads the `IPVS_*` labels of a port with a VIP label. A missing or invalid option gets its default, as does a scheduler
 * that the kernel lacks (`lacks`).
 */
export function readPortOptions(
  labels: Readonly<Record<string, string>>,
  defaults: PortOptions = DEFAULT_PORT_OPTIONS,
  lacks: (scheduler: string) => boolean = () => false,
): OptionsReading {
  const { asked, given, problems } = readLabels(labels, defaults);
  if (given.size === 0) return { options: defaults, problems };

  const wrong = new Set(problems.flatMap(({ key }) => NAMES.get(key) ?? []));
  let options = asked;
  const refuse = (name: keyof PortOptions, reason: string | null): void => {
    options = { ...options, [name]: defaults[name] };
    wrong.add(name);
    const { label } = OPTIONS[name];
    if (reason !== null) problems.push({ key: label, value: given.get(name) ?? '', reason });
  };
  if (asked.scheduler !== defaults.scheduler && lacks(asked.scheduler))
    refuse('scheduler', lackingReason(asked.scheduler, defaults.scheduler));
  for (const name of given.keys()) {
    const { beside } = OPTIONS[name] as OptionRow<unknown>;
    const fault = wrong.has(name) ? null : (beside?.fault(options[name], options) ?? null);
    // A fault that only follows from an invalid other label is not reported.
    if (beside !== undefined && fault !== null) refuse(name, wrong.has(beside.option) ? null : fault);
  }
  return { options, problems };
}

/** Reads each label by itself, over the defaults. */
function readLabels(labels: Readonly<Record<string, string>>, defaults: PortOptions) {
  const problems: OptionProblem[] = [];
  const given = new Map<keyof PortOptions, string>();
  let asked = defaults;
  for (const [key, value] of Object.entries(labels)) {
    if (!key.startsWith('IPVS_')) continue;
    const name = NAMES.get(key);
    if (name === undefined) {
      problems.push({ key, value });
      continue;
    }
    given.set(name, value);
    const read = OPTIONS[name].read(value);
    if (read instanceof Refused) problems.push({ key, value, reason: read.reason });
    else asked = { ...asked, [name]: read };
  }
  return { asked, given, problems };
}

const NAMES: ReadonlyMap<string, keyof PortOptions> = new Map(
  optionNames.map((name) => [OPTIONS[name].label, name]),
);

/** Why a VIP does not have the scheduler that it asks for. */
export function lackingReason(scheduler: string, instead: string): string {
  return `this host's kernel lacks this scheduler (module ip_vs_${scheduler}), so the VIP has ${instead}; it is retried every minute`;
}

/** Options as labels: `IPVS_SCHEDULER mh, IPVS_SCHEDULER_FLAGS mh-port`. */
export function optionsText(names: readonly (keyof PortOptions)[], options: PortOptions): string {
  return names.map((name) => `${OPTIONS[name].label} ${optionText(name, options)}`).join(', ');
}

function optionText(name: keyof PortOptions, options: PortOptions): string {
  const { text = String } = OPTIONS[name] as OptionRow<unknown>;
  return text(options[name]) || 'none';
}

/** The options that all apps of a VIP share and in which these two differ. */
export function sharedOptionsThatDiffer(a: PortOptions, b: PortOptions): readonly (keyof PortOptions)[] {
  if (a === b) return NO_OPTIONS;
  return optionNames.filter(
    (name) => OPTIONS[name].of === 'vip' && optionText(name, a) !== optionText(name, b),
  );
}

const NO_OPTIONS: readonly (keyof PortOptions)[] = [];
