import type { Desired } from '../../../controller/model/desired.ts';
import { endpointKey } from '../../../controller/model/endpoint.ts';
import type { Step, Table } from '../../../controller/model/kernel.ts';
import { serviceKey } from '../../../controller/model/service.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import type { Owned } from '../../../controller/plan/plan.ts';
import { type Shortfall, type ShortfallInput, Shortfalls } from '../../../controller/plan/shortfall.ts';
import { backendFields, serviceFields } from '../../../controller/settings/settings.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf, observedService, tableOf } from '../../support/observed.ts';
import { createDiff } from '../../support/planning.ts';

export const WEB = service('11.0.0.1', 80, [backend('10.0.0.1', 31_000)], { name: 'web', apps: ['/web'] });
export const DB = service('11.0.0.2', 5_432, [backend('10.0.0.2', 31_001)], { name: 'db', apps: ['/db'] });

/** The table in which these services are as desired. */
export function settled(...services: Parameters<typeof observedService>[0][]): Table {
  return tableOf(...services.map((one) => observedService(one)));
}

/** A pass that found `before`, wanted `desired` and left `observed`, which defaults to `desired`. */
export function passOf(what: {
  readonly desired?: Desired;
  readonly before?: Table;
  readonly observed?: Table;
  /** Outside the pools: another program's service there is a conflict. */
  readonly foreign?: boolean;
  readonly over?: Partial<PassStatus>;
}): PassStatus {
  const desired = what.desired ?? desiredOf(WEB);
  const before = what.before ?? what.observed ?? settled(...desired.services.values());
  const owned = new Map([...before.keys()].map((key) => [key, { name: null, framework: null, fqdn: null }]));
  const ours = what.foreign === true ? new Map<string, Owned>() : owned;
  const found = createDiff()(desired, before, {
    owned: ours,
    inPool: () => what.foreign !== true,
    adopt: false,
  });
  const observed = what.observed ?? settled(...desired.services.values());
  // Compares all services, including those of earlier passes.
  const keys = new Set([...found.keys, ...before.keys(), ...[WEB, DB].map(serviceKey)]);
  const plan = { ...found, keys };
  return {
    startedAt: 999_950,
    finishedAt: 1_000_000,
    kind: 'full',
    desired,
    plan,
    observed,
    owned: ours,
    shortfall: shortfallOf({
      desired,
      plan: what.over?.plan ?? plan,
      observed: what.over?.observed ?? observed,
      refused: new Set(),
    }),
    drains: new Map(),
    made: [...plan.growing, ...plan.shrinking].filter((step) => isMade(step, observed)),
    failures: [],
    refused: [],
    waiting: 0,
    held: null,
    unknown: [],
    kept: new Map(),
    largeRemoval: null,
    decisions: new Map(),
    slowStarts: 0,
    problems: [],
    advice: [],
    repaired: [],
    drift: [],
    changesSince: [],
    error: null,
    ...what.over,
  };
}

function shortfallOf(input: ShortfallInput): readonly Shortfall[] {
  const shortfalls = new Shortfalls();
  input.plan.keys.forEach(shortfalls.checker(input));
  return shortfalls.all;
}

function isMade(step: Step, table: Table): boolean {
  const service = table.get(serviceKey(step.service));
  switch (step.op) {
    case 'add-service':
    case 'update-service':
      return service !== undefined && serviceFields.agree(step.service, service);
    case 'remove-service':
      return service === undefined;
    case 'add-backend':
    case 'update-backend': {
      const backend = service?.backends.get(endpointKey(step.backend));
      return backend !== undefined && backendFields.agree(step.backend, backend);
    }
    case 'remove-backend':
      return service?.backends.has(endpointKey(step.backend)) !== true;
  }
}
