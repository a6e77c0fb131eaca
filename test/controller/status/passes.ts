import type { Desired, Table } from '../../../controller/model.ts';
import { createDiff } from '../../../controller/plan/diff.ts';
import type { PassStatus } from '../../../controller/status/pass-status.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf, observedService, tableOf } from '../../support/observed.ts';

export const WEB = service('11.0.0.1', 80, [backend('10.0.0.1', 31_000)], { name: 'web', apps: ['/web'] });
export const DB = service('11.0.0.2', 5_432, [backend('10.0.0.2', 31_001)], { name: 'db', apps: ['/db'] });

/** The table in which these services are as desired. */
export function settled(...services: Parameters<typeof observedService>[0][]): Table {
  return tableOf(...services.map((one) => observedService(one)));
}

/** A pass that found `before`, wanted `desired` and left `observed`; as a rule it got what it wanted. */
export function passOf(what: {
  readonly desired?: Desired;
  readonly before?: Table;
  readonly observed?: Table;
  /** Outside our pools: what another program has there is a conflict. */
  readonly foreign?: boolean;
  readonly over?: Partial<PassStatus>;
}): PassStatus {
  const desired = what.desired ?? desiredOf(WEB);
  const before = what.before ?? what.observed ?? settled(...desired.services.values());
  const owned = new Map([...before.keys()].map((key) => [key, { name: null, framework: null, fqdn: null }]));
  const plan = createDiff()(desired, before, {
    owned: what.foreign === true ? new Map() : owned,
    inPool: () => what.foreign !== true,
    adopt: false,
  });
  return {
    startedAt: 999_950,
    finishedAt: 1_000_000,
    kind: 'full',
    desired,
    plan,
    observed: what.observed ?? settled(...desired.services.values()),
    drains: new Map(),
    failures: [],
    waiting: 0,
    held: null,
    problems: [],
    advice: [],
    repaired: [],
    drift: [],
    changesSince: [],
    error: null,
    ...what.over,
  };
}
