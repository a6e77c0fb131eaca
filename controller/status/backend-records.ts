import type { Backend, BackendKey, ObservedBackend, ObservedService, Service } from '../model.ts';

/** A backend as the last pass left it, and since when its weight and reason have been so; milliseconds since the epoch. */
export interface BackendRecord {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly forward: string;
  readonly app: string | null;
  readonly task: string | null;
  readonly reason: string;
  readonly since: number;
  /** When it goes at the latest; null unless it drains. */
  readonly drainsUntil: number | null;
  readonly inKernel: boolean;
}

export type BackendRecords = ReadonlyMap<BackendKey, BackendRecord>;

/**
 * The backends of a desired service, those that leave it among them; `had` itself where nothing of it has changed: a
 * full pass reads every counter anew, and little else changes.
 */
export function recordBackends(
  service: Service,
  have: ObservedService | undefined,
  drains: ReadonlyMap<BackendKey, number> | undefined,
  had: BackendRecords,
  now: number,
): BackendRecords {
  const backends = new Map<BackendKey, BackendRecord>();
  let same = true;
  const put = (key: BackendKey, record: BackendRecord) => {
    backends.set(key, record);
    same &&= had.get(key) === record;
  };
  for (const [key, backend] of service.backends) {
    put(key, wantedBackend(backend, have?.backends.get(key), had.get(key), now));
  }
  for (const [key, observed] of have?.backends ?? []) {
    if (!backends.has(key)) put(key, leavingBackend(observed, drains?.get(key), had.get(key), now));
  }
  return same && backends.size === had.size ? had : backends;
}

function wantedBackend(
  want: Backend,
  observed: ObservedBackend | undefined,
  had: BackendRecord | undefined,
  now: number,
): BackendRecord {
  const weight = observed?.weight ?? want.weight;
  const inKernel = observed !== undefined;
  const { address, port, forward, app, task, reason } = want;
  const unchanged = had?.weight === weight && had.reason === reason;
  const since = unchanged ? had.since : now;
  if (
    unchanged &&
    had.inKernel === inKernel &&
    had.task === task &&
    had.app === app &&
    had.drainsUntil === null
  ) {
    return had;
  }
  return { address, port, weight, forward, app, task, reason, since, drainsUntil: null, inKernel };
}

const DRAINING = 'draining: no longer a backend of this VIP';
const LEAVING = 'no longer a backend of this VIP';

/** A backend that the kernel has and nobody wants: it drains until `deadline`, or is about to go. */
export function leavingBackend(
  { address, port, weight, forward }: ObservedBackend,
  deadline: number | undefined,
  had: BackendRecord | undefined,
  now: number,
): BackendRecord {
  const reason = deadline === undefined ? LEAVING : DRAINING;
  // Who it belonged to is worth knowing as long as it is there.
  const { app, task } = had ?? { app: null, task: null };
  const since = had?.weight === weight && had.reason === reason ? had.since : now;
  const drainsUntil = deadline ?? null;
  return { address, port, weight, forward, app, task, reason, since, drainsUntil, inKernel: true };
}

/** Whether one of them gets new connections. */
export function someInRotation(backends: BackendRecords): boolean {
  for (const { weight } of backends.values()) if (weight > 0) return true;
  return false;
}
