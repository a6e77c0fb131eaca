import { serviceKey } from '../model.ts';
import type { Plan } from './plan.ts';

/**
 * What may be done on the word of our own disk: services that the kernel lacks altogether (after a reboot). One that
 * it has is newer truth than a file, so nothing of it is changed or taken away, and another program's is not adopted.
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
