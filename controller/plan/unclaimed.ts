import type { TaskLookup } from '../inventory/task-index.ts';
import type { Desired } from '../model/desired.ts';
import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { Table } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';
import type { UnknownPart } from '../model/snapshot.ts';
import { keepBackends } from './brake.ts';
import type { PlanDraft } from './plan.ts';

/** Owned backends that no source claims, by service. */
export type Unclaimed = ReadonlyMap<ServiceKey, ReadonlySet<BackendKey>>;

/** What of the sources is unknown, and what stays therefore. */
interface Kept {
  readonly unknown: readonly UnknownPart[];
  readonly kept: Unclaimed;
}

export const NOTHING_KEPT: Unclaimed = new Map();

interface Context {
  readonly observed: Table;
  readonly desired: Pick<Desired, 'services'>;
  readonly taskAt: TaskLookup;
  /** Whether a source named the task at an endpoint as ended. */
  readonly isNamed: (endpoint: BackendKey, service: ServiceKey) => boolean;
  /** Whether a task of an app that can be read had this endpoint in a saved state. Then that app says whether it still has. */
  readonly isOfKnownApp: (endpoint: BackendKey) => boolean;
}

/** The backends that a plan would remove although no source knows a task there: they may belong to an unknown part of a source. */
export function findUnclaimed({ services }: PlanDraft, context: Context): Unclaimed {
  const found = new Map<ServiceKey, ReadonlySet<BackendKey>>();
  for (const { key, backends } of services) {
    const leaving = backends.filter(({ op }) => op === 'remove').map(endpointKey);
    const unclaimed = leaving.filter((endpoint) => isUnclaimed(endpoint, key, context));
    if (unclaimed.length > 0) found.set(key, new Set(unclaimed));
  }
  return found;
}

/** Those that are still unclaimed, and still there. */
export function stillUnclaimed(before: Unclaimed, context: Context): Unclaimed {
  const found = new Map<ServiceKey, ReadonlySet<BackendKey>>();
  for (const [key, endpoints] of before) {
    const backends = context.observed.get(key)?.backends;
    const still = [...endpoints].filter(
      (endpoint) => backends?.has(endpoint) && isUnclaimed(endpoint, key, context),
    );
    if (still.length > 0) found.set(key, new Set(still));
  }
  return found;
}

function isUnclaimed(
  endpoint: BackendKey,
  key: ServiceKey,
  { desired, taskAt, isNamed, isOfKnownApp }: Context,
): boolean {
  const isWanted = desired.services.get(key)?.backends.has(endpoint) === true;
  return !isWanted && taskAt(endpoint) === null && !isNamed(endpoint, key) && !isOfKnownApp(endpoint);
}

/** The plan in which unclaimed backends stay as they are. */
export function keepUnclaimed(
  plan: PlanDraft,
  unclaimed: Unclaimed,
  observed: Table,
  parts: readonly UnknownPart[],
): PlanDraft {
  const reason = whyKept(parts);
  return keepBackends(plan, observed, ({ key }) => {
    const stays = unclaimed.get(key);
    if (stays === undefined) return null;
    return { backends: new Map([...stays].map((endpoint) => [endpoint, reason])), reason };
  });
}

/** Why a backend or VIP stays that no source declares. */
export function whyKept(parts: readonly UnknownPart[]): string {
  const [first] = parts;
  const more = parts.length > 1 ? ` or one of ${parts.length - 1} more` : '';
  return `no source declares it, but ${first?.part}${more} may, and has not been readable since the start`;
}

/** What ends it. */
export const KEPT_UNTIL = 'what cannot be read is corrected, or removed from its source';

/** One line: what is kept, what could not be read, and what to do; null when nothing is kept. */
export function keptText({ unknown, kept }: Kept): string | null {
  if (kept.size === 0) return null;
  let backends = 0;
  for (const endpoints of kept.values()) backends += endpoints.size;
  return stayText(
    `${backends} backend${backends === 1 ? '' : 's'} of ${kept.size} VIP${kept.size === 1 ? '' : 's'}`,
    unknown,
  );
}

/** Why `what` (`2 backends of 1 VIP`) stays, which parts could not be read, and what to do. */
export function stayText(what: string, unknown: readonly UnknownPart[]): string {
  const parts = unknown
    .slice(0, MAX_NAMED)
    .map(({ part, reason }) => (reason.includes(part) ? reason : `${part}: ${reason}`));
  const more = unknown.length > MAX_NAMED ? `; and ${unknown.length - MAX_NAMED} more` : '';
  return (
    `${what} stay although no source declares them: they may belong to what has not been readable since the start ` +
    `(${parts.join('; ')}${more}). Correct it, or remove it from its source`
  );
}

const MAX_NAMED = 5;

/** The warnings after a pass: first what is kept, then those of the desired state. */
export function warningsOf({
  unknown,
  kept,
  desired,
}: Kept & { readonly desired: Desired }): readonly string[] {
  const text = keptText({ unknown, kept });
  return text === null ? desired.warnings : [text, ...desired.warnings];
}
