/** The plan of one pass: what happens to each service, and the writes that follow from that, in order. */

import type { Rejection } from '../model/app.ts';
import type { Declared } from '../model/desired.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Step } from '../model/kernel.ts';
import type { Tier } from '../model/place.ts';
import type { ServiceAddress, ServiceKey } from '../model/service.ts';
import type { FieldChange } from '../settings/rows.ts';
import {
  type BackendSettings,
  backendFields,
  type ServiceSettings,
  serviceFields,
} from '../settings/settings.ts';
import type { BackendAddition, HostOrder } from './host-order.ts';

/** `keep`: the kernel has it as desired. */
export type Op = 'add' | 'change' | 'remove' | 'keep';

/** A plan in the making: each stage takes out the changes that must wait. */
export interface PlanDraft {
  /** The services that were compared. All others are as desired in the kernel, or not owned. */
  readonly keys: ReadonlySet<ServiceKey>;
  /** Desired services, and owned ones to remove; sorted by name, then key. */
  readonly services: readonly PlannedService[];
  readonly conflicts: readonly Conflict[];
  /** The compared services that are owned before or after the plan. The ledger must have them before the first step. */
  readonly owned: ReadonlyMap<ServiceKey, Owned>;
}

/** The differences, and the steps that remove them. */
export interface Plan extends PlanDraft {
  /** Steps that add or change, in order. */
  readonly growing: readonly Step[];
  /** Steps that remove, or set a weight to 0, in order. They follow `growing`, so that no VIP is empty in between. */
  readonly shrinking: readonly Step[];
  readonly summary: Summary;
}

/** The name of an owned service, so that it can still be shown when it is removed. */
export interface Owned {
  readonly name: string | null;
  readonly framework: string | null;
  /** null for an IP VIP. */
  readonly fqdn: string | null;
  /** What restricted it to the nearest backends when it was last planned; absent when nothing did. */
  readonly near?: string;
}

/** Numbers of services by operation; a service whose backends differ counts as `change`. */
export interface Summary {
  readonly add: number;
  readonly change: number;
  readonly remove: number;
  readonly keep: number;
}

/** A service as it should be, or, for a removal, as it is; and what changes. */
export interface PlannedService extends ServiceSettings {
  readonly op: Op;
  readonly key: ServiceKey;
  readonly name: string | null;
  readonly framework: string | null;
  readonly fqdn: string | null;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly apps: readonly string[];
  /** As in its `Service`; absent when weights are not scaled, and for a removal. */
  readonly slowStartSeconds?: number;
  /** It was another program's and is now owned: its address lies in a pool, or `--adopt` is given. */
  readonly adopted: boolean;
  /** Some of its backends are held by the mass-removal brake (`brake.ts`), or may belong to an unknown part of a source (`unclaimed.ts`). */
  readonly held: boolean;
  /** Settings of the service itself that differ. */
  readonly changes: readonly FieldChange[];
  /** Why it is removed or held; null otherwise. */
  readonly reason: string | null;
  /** Where only the nearest backends are wanted: their tier, and how many others are left out. */
  readonly nearness?: { readonly tier: Tier; readonly leftOut: number };
  readonly backends: readonly PlannedBackend[];
}

/** A backend as it should be, or, for a removal, as it is; and what changes. */
export interface PlannedBackend extends Endpoint, BackendSettings {
  readonly op: Op;
  /** The endpoint that other hosts use, where it differs. */
  readonly hostPort?: Endpoint;
  /** null for a removal: the source no longer knows the backend. */
  readonly app: string | null;
  readonly task: string | null;
  readonly reason: string;
  readonly changes: readonly FieldChange[];
}

/** A VIP that is not programmed because a service of another program has its address and port. */
export interface Conflict {
  readonly key: ServiceKey;
  readonly apps: readonly string[];
  readonly reason: string;
}

/** The content of a diff, for the text and JSON output. */
export interface Report {
  readonly plan: Plan;
  readonly declared: readonly Declared[];
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
  /** One line about a held mass removal; null when none is held. */
  readonly held: string | null;
  /** Number of other programs' services, which stay untouched. */
  readonly leftAlone: number;
}

/** A service that the kernel has, when these are its backends. */
export function withBackends(service: PlannedService, backends: readonly PlannedBackend[]): PlannedService {
  const isChanged = service.changes.length > 0 || backends.some(({ op }) => op !== 'keep');
  return { ...service, op: isChanged ? 'change' : 'keep', backends };
}

/** Counts services by operation. */
export function summaryOf(services: readonly PlannedService[]): Summary {
  const counts: Record<Op, number> = { add: 0, change: 0, remove: 0, keep: 0 };
  for (const { op } of services) counts[op] += 1;
  return counts;
}

/** Lists the writes that bring planned services into the kernel. */
export class StepList {
  readonly growing: Step[] = [];
  readonly shrinking: Step[] = [];
  readonly #order: HostOrder;

  /** `order`: that in which this host adds the backends of a service. When missing, by their endpoints. */
  constructor(order: HostOrder = (_service, additions) => additions) {
    this.#order = order;
  }

  /** Adds the steps of one service. Returns its cost. */
  add({ op, key, changes, backends, ...planned }: PlannedService): number {
    if (op === 'keep') return 1;
    const service = addressOf(planned);
    if (op === 'remove') {
      this.shrinking.push({ op: 'remove-service', service });
      return 1;
    }
    const settings = { ...service, ...serviceFields.pick(planned) };
    if (op === 'add') this.growing.push({ op: 'add-service', service: settings });
    else if (changes.length > 0) this.growing.push({ op: 'update-service', service: settings });

    const added: BackendAddition[] = [];
    const [updated, emptied, removed]: [Step[], Step[], Step[]] = [[], [], []];
    for (const backend of backends) {
      const { address, port, weight } = backend;
      if (backend.op === 'add') added.push({ op: 'add-backend', service, backend: written(backend) });
      else if (backend.op === 'change')
        (weight === 0 ? emptied : updated).push({
          op: 'update-backend',
          service,
          backend: written(backend),
        });
      else if (backend.op === 'remove')
        removed.push({ op: 'remove-backend', service, backend: { address, port } });
    }
    append(this.growing, this.#order(key, added));
    append(this.growing, updated);
    // For clients, a weight of 0 is as much a loss as a removal.
    append(this.shrinking, emptied);
    append(this.shrinking, removed);
    return backends.length;
  }

  /** Completes the draft with the steps added so far. */
  complete(draft: PlanDraft): Plan {
    const { growing, shrinking } = this;
    return { ...draft, growing, shrinking, summary: summaryOf(draft.services) };
  }
}

/** Only what identifies a service. */
export function addressOf({ protocol, address, port }: ServiceAddress): ServiceAddress {
  return { protocol, address, port };
}

function written(backend: Endpoint & BackendSettings): Endpoint & BackendSettings {
  const { address, port } = backend;
  return { address, port, ...backendFields.pick(backend) };
}

/** Step by step: a service may have more backends than a call may have arguments. */
function append(steps: Step[], more: readonly Step[]): void {
  for (const step of more) steps.push(step);
}
