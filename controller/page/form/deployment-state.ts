/** What a deployment that the page has begun has come to. */

import type { DeploymentDocument } from '../../api/documents.ts';
import { hereText, instancesText, isWhole, progressText } from '../../status/progress.ts';
import type { ServiceForm } from './model.ts';

/** What is waited for. */
export interface Goal {
  /** Id of the deployment. */
  readonly deployment: string;
  readonly app: string;
  /** How many VIPs it then has, each with every instance as a backend; or that Marathon has it no more. */
  readonly vips: number | 'gone';
}

export interface DeploymentState {
  /** `applying`: Marathon is done, this host not yet. `unknown`: for now nobody says. */
  readonly state: 'runs' | 'applying' | 'done' | 'ended' | 'unknown';
  readonly text: string;
}

/** What is known before the first answer. */
export function begun({ deployment }: Goal): DeploymentState {
  return { state: 'runs', text: `Marathon has taken it as deployment ${deployment}` };
}

/** How far it is, or how it ended. */
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
  const still = vips === 'gone' ? ['it is still there'] : [];
  const what = instances === null ? ['Marathon has no such app'] : [...still, instancesText(instances)];
  const next = others.map((other) => `deployment ${other} changes it now`);
  const said = [...what, hereText(backendsInRotation), ...next];
  return `deployment ${deployment} was cancelled, or did not reach its end: ${said.join('; ')}`;
}

const LOOK_MS = 1_000;
const MOST_MS = 30_000;

/** How long to wait before the next question, after so many in a row that failed. */
export function pauseAfter(failures: number): number {
  return Math.min(LOOK_MS * 2 ** failures, MOST_MS);
}

/** How many VIPs the form describes, one for each protocol; 0 where its networking is beyond the form. */
export function vipsIn({ beyond, endpoints, mode }: ServiceForm): number {
  if (beyond !== null) return 0;
  return endpoints.reduce((count, { vips, mapped, tcp, udp }) => {
    // Without a port mapping the JSON names no protocol: tcp.
    const protocols = mode === 'virtual' && !mapped ? 1 : Number(tcp) + Number(udp);
    return count + vips.length * protocols;
  }, 0);
}
