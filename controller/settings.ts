/**
 * Every setting of a service and of a backend that we write, once: the labels by which apps choose it, and the fields in
 * which the kernel has it. Reading labels, comparing, writing, `ipvsadm` lines, documents and docs follow from these rows.
 */

import type { Destination, VirtualService } from 'ipvs-netlink-ts';
import type { Family } from './model.ts';
import { TRAFFIC_DISTRIBUTIONS, type TrafficDistribution } from './place.ts';
import {
  FALLBACK_SCHEDULER,
  FLAGS,
  flagsFault,
  parseFlags,
  readFlags,
  SCHEDULERS,
  toFlags,
  toSchedulerFlags,
} from './schedulers.ts';
import type { FieldRows, OptionRow, Writable } from './setting-rows.ts';
import {
  bitsOf,
  countOption,
  numberOf,
  parseNetmask,
  readNumber,
  readOneOf,
  readPrefixes,
  readTruth,
  toNetmask,
} from './setting-values.ts';
import { MOST_SLOW_START_SECONDS, slowStartFault } from './slow-start.ts';

/** What the labels beside a VIP label say about how it is balanced. */
export interface PortOptions {
  /** The kernel's short name. */
  readonly scheduler: string;
  /** As `ipvsadm -b` takes them, `mh-fallback,mh-port`; empty: none. */
  readonly flags: string;
  /** 0: not persistent. */
  readonly persistenceSeconds: number;
  /** By how many leading bits of its address persistence knows a client. */
  readonly persistencePrefix: Readonly<Record<Family, number>>;
  /** Of a healthy backend. */
  readonly weight: number;
  /** Of one backend; 0: no limit. */
  readonly maxConnections: number;
  readonly drainSeconds: number;
  /** Whether one that does not answer leaves the rotation. */
  readonly eject: boolean;
  /** For how long one that comes into rotation grows to its weight; 0: it has it at once. */
  readonly slowStartSeconds: number;
  /** Which backends get connections: all, or the nearest ones. */
  readonly trafficDistribution: TrafficDistribution;
}

/** 31 days, the bound of `ipvsadm -p`: the kernel counts in jiffies, of which 32 bits hold 49 days. */
const MOST_PERSISTENCE_SECONDS = 31 * 86_400;
/** The kernel counts connections in an int, and `ipvsadm -x` takes no more. */
const MOST_CONNECTIONS = 2_147_483_647;

