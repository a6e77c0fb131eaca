/** The results of a pass for each app, computed for all apps at once. Pure. */

import { same } from '../../compare.ts';
import type { Rejection } from '../../model/app.ts';
import type { Declared } from '../../model/desired.ts';
import type { BackendKey } from '../../model/endpoint.ts';
import { endpointKey } from '../../model/endpoint.ts';
import type { Service, ServiceKey } from '../../model/service.ts';
import { serviceKey } from '../../model/service.ts';
import type { PassStatus } from '../../pass-status.ts';

/** The results of a pass for one app. */
export interface AppFacts {
  readonly vips: readonly VipFacts[];
  readonly rejected: readonly Rejection[];
  /** Without the app's id in front. */
  readonly warnings: readonly string[];
}

/** One VIP of an app, as the pass left it. */
export interface VipFacts {
  readonly declared: Declared;
  /** At most one for each address family. */
  readonly services: readonly Service[];
  /** Conflicts with other programs' services at its address and port. */
  readonly conflicts: readonly string[];
  /** Differences between the kernel and the desired state. */
  readonly shortfalls: readonly string[];
  /** Backends of the app that are ejected on this host, with the reason of their weight. */
  readonly ejected: ReadonlyMap<BackendKey, string>;
}

/** By app id. An app without an entry has `NO_FACTS`. */
export type PassFacts = ReadonlyMap<string, AppFacts>;

export const NO_FACTS: AppFacts = { vips: [], rejected: [], warnings: [] };

/** Groups the results of a pass by app. A generator, so that a large pass does not block the event loop. */
export function* factsOf(pass: PassStatus): Generator<undefined, PassFacts> {
  const { desired, plan } = pass;
  const named = new Map<string, Service[]>();
  for (const service of desired.services.values()) {
    if (service.name === null) continue;
    const at = named.get(nameKey(service));
    if (at === undefined) named.set(nameKey(service), [service]);
    else at.push(service);
    yield;
  }
  const conflicts = new Map(plan.conflicts.map(({ key, reason }) => [key, reason]));
  const lacking = new Map(
    pass.shortfall.map(({ key, kind }) => [
      key,
      kind === 'missing' ? 'the kernel lacks it' : 'not as desired',
    ]),
  );
  yield;
  const facts = new Map<string, { vips: VipFacts[]; rejected: Rejection[]; warnings: string[] }>();
  const at = (app: string) => {
    const known = facts.get(app) ?? { vips: [], rejected: [], warnings: [] };
    facts.set(app, known);
    return known;
  };
  for (const declared of desired.declared) {
    const services = servicesOf(declared, desired.services, named);
    const keys = services.map(serviceKey);
    at(declared.app).vips.push({
      declared,
      services,
      conflicts: reasonsFor(keys, conflicts),
      shortfalls: reasonsFor(keys, lacking),
      ejected: ejectedOf(declared.app, services, pass.decisions),
    });
    yield;
  }
  for (const rejection of desired.rejected) {
    at(rejection.app).rejected.push(rejection);
    yield;
  }
  for (const warning of desired.warnings) {
    // `/web portDefinitions[0].labels.VIP_0: …`. A warning about no app concerns no object.
    const end = warning.indexOf(' ');
    if (end > 0) at(warning.slice(0, end)).warnings.push(warning.slice(end + 1));
    yield;
  }
  return facts;
}

/** Whether `before` and `now` give the same status. */
export function sameFacts(before: AppFacts = NO_FACTS, now: AppFacts = NO_FACTS): boolean {
  if (before === now) return true;
  const { vips, rejected, warnings } = before;
  return (
    same(rejected, now.rejected) &&
    sameItems(warnings, now.warnings) &&
    vips.length === now.vips.length &&
    vips.every((vip, i) => {
      const other = now.vips[i];
      return (
        other !== undefined &&
        same(vip.declared, other.declared) &&
        sameItems(vip.services, other.services) &&
        sameItems(vip.conflicts, other.conflicts) &&
        sameItems(vip.shortfalls, other.shortfalls) &&
        sameItems([...vip.ejected].flat(), [...other.ejected].flat())
      );
    })
  );
}

/** Compares by reference: unchanged items are the same objects from pass to pass. */
function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function servicesOf(
  declared: Declared,
  services: ReadonlyMap<ServiceKey, Service>,
  named: ReadonlyMap<string, readonly Service[]>,
): readonly Service[] {
  const { name, address, protocol, port, app } = declared;
  const found =
    name === null
      ? [services.get(serviceKey({ protocol, address: address ?? '', port }))]
      : (named.get(nameKey(declared)) ?? []);
  return found.filter((service) => service?.apps.includes(app)) as readonly Service[];
}

const NONE: VipFacts['ejected'] = new Map();

function ejectedOf(
  app: string,
  services: readonly Service[],
  decisions: PassStatus['decisions'],
): VipFacts['ejected'] {
  const found = services.flatMap((service) => {
    const decided = [...(decisions.get(serviceKey(service)) ?? [])];
    return decided.flatMap(([key, { rule }]): [BackendKey, string][] => {
      const backend = rule === 'ejected' && key !== null ? service.backends.get(key) : undefined;
      return backend?.app === app ? [[endpointKey(backend), backend.reason]] : [];
    });
  });
  return found.length === 0 ? NONE : new Map(found);
}

function nameKey({
  name,
  framework,
  protocol,
  port,
}: Pick<Declared, 'name' | 'framework' | 'protocol' | 'port'>): string {
  return `${protocol} ${port} ${name} ${framework}`;
}

function reasonsFor(
  keys: readonly ServiceKey[],
  reasons: ReadonlyMap<ServiceKey, string>,
): readonly string[] {
  return keys.flatMap((key) => (reasons.has(key) ? [`${key}: ${reasons.get(key)}`] : []));
}
