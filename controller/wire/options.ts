/** Converts options into what parts need, for `wire.ts` and for commands that build only a few parts. */

import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { optionAsWritten } from '../config/option-text.ts';
import type { OptionName } from '../config/options.ts';
import { type Pools, parsePool } from '../desired/pool.ts';
import type { HostFacts } from '../loop/nearness.ts';
import { placeOf } from '../model/place.ts';
import { DEFAULT_PORT_OPTIONS, type PortOptions } from '../settings/label-options.ts';

export function poolsOf({ poolIpv4, poolIpv6 }: Pick<Config, 'poolIpv4' | 'poolIpv6'>): Pools {
  return { ipv4: parsePool(poolIpv4), ipv6: poolIpv6 === null ? null : parsePool(poolIpv6) };
}

/** The options of ports without `IPVS_*` labels. */
export function portDefaultsOf({
  defaultScheduler: scheduler,
  slowStartSeconds,
  trafficDistribution,
}: Pick<Config, 'defaultScheduler' | 'slowStartSeconds' | 'trafficDistribution'>): PortOptions {
  return { ...DEFAULT_PORT_OPTIONS, scheduler, slowStartSeconds, trafficDistribution };
}

/** Facts about this host for nearness. For a table that is not this kernel's, only options count. */
export function hostFactsOf(
  { against, nodeRegion: region, nodeZone: zone, nodeName }: Config,
  hostAddresses: HostFacts['addresses'],
): HostFacts {
  if (against.kind !== 'kernel')
    return { given: placeOf({ region, zone }) ?? {}, addresses: () => NO_ADDRESSES };
  return { given: placeOf({ region, zone, node: nodeName ?? hostname() }) ?? {}, addresses: hostAddresses };
}

const NO_ADDRESSES: ReadonlySet<string> = new Set();

/**
 * What a client of Marathon or Mesos needs besides the address: credentials, CA, and the names of the options that they were
 * given by, for its error messages. `address`: the option with the address.
 */
export function clientOptionsOf(config: Config, peer: 'marathon' | 'mesos', address: OptionName = 'source') {
  const names = {
    userFile: `${peer}UserFile`,
    tokenFile: `${peer}TokenFile`,
    caFile: `${peer}CaFile`,
  } as const;
  const { [names.userFile]: userFile, [names.tokenFile]: tokenFile, [names.caFile]: caFile } = config;
  return {
    credentials: credentialsOf(userFile, tokenFile),
    caFile,
    givenBy: {
      address: optionAsWritten(config, address),
      userFile: optionAsWritten(config, names.userFile),
      tokenFile: optionAsWritten(config, names.tokenFile),
      caFile: optionAsWritten(config, names.caFile),
    },
  };
}

function credentialsOf(userFile: string | undefined, tokenFile: string | undefined) {
  if (userFile !== undefined) return { kind: 'basic', path: userFile } as const;
  return tokenFile === undefined ? undefined : ({ kind: 'token', path: tokenFile } as const);
}
