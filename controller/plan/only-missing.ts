import { serviceKey } from '../model.ts';
import type { Plan } from './plan.ts';

/**
 * Restricts a plan that is based on saved state to services that the kernel lacks altogether, as after a reboot. An existing
 * service is newer than the file, so it is neither changed nor removed, and another program's is not adopted.
 */
export function onlyWhatIsMissing(plan: Plan): Plan {
  const missing = new Set(plan.services.filter(({ op }) => op === 'add').map(({ key }) => key));
  const adopted = new Set(plan.services.filter(({ adopted }) => adopted).map(({ key }) => key));
  return {
    ...plan,
    growing: plan.growing.filter(({ service }) => missing.has(serviceKey(service))),
    shrinking: [],
    owned: new Map([...plan.owned].filter(([key]) => !adopted.has(key))),
  };
}
