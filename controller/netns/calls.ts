/** What is said over the pipe between this program and its helper in a network namespace: one JSON object a line. */

import {
  type BackendKey,
  endpointKey,
  type ObservedBackend,
  type ObservedService,
  type ServiceAddress,
  type ServiceKey,
  type Step,
  serviceKey,
  type Table,
} from '../model.ts';
import type { ReachabilityReport, StepFailure } from '../ports.ts';

/** What the helper can be asked for, with what it is given and what it answers. */
export interface Calls {
  observe: { given: readonly ServiceAddress[] | null; answer: SentTable };
  observeInBackground: { given: null; answer: SentTable };
  apply: { given: readonly Step[]; answer: readonly SentFailure[] };
  ensure: { given: readonly string[]; answer: ReachabilityReport };
  repair: { given: null; answer: readonly string[] };
  exists: { given: null; answer: readonly string[] };
  remove: { given: null; answer: readonly string[] };
}

export type CallName = keyof Calls;

export interface Call<Name extends CallName = CallName> {
  readonly id: number;
  readonly call: Name;
  readonly given: Calls[Name]['given'];
}

/** One for each call, in any order. `retry` as a `ControllerError` has it. */
export type Answer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string; readonly retry: 'later' | 'never' };

export type SentTable = readonly (Omit<ObservedService, 'backends'> & {
  readonly backends: readonly ObservedBackend[];
})[];

export interface SentFailure extends Pick<StepFailure, 'why'> {
  /** Place of the step among those that were given. */
  readonly step: number;
  readonly error: string;
}

/** The table as it is sent. */
export function toSent(table: Table): SentTable {
  return [...table.values()].map((service) => ({ ...service, backends: [...service.backends.values()] }));
}

/** The table that was sent; `keep` tells what stands for each service in it. */
export function fromSent(
  sent: SentTable,
  keep: (read: ObservedService) => ObservedService = (read) => read,
): Table {
  const table = new Map<ServiceKey, ObservedService>();
  for (const service of sent) {
    const backends = new Map<BackendKey, ObservedBackend>();
    for (const backend of service.backends) backends.set(endpointKey(backend), backend);
    table.set(serviceKey(service), keep({ ...service, backends }));
  }
  return table;
}
