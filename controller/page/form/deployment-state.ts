/** The state of a deployment that the page has started. */

import type { DeploymentDocument } from '../../api/documents.ts';
import { hereText, instancesText, isWhole, progressText } from '../../status/progress.ts';
import type { ServiceForm } from './model.ts';

/** What the page waits for. */
export interface Goal {
  /** Id of the deployment. */
  readonly deployment: string;
  readonly app: string;
  /** The number of VIPs the app will have, each with every instance as a backend; `gone` if it is removed. */
  readonly vips: number | 'gone';
}

export interface DeploymentState {
  /** `applying`: Marathon has finished, but this host has not. `unknown`: the controller does not answer. */
  readonly state: 'runs' | 'applying' | 'done' | 'ended' | 'unknown';
  readonly text: string;
}

/** The state before the first answer. */
export function begun({ deployment }: Goal): DeploymentState {
  return { state: 'runs', text: `Marathon has started deployment ${deployment}` };
}

/** The progress of a deployment, or how it ended. */
export function deploymentState(seen: DeploymentDocument, { vips }: Goal): DeploymentState {
  const { progress, instances, others, backendsInRotation: inRotation } = seen;
  const failed = seen.failure === null ? '' : `; its last task failed: ${seen.failure}`;
  if (progress !== null)
    return { state: 'runs', text: progressText(progress, instances, inRotation) + failed };
  const left = vips === 'gone' && instances === null;
  if (others.length > 0 || !(left || (vips !== 'gone' && isWhole(instances)))) {
    return { state: 'ended', text: endedText(seen, vips) + failed };
  }
  const wanted = vips === 'gone' ? 0 : vips * (instances?.ready ?? 0);
  const settled = wanted === 0 ? inRotation === 0 : inRotation >= wanted;
  const count = instances === null ? '' : `${instancesText(instances)}; `;
  return { state: settled ? 'done' : 'applying', text: count + hereText(inRotation) };
}

function endedText(
  { deployment, instances, others, backendsInRotation }: DeploymentDocument,
  vips: Goal['vips'],
): string {
  const still = vips === 'gone' ? ['the app still exists'] : [];
  const what =
    instances === null ? ['the app does not exist at Marathon'] : [...still, instancesText(instances)];
  const next = others.map((other) => `deployment ${other} is now changing it`);
  const details = [...what, hereText(backendsInRotation), ...next];
  return `deployment ${deployment} was cancelled or did not finish: ${details.join('; ')}`;
}

const POLL_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

/** How long to wait before the next request, after this many failures in a row. */
export function pauseAfter(failures: number): number {
  return Math.min(POLL_MS * 2 ** failures, MAX_PAUSE_MS);
}

/** The number of VIPs that the form describes, counting each protocol; 0 if it cannot show the app's networking. */
export function vipsIn({ beyond, endpoints, mode }: ServiceForm): number {
  if (beyond !== null) return 0;
  return endpoints.reduce((count, { vips, mapped, tcp, udp }) => {
    // Without a port mapping the JSON has no protocol, which means tcp.
    const protocols = mode === 'virtual' && !mapped ? 1 : Number(tcp) + Number(udp);
    return count + vips.length * protocols;
  }, 0);
}
