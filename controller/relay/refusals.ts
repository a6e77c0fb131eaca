/** Decides which old EndpointSlices must stay because the server refused their replacements. Pure. */

import { APP_LABEL } from '../kubernetes/relayed.ts';
import type { RelayedObject } from './relayed-app.ts';

/** A published slice that is no longer wanted. */
export interface OldSlice {
  /** The MarathonApp that it belongs to. */
  readonly app: string | undefined;
  /** `task address` of each endpoint. */
  readonly members: readonly string[];
}

export interface Refusals {
  /** Whether an old slice must stay until its replacement is accepted. */
  needs(slice: OldSlice): boolean;
}

/**
 * An old slice stays if its MarathonApp was refused, since readers then know only the old ports; if one of its endpoints
 * belongs to a slice that was refused; or if none of its app's new slices was accepted, as with an exhausted quota: an app
 * must not lose all of its endpoints because new ones are refused.
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

/** Returns `task address` of each endpoint of a slice, published or desired. */
export function membersIn(endpoints: unknown): readonly string[] {
  const list = (endpoints ?? []) as readonly {
    readonly addresses: readonly string[];
    readonly targetRef?: { readonly name?: string | null | undefined } | null | undefined;
  }[];
  return list.map(({ addresses, targetRef }) => `${targetRef?.name} ${addresses[0]}`);
}
