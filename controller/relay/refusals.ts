/** Which old EndpointSlices must stay because the server refused what replaces them. Pure. */

import { APP_LABEL } from '../kubernetes/relayed.ts';
import type { RelayedObject } from './relayed-app.ts';

/** A slice that is published and not wanted any more. */
export interface OldSlice {
  /** The MarathonApp that it belongs to. */
  readonly app: string | undefined;
  /** `task address` of each endpoint. */
  readonly members: readonly string[];
}

export interface Refusals {
  /** Whether an old slice has to stay until what replaces it is accepted. */
  needs(slice: OldSlice): boolean;
}

/**
 * An old slice stays where its MarathonApp was refused, whose readers know the old ports only; where an endpoint of it is
 * to move to a slice that was refused; and where none of the new slices of its app was accepted, as with a quota: an app
 * must not lose all of its endpoints because the server takes no others.
 */
export function refusalsOf(
  apps: ReadonlyMap<string, unknown>,
  slices: ReadonlyMap<string, unknown>,
  wanted: ReadonlyMap<string, RelayedObject>,
): Refusals {
  const waiting = new Map<string, Set<string>>();
  const served = new Set<string>();
  for (const [name, slice] of wanted) {
    const app = slice.labels[APP_LABEL] ?? '';
    if (!slices.has(name)) served.add(app);
    else {
      const members = waiting.get(app) ?? new Set();
      waiting.set(app, members);
      for (const member of membersIn(slice.content['endpoints'])) members.add(member);
    }
  }
  return {
    needs({ app, members }) {
      if (app === undefined) return false;
      if (apps.has(app)) return true;
      const missing = waiting.get(app);
      return missing !== undefined && (!served.has(app) || members.some((member) => missing.has(member)));
    },
  };
}

/** `task address` of each endpoint of a slice, as the API server has it or as it is to be. */
export function membersIn(endpoints: unknown): readonly string[] {
  const list = (endpoints ?? []) as readonly {
    readonly addresses: readonly string[];
    readonly targetRef?: { readonly name?: string | null | undefined } | null | undefined;
  }[];
  return list.map(({ addresses, targetRef }) => `${targetRef?.name} ${addresses[0]}`);
}
