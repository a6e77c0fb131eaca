import { z } from 'zod';
import type { AppRef, Instances } from '../../model/app-writes.ts';

const count = z.number().nullish();

const appCounts = z.object({
  instances: count,
  tasksRunning: count,
  tasksHealthy: count,
  healthChecks: z.array(z.unknown()).nullish(),
});

const podCounts = z.object({
  spec: z.object({ scaling: z.object({ instances: count }).nullish() }),
  instances: z.array(z.object({ status: z.string().nullish() })).nullish(),
});

/** Reads the instance counts from Marathon's JSON of an app or pod; null when it is neither. */
export function instancesOf(kind: AppRef['kind'], json: unknown): Instances | null {
  if (kind === 'app') {
    const { data } = appCounts.safeParse(json);
    if (data === undefined) return null;
    const checked = (data.healthChecks ?? []).length > 0;
    const running = data.tasksRunning ?? 0;
    const ready = checked ? (data.tasksHealthy ?? 0) : running;
    return { wanted: data.instances ?? 1, running, ready, checked };
  }
  const { data } = podCounts.safeParse(json);
  if (data === undefined) return null;
  const stable = (data.instances ?? []).filter(({ status }) => status === 'STABLE').length;
  return { wanted: data.spec.scaling?.instances ?? 1, running: stable, ready: stable, checked: false };
}