/** What is not set is as dcos-net programs it, with five minutes for connections to end. */
export const OPTIONS: { readonly [Name in keyof PortOptions]: OptionRow<PortOptions[Name]> } = {
  scheduler: {
    label: 'IPVS_SCHEDULER',
    of: 'vip',
    unset: FALLBACK_SCHEDULER,
    read: (text) => readOneOf(text, SCHEDULERS),
    meaning:
      "the kernel's short name, default `wlc` or `--default-scheduler`; [how they spread connections](balancing.md)",
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
    meaning: `comma-separated: ${FLAGS.map((flag) => `\`${flag}\``).join(', ')} ([what they do](balancing.md)); default none`,
  },
  persistenceSeconds: {
    label: 'IPVS_PERSISTENCE_SECONDS',
    of: 'vip',
    unset: 0,
    read: readNumber(MOST_PERSISTENCE_SECONDS),
    meaning: 'clients stay with their backend for so long, default 0: they do not',
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
      'clients whose addresses agree in so many leading bits stay together: `24` for IPv4, `24/64` for IPv4 and IPv6; default `32/128`, each address by itself',
  },
  weight: {
    label: 'IPVS_WEIGHT',
    of: 'backends',
    unset: 1,
    // The bound of `ipvsadm -w`.
    read: readNumber(65_535),
    meaning: "of this app's backends, default 1",
  },
  maxConnections: {
    label: 'IPVS_MAX_CONNECTIONS',
    of: 'backends',
    unset: 0,
    read: readNumber(MOST_CONNECTIONS),
    meaning:
      "of each of this app's backends, on each host: one with so many gets no new ones until it has less than three quarters of them; default 0: no limit",
  },
  drainSeconds: {
    label: 'IPVS_DRAIN_SECONDS',
    of: 'backends',
    unset: 300,
    read: readNumber(86_400),
    meaning: 'how long connections of a leaving backend may live on, default 300',
  },
  eject: {
    label: 'IPVS_EJECT',
    of: 'backends',
    unset: true,
    read: readTruth,
    meaning:
      "`false`: this app's backends stay in rotation also where they do not answer ([ejection](ejection.md)); default `true`",
  },
  slowStartSeconds: {
    label: 'IPVS_SLOW_START_SECONDS',
    of: 'vip',
    unset: 0,
    read: readNumber(MOST_SLOW_START_SECONDS),
    beside: {
      option: 'scheduler',
      fault: (slowStartSeconds, others) => slowStartFault({ ...others, slowStartSeconds }),
    },
    meaning:
      'for how long a backend that comes into rotation grows from a tenth to its weight ([slow start](slow-start.md)), default 0 or `--slow-start-seconds`: it has its weight at once',
  },
  trafficDistribution: {
    label: 'IPVS_TRAFFIC_DISTRIBUTION',
    of: 'vip',
    unset: 'Cluster',
    read: (text) => readOneOf(text, TRAFFIC_DISTRIBUTIONS),
    meaning:
      '`PreferSameZone` or `PreferSameNode`: only the nearest backends get connections ([nearness](nearness.md)); default `Cluster`, or `--traffic-distribution`: all do',
  },
};

/** What of a service can be written, besides its address and port. */
export interface ServiceSettings {
  /** The kernel's short name: `wlc`, `rr`, `mh`, … */
  readonly scheduler: string;
  /** As `ipvsadm -b` has them: `mh-fallback,mh-port`; empty: none. `one-packet` (`ipvsadm -o`) is never ours. */
  readonly flags: string;
  /** 0: not persistent. */
  readonly persistenceSeconds: number;
  /** Prefix length by which persistence groups clients; 32 or 128: each address by itself, and where there is no persistence. */
  readonly persistencePrefix: number;
  /** Persistence engine: `sip`; empty: none, as for every service of ours. */
  readonly persistenceEngine: string;
}

/** What of a backend can be written, besides its address and port. */
export interface BackendSettings {
  /** `masquerade` for every backend of ours. */
  readonly forward: string;
  /** 0: keeps its connections and gets no new ones. */
  readonly weight: number;
  /** With so many connections it gets no new ones; 0: no limit. */
  readonly upperThreshold: number;
  /** With fewer than these it gets new ones again; 0: three quarters of the upper one. */
  readonly lowerThreshold: number;
}

export const SERVICE: FieldRows<ServiceSettings, VirtualService> = {
  scheduler: {
    about: "The kernel's short name: wlc.",
    of: ({ scheduler }) => scheduler,
    fromKernel: ({ scheduler }) => scheduler,
    write: (scheduler, written) => {
      written.scheduler = scheduler;
    },
    ipvsadm: { '-s': { long: '--scheduler' } },
    print: (scheduler) => `-s ${scheduler}`,
    parse: (options) => options.get('-s') ?? FALLBACK_SCHEDULER,
    describe: (scheduler) => scheduler,
  },
  persistenceSeconds: {
    about: 'For how long a client stays with its backend; 0: it does not.',
    of: ({ persistenceSeconds }) => persistenceSeconds,
    fromKernel: ({ persistence }) => persistence?.timeoutSeconds ?? 0,
    write: (timeoutSeconds, written) => {
      if (timeoutSeconds > 0) written.persistence = { timeoutSeconds };
    },
    ...countOption('-p', '--persistent'),
    describe: (seconds) => (seconds > 0 ? `persistent ${seconds} s` : ''),
  },
  persistencePrefix: {
    about: 'By how many leading bits of its address a client is known to stay; 32 or 128: by all.',
    of: ({ persistencePrefix }, family) => persistencePrefix[family],
    fromKernel: ({ persistence }, family) => persistence?.prefixLength ?? bitsOf(family),
    write: (prefixLength, written) => {
      if (written.persistence !== undefined) written.persistence = { ...written.persistence, prefixLength };
    },
    ipvsadm: { '-M': { long: '--netmask' } },
    print: (prefix, family) => (prefix === bitsOf(family) ? '' : `-M ${toNetmask(prefix, family)}`),
    parse: (options, family) => parseNetmask(options.get('-M'), family),
    describe: (prefix, family) => (prefix === bitsOf(family) ? '' : `clients by /${prefix}`),
  },
  flags: {
    about: 'Switches of its scheduler, as ipvsadm -b has them: mh-fallback,mh-port; empty: none.',
    of: ({ flags }) => flags,
    fromKernel: ({ scheduler, schedulerFlags, onePacket }) =>
      schedulerFlags === undefined && onePacket !== true
        ? ''
        : toFlags(scheduler, schedulerFlags ?? [], onePacket === true),
    write: (flags, written) => {
      if (flags !== '') written.schedulerFlags = toSchedulerFlags(flags);
    },
    ipvsadm: { '-b': { long: '--sched-flags' }, '-o': { long: '--ops', bare: true } },
    print: (flags) => (flags === '' ? '' : `-b ${flags}`),
    parse: (options) => parseFlags(options, options.get('-s') ?? FALLBACK_SCHEDULER),
    describe: (flags) => flags,
  },
  persistenceEngine: {
    about: 'What else than its address a client is known by, as ipvsadm --pe has it: sip; empty: nothing.',
    of: () => '',
    fromKernel: ({ persistenceEngine }) => persistenceEngine ?? '',
    // An update without an engine takes it away (`ip_vs_edit_service`).
    write: (engine, written) => {
      if (engine !== '') written.persistenceEngine = engine;
    },
    ipvsadm: { '--pe': {} },
    print: (engine) => (engine === '' ? '' : `--pe ${engine}`),
    parse: (options) => options.get('--pe') ?? '',
    describe: (engine) => engine,
  },
};

export const BACKEND: FieldRows<BackendSettings, Destination> = {
  forward: {
    about: 'How packets get to it: masquerade, and for what others made, as the kernel has it.',
    of: () => 'masquerade',
    fromKernel: ({ forwardingMethod }) => forwardingMethod,
    write: (forward, written) => {
      // Either ours or as the library itself read it.
      written.forwardingMethod = forward as Destination['forwardingMethod'];
    },
    ipvsadm: {
      '-m': { long: '--masquerading', bare: true },
      '-g': { long: '--gatewaying', bare: true },
      '-i': { long: '--ipip', bare: true },
    },
    print: (forward) => (forward === 'masquerade' ? '-m' : forward === 'tunnel' ? '-i' : '-g'),
    parse: (options) => (options.has('-m') ? 'masquerade' : options.has('-i') ? 'tunnel' : 'direct-route'),
  },
  weight: {
    about: '0: it keeps its connections and gets no new ones.',
    of: ({ weight }) => weight,
    fromKernel: ({ weight }) => weight,
    write: (weight, written) => {
      written.weight = weight;
    },
    ipvsadm: { '-w': { long: '--weight' } },
    print: (weight) => `-w ${weight}`,
    parse: (options) => numberOf(options, '-w', 1),
  },
  upperThreshold: {
    about: 'With so many connections it gets no new ones; 0: no limit.',
    of: ({ maxConnections }) => maxConnections,
    ...threshold('upperThreshold', '-x', '--u-threshold'),
    describe: (connections) => (connections > 0 ? `at most ${connections} connections` : ''),
  },
  lowerThreshold: {
    about: 'With fewer connections than these it gets new ones again.',
    // Rounded up it is exactly the kernel's own rule for a lower threshold of 0 (`ip_vs_unbind_dest`: 4 * connections < 3 * upper).
    of: ({ maxConnections }) => Math.ceil(maxConnections * 0.75),
    ...threshold('lowerThreshold', '-y', '--l-threshold'),
  },
};

/** What the two thresholds of a backend have in common: 0 is not written. */
function threshold(field: 'upperThreshold' | 'lowerThreshold', short: string, long: string) {
  return {
    fromKernel: (kernel: Destination) => kernel[field] ?? 0,
    write(connections: number, written: Writable<Destination>) {
      if (connections > 0) written[field] = connections;
    },
    ...countOption(short, long),
  };
}
