import { same } from '../compare.ts';
import type { BackendKey, Endpoint } from '../model/endpoint.ts';
import type { ObservedBackend, ObservedService } from '../model/kernel.ts';
import type { Backend, Service } from '../model/service.ts';
import type { Decision } from '../plan/decision.ts';
import { whyLeftOut } from '../plan/nearest.ts';
import { type BackendSettings, backendFields, compact } from '../settings/settings.ts';

/** A backend as the last pass left it. Times are milliseconds of the monotonic clock. */
export interface BackendRecord extends BackendSettings {
  readonly address: string;
  readonly port: number;
  /** How other hosts reach it; null if the same as `address` and `port`. */
  readonly hostPort: Endpoint | null;
  readonly app: string | null;
  readonly task: string | null;
  readonly reason: string;
  /** When its weight or reason last changed. */
  readonly since: number;
  /** When it is removed at the latest; null unless it drains. */
  readonly drainsUntil: number | null;
  readonly inKernel: boolean;
  /** Why it differs from what the sources say; null if it does not. */
  readonly decision: DatedDecision | null;
}

export type DatedDecision = Decision & { readonly since: number };

/** What a pass found out about a service's backends, besides the desired ones. */
export interface BackendsFound {
  /** undefined if the kernel lacks the service, or the service is another program's. */
  readonly have: ObservedService | undefined;
  /** Deadlines of draining backends. */
  readonly drains: ReadonlyMap<BackendKey, number> | undefined;
  /** Backends that the mass-removal brake holds, with the reason. */
  readonly held: ReadonlyMap<BackendKey, string> | undefined;
  /** Returns why a backend, or the service itself (null), differs from what the sources say. */
  readonly decided: (backend: BackendKey | null) => Decision | undefined;
}

export type BackendRecords = ReadonlyMap<BackendKey, BackendRecord>;

/**
 * Returns the backends of a service, including those that leave it. `service` is null if the service itself is being removed.
 *
 * Returns `had` itself if nothing has changed, as in most passes, so that callers can compare by reference.
 */
export function recordBackends(
  service: Service | null,
  found: BackendsFound,
  had: BackendRecords,
  now: number,
): BackendRecords {
  const { have, held } = found;
  const backends = new Map<BackendKey, BackendRecord>();
  let same = true;
  const put = (key: BackendKey, record: BackendRecord) => {
    backends.set(key, record);
    same &&= had.get(key) === record;
  };
  for (const [key, backend] of service?.backends ?? []) {
    const decision = datedDecision(found.decided(key), had.get(key)?.decision, now);
    put(key, wantedBackend(backend, have?.backends.get(key), held?.get(key), decision, had.get(key), now));
  }
  for (const [key, observed] of have?.backends ?? []) {
    if (backends.has(key)) continue;
    const why = service === null ? null : whyLeftOut(service, key);
    put(key, leavingBackend(key, observed, { ...found, why }, had.get(key), now));
  }
  return same && backends.size === had.size ? had : backends;
}

function wantedBackend(
  want: Backend,
  observed: ObservedBackend | undefined,
  held: string | undefined,
  decision: DatedDecision | null,
  had: BackendRecord | undefined,
  now: number,
): BackendRecord {
  const settings = observed ?? want;
  const inKernel = observed !== undefined;
  const { address, port, hostPort = null, app, task } = want;
  const reason = held ?? want.reason;
  const unchanged = had?.weight === settings.weight && had.reason === reason;
  const since = unchanged ? had.since : now;
  if (
    unchanged &&
    backendFields.agree(had, settings) &&
    had.inKernel === inKernel &&
    had.task === task &&
    had.app === app &&
    had.decision === decision &&
    had.drainsUntil === null
  ) {
    return had;
  }
  const what = { address, port, hostPort, app, task, reason, since, inKernel, decision };
  return { ...NO_RECORD, ...backendFields.pick(settings), ...what };
}

/** Spread into every record: copies of a compact object need less memory. */
const NO_RECORD: BackendRecord = compact({
  address: '',
  port: 0,
  hostPort: null,
  app: null,
  task: null,
  reason: '',
  since: 0,
  drainsUntil: null,
  inKernel: false,
  decision: null,
  ...backendFields.unset,
});

/** Returns the decision with the time since when it applies; `had` itself if it is unchanged. */
export function datedDecision(
  decision: Decision | undefined,
  had: DatedDecision | null | undefined,
  now: number,
): DatedDecision | null {
  if (decision === undefined) return null;
  const before = had?.rule === decision.rule ? had.since : now;
  const record = { ...decision, since: decision.since ?? before };
  return had != null && same(had, record) ? had : record;
}

const LEAVING = 'no longer a backend of this VIP';

/** Records a backend that is in the kernel and not desired: it drains, is held, or is about to be removed. */
function leavingBackend(
  key: BackendKey,
  observed: ObservedBackend,
  { drains, held, decided, why }: BackendsFound & { readonly why: string | null },
  had: BackendRecord | undefined,
  now: number,
): BackendRecord {
  const drainsUntil = drains?.get(key) ?? null;
  const leaving = why ?? LEAVING;
  const reason = held?.get(key) ?? (drainsUntil === null ? leaving : `draining: ${leaving}`);
  // The source no longer knows its app and task; the previous record does.
  const { address, port } = observed;
  const settings = backendFields.pick(observed);
  const { app, task, hostPort } = had ?? { app: null, task: null, hostPort: null };
  const since = had?.weight === settings.weight && had.reason === reason ? had.since : now;
  const record = {
    ...{ address, port, hostPort },
    ...settings,
    ...{ app, task, reason, since, drainsUntil, inKernel: true },
    decision: datedDecision(decided(key), had?.decision, now),
  };
  return had !== undefined && same(had, record) ? had : record;
}

/** Whether at least one backend gets new connections. */
export function someInRotation(backends: BackendRecords): boolean {
  for (const { weight, inKernel } of backends.values()) if (inKernel && weight > 0) return true;
  return false;
}
