/**
 * Every label beside a VIP label, as one row each: with these, apps choose how a VIP is balanced. The kernel's fields that
 * follow from them are in `settings.ts`.
 */

import { TRAFFIC_DISTRIBUTIONS } from '../place.ts';
import type { PortOptions } from './port-options.ts';
import type { OptionRow } from './rows.ts';
import { FALLBACK_SCHEDULER, FLAGS, flagsFault, readFlags, SCHEDULERS } from './schedulers.ts';
import { MAX_SLOW_START_SECONDS, slowStartFault } from './slow-start.ts';
import { readNumber, readOneOf, readPrefixes, readTruth } from './values.ts';

/** 31 days, the bound of `ipvsadm -p`: the kernel counts in jiffies, of which 32 bits hold 49 days. */
const MOST_PERSISTENCE_SECONDS = 31 * 86_400;
/** The kernel counts connections in an int, and `ipvsadm -x` takes no more. */
const MOST_CONNECTIONS = 2_147_483_647;

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
    read: readNumber(MOST_PERSISTENCE_SECONDS),
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
    read: readNumber(MOST_CONNECTIONS),
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
