/** What parts are made from, out of the options: for `wire.ts`, and for commands that build a few parts only. */

import type { Config } from './config/config.ts';
import { type Pools, parsePool } from './desired/pool.ts';

export function poolsOf({ poolIpv4, poolIpv6 }: Pick<Config, 'poolIpv4' | 'poolIpv6'>): Pools {
  return { ipv4: parsePool(poolIpv4), ipv6: poolIpv6 === null ? null : parsePool(poolIpv6) };
}

/** Where the credentials are; undefined where there are none. */
export function credentialsOf(userFile: string | undefined, tokenFile: string | undefined) {
  if (userFile !== undefined) return { kind: 'basic', path: userFile } as const;
  return tokenFile === undefined ? undefined : ({ kind: 'token', path: tokenFile } as const);
}
