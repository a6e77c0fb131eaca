import { endpointKey, type Step, type Table } from '../model.ts';
import { stepKey } from '../plan/step-key.ts';
import { backendAgrees, settingsAgree } from './agreement.ts';
import type { PassStatus } from './pass-status.ts';

/**
 * The planned steps that a pass has made, found in the table that it left: one that failed, waits for its next try or
 * was planned in a dry run has not been made.
 */
export function stepsMade({ plan, observed }: Pick<PassStatus, 'plan' | 'observed'>): readonly Step[] {
  return [...plan.growing, ...plan.shrinking].filter((step) => isMade(step, observed));
}

function isMade(step: Step, table: Table): boolean {
  const service = table.get(stepKey(step));
  switch (step.op) {
    case 'add-service':
    case 'update-service':
      return service !== undefined && settingsAgree(step.service, service);
    case 'remove-service':
      return service === undefined;
    case 'add-backend':
    case 'update-backend':
      return backendAgrees(step.backend, service?.backends.get(endpointKey(step.backend)));
    case 'remove-backend':
      return service?.backends.has(endpointKey(step.backend)) !== true;
  }
}
