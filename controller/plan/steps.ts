import type { Endpoint } from '../model/endpoint.ts';
import type { Step } from '../model/kernel.ts';
import type { ServiceAddress } from '../model/service.ts';
import { type BackendSettings, backendFields, serviceFields } from '../settings/settings.ts';
import type { BackendAddition, HostOrder } from './host-order.ts';
import { type Plan, type PlanDraft, type PlannedService, summaryOf } from './plan.ts';

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
    this.growing.push(...this.#order(key, added), ...updated);
    // A weight of 0 is for clients as much a loss as a removal.
    this.shrinking.push(...emptied, ...removed);
    return backends.length;
  }

  /** The plan with these steps. */
  complete(draft: PlanDraft): Plan {
    const { growing, shrinking } = this;
    return { ...draft, growing, shrinking, summary: summaryOf(draft.services) };
  }
}

function addressOf({ protocol, address, port }: ServiceAddress): ServiceAddress {
  return { protocol, address, port };
}

function written(backend: Endpoint & BackendSettings): Endpoint & BackendSettings {
  const { address, port } = backend;
  return { address, port, ...backendFields.pick(backend) };
}
