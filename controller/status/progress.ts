/** How far a deployment is, in the words of the command and of the page. */

import type { DeploymentProgress, Instances } from '../app-writes.ts';
import { plural } from './words.ts';

/** `here`: backends in rotation on this host; null where that is not known. */
export function progressText(
  { step, steps, actions }: Omit<DeploymentProgress, 'id'>,
  instances: Instances | null,
  here: number | null,
): string {
  const what = actions.length === 0 ? '' : ` (${actions.join(', ')})`;
  const parts = [
    `step ${step} of ${steps}${what}`,
    ...(instances === null ? [] : [instancesText(instances)]),
    ...(here === null ? [] : [hereText(here)]),
  ];
  return parts.join('; ');
}

/** `2 of 3 instances healthy`. */
export function instancesText({ wanted, ready, checked }: Instances): string {
  return `${ready} of ${plural(wanted, 'instance')} ${checked ? 'healthy' : 'running'}`;
}

/** `2 backends in rotation on this host`. */
export function hereText(count: number): string {
  return `${plural(count, 'backend')} in rotation on this host`;
}

/** Whether every instance that is wanted is ready. */
export function isWhole(instances: Instances | null): boolean {
  return instances !== null && instances.ready >= instances.wanted;
}
