import type { Inventory } from '../inventory/inventory.ts';
import { objectName } from '../kubernetes/object-name.ts';
import type { Holder } from '../loop/confirm.ts';
import { stayText } from '../plan/unclaimed.ts';
import type { EndpointHold } from './endpoint-hold.ts';
import type { HeldCounts } from './metrics.ts';
import type { RemovalHold } from './removal-hold.ts';

/** The brakes for whole apps and for endpoints. */
export interface Holds {
  readonly apps: RemovalHold;
  readonly endpoints: EndpointHold;
}

interface Due {
  readonly apps: ReadonlySet<string>;
  readonly tasks: ReadonlySet<string>;
  readonly size: number;
}

/** Combines both brakes, so that the sources are read once for both. */
export function holderOf({ apps, endpoints }: Holds): Holder<Due> {
  return {
    due(now) {
      const due = { apps: apps.due(now), tasks: endpoints.due(now) };
      return { ...due, size: due.apps.size + due.tasks.size };
    },
    confirm(due, inventory, now) {
      if (inventory.unknown.length > 0) apps.postpone(due.apps, now);
      if (inventory.unknown.length > 0) return endpoints.confirm(due.tasks, inventory, now);
      const present = new Set([...inventory.apps.values()].map(objectName));
      const missing = [...due.apps].filter((object) => !present.has(object));
      apps.accept(missing);
      apps.postpone(present, now);
      return missing.length + endpoints.confirm(due.tasks, inventory, now);
    },
  };
}

type Held = Omit<HeldCounts, 'text'>;
type Unknown = Inventory['unknown'];

/** What is held and why, in the words of a host; null if nothing is. */
export function heldText({ apps, endpoints }: Held, unknown: Unknown): string | null {
  const parts = [count(apps, 'app'), count(endpoints, 'endpoint')].filter((part) => part !== null);
  if (parts.length === 0) return null;
  const what = parts.join(' and ');
  if (unknown.length > 0) return stayText(what, unknown);
  return `mass removal held: ${what} stay although no source lists them any more, until the sources are read again`;
}

/** What an operator should know of a comparison: what is held, and the published objects that cannot be read; null if nothing. */
export function statusText(held: Held, unknown: Unknown, unread: readonly string[]): string | null {
  const listed = unread.slice(0, MAX_NAMED).join(', ');
  const rest = unread.length > MAX_NAMED ? ` and ${unread.length - MAX_NAMED} more` : '';
  const unreadText = unread.length === 0 ? null : `cannot be read: ${listed}${rest}`;
  const texts = [heldText(held, unknown), unreadText].filter((text) => text !== null);
  return texts.length === 0 ? null : texts.join('; ');
}

function count(number: number, noun: string): string | null {
  return number === 0 ? null : `${number} ${noun}${number === 1 ? '' : 's'}`;
}

const HELD_MASS =
  'mass removal held: most would be removed at once, only because no source lists it any more';
const HELD_UNKNOWN =
  'removal held: it may belong to a part of a source that could not be read since the start; correct or remove that part';
const MAX_NAMED = 5;

/** Message and fields of the warning in the log. */
export function heldWarning(
  held: Held,
  published: number,
  unknown: Unknown,
): readonly [string, Readonly<Record<string, unknown>>] {
  if (unknown.length === 0) return [HELD_MASS, { ...held, published }];
  const named = unknown.slice(0, MAX_NAMED).map(({ part, reason }) => `${part}: ${reason}`);
  return [HELD_UNKNOWN, { ...held, published, unknown: named }];
}
