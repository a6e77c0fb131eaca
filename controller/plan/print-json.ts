import { formatStep } from './ipvsadm.ts';
import type { PlannedBackend, PlannedService, Report } from './plan.ts';

/**
 * The document of `-o json`, as an object for `JSON.stringify`. Scripts depend on it: keys may be added, never
 * renamed.
 */
export function toJson({ plan, declared, rejected, warnings, held, leftAlone }: Report) {
  return {
    apiVersion: 'marathon-ipvs/v1',
    summary: plan.summary,
    services: plan.services.map(service),
    declared,
    steps: [...plan.growing, ...plan.shrinking].map(formatStep),
    conflicts: plan.conflicts,
    rejected,
    warnings,
    held,
    leftAlone,
  };
}

function service({ key: _, changes, held, backends, ...planned }: PlannedService) {
  return {
    ...planned,
    ...(held && { held }),
    ...(changes.length > 0 && { changes }),
    backends: backends.map(backend),
  };
}

function backend({ changes, ...planned }: PlannedBackend) {
  return { ...planned, ...(changes.length > 0 && { changes }) };
}
