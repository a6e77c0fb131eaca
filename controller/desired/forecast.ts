import type { App, Rejection } from '../model/app.ts';
import type { Declared } from '../model/desired.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { cleanName } from './names.ts';
import type { Translate } from './translate.ts';

/** A VIP that an app will have once deployed. */
export interface ForecastVip
  extends Pick<Declared, 'name' | 'framework' | 'fqdn' | 'protocol' | 'port' | 'at'> {
  /** Where it will be reached by that family; null where the family is not used. A name has those of its backends' families. */
  readonly ipv4: string | null;
  readonly ipv6: string | null;
  /** Other apps that have the same VIP: their backends and this app's go together. */
  readonly sharedWith: readonly string[];
}

/** The effect of a change of one app. */
export interface Forecast {
  readonly vips: readonly ForecastVip[];
  /** What of it cannot be used, apart from what was so before. */
  readonly rejected: readonly Rejection[];
  /** What is odd because of it. */
  readonly warnings: readonly string[];
}

/** Translates the cluster with `app` in the place of the one of its id. Names are given addresses as a new host would. */
export function forecast(app: App, cluster: Snapshot, translate: Translate): Forecast {
  const before = translate(cluster);
  const others = cluster.apps.filter((one) => one.id !== app.id || one.framework !== app.framework);
  const after = translate({ ...cluster, apps: [...others, app] });
  const known = new Set(before.rejected.map(placeOf));
  const warned = new Set(before.warnings);
  const framework = cleanName(app.framework);
  const isOurs = (one: Declared) =>
    one.app === app.id && (one.framework === null || one.framework === framework);
  return {
    vips: after.declared.filter(isOurs).map((declared) => {
      const { name, framework, fqdn, protocol, port, at, address } = declared;
      const named = name === null ? undefined : after.memory.addresses.get(`${name}.${framework}`);
      const literal = (family: 'ipv4' | 'ipv6') =>
        address !== null && address.includes(':') === (family === 'ipv6') ? address : null;
      const sharedWith = after.declared
        .filter((other) => other.app !== app.id && sameVip(other, declared))
        .map((other) => other.app);
      return {
        ...{ name, framework, fqdn, protocol, port, at },
        ipv4: named?.ipv4 ?? literal('ipv4'),
        ipv6: named?.ipv6 ?? literal('ipv6'),
        sharedWith: [...new Set(sharedWith)],
      };
    }),
    rejected: after.rejected.filter((one) => one.app === app.id && !known.has(placeOf(one))),
    warnings: after.warnings.filter((warning) => !warned.has(warning)),
  };
}

function sameVip(a: Declared, b: Declared): boolean {
  return a.fqdn === b.fqdn && a.address === b.address && a.protocol === b.protocol && a.port === b.port;
}

function placeOf({ app, at, value, reason }: Rejection): string {
  return [app, at, value, reason].join('\n');
}
