/** Texts about the progress of a deployment, for the command line and the page. */

import type { DeploymentProgress, Instances } from '../model/app-writes.ts';
import { plural } from './format.ts';

/** Formats the progress of a deployment. `here` is the number of backends in rotation on this host; null if unknown. */
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

/** Whether every desired instance is ready; false if unknown. */
export function isWhole(instances: Instances | null): boolean {
  return instances !== null && instances.ready >= instances.wanted;
}
