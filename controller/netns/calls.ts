/** The protocol between the controller and its helper in a network namespace: one JSON object per line over a pipe. */

import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { ObservedBackend, ObservedService, Step, Table } from '../model/kernel.ts';
import { type ServiceAddress, type ServiceKey, serviceKey } from '../model/service.ts';
import type { ReachabilityReport, StepFailure } from '../ports.ts';

/** The calls that the helper serves, with their arguments and results. */
export interface Calls {
  observe: { args: readonly ServiceAddress[] | null; answer: WireTable };
  observeInBackground: { args: null; answer: WireTable };
  apply: { args: readonly Step[]; answer: readonly WireFailure[] };
  ensure: { args: readonly string[]; answer: ReachabilityReport };
  repair: { args: null; answer: readonly string[] };
  exists: { args: null; answer: readonly string[] };
  remove: { args: null; answer: readonly string[] };
}

export type CallName = keyof Calls;

export interface Call<Name extends CallName = CallName> {
  readonly id: number;
  readonly call: Name;
  readonly args: Calls[Name]['args'];
}

/** The answer to a call; answers come in any order. `retry` is that of a `ControllerError`. */
export type Answer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string; readonly retry: 'later' | 'never' };

export type WireTable = readonly (Omit<ObservedService, 'backends'> & {
  readonly backends: readonly ObservedBackend[];
})[];

export interface WireFailure extends Pick<StepFailure, 'why'> {
  /** Index of the step in the call's arguments. */
  readonly step: number;
  readonly error: string;
}

/** Converts a table for the pipe. */
export function toWire(table: Table): WireTable {
  return [...table.values()].map((service) => ({ ...service, backends: [...service.backends.values()] }));
}

/** Converts a table from the pipe. `keep` may replace each service, such as by an equal object that is already in memory. */
export function fromWire(
  sent: WireTable,
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
