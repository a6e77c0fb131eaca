/** Counts over the backends of one VIP and of all VIPs. */

import type { BackendDocument, VipDocument } from './document.ts';
import type { Summary, VipState } from './summary.ts';

/** How many backends a VIP has, and how many of them get few or no connections, by cause. */
export interface Figures {
  readonly backends: number;
  readonly inRotation: number;
  readonly ejected: number;
  readonly inSlowStart: number;
  readonly leftOut: number;
}

export function figuresOf({ backends, nearness }: Pick<VipDocument, 'backends' | 'nearness'>): Figures {
  let [rotating, ejected, inSlowStart] = [0, 0, 0];
  for (const backend of backends) {
    if (inRotation(backend)) rotating++;
    if (backend.decision?.rule === 'ejected') ejected++;
    if (backend.decision?.rule === 'slow start') inSlowStart++;
  }
  const leftOut = nearness?.leftOut ?? 0;
  return { backends: backends.length, inRotation: rotating, ejected, inSlowStart, leftOut };
}

/** Counts over all VIPs of a document. */
export function summarize(vips: readonly VipDocument[]): Summary {
  const byState: Partial<Record<VipState, number>> = {};
  for (const { state } of vips) byState[state] = (byState[state] ?? 0) + 1;
  const figures = vips.map(figuresOf);
  const sum = (name: keyof Figures) => figures.reduce((total, each) => total + each[name], 0);
  return {
    vips: vips.length,
    byState,
    uneven: vips.filter(({ spread }) => spread?.uneven).length,
    backends: sum('backends'),
    backendsInRotation: sum('inRotation'),
    ejected: sum('ejected'),
    inSlowStart: sum('inSlowStart'),
    leftOut: sum('leftOut'),
    connections: vips.reduce((total, vip) => total + vip.activeConnections + vip.inactiveConnections, 0),
  };
}

/** Whether a backend gets new connections. */
export function inRotation({ weight, inKernel }: Pick<BackendDocument, 'weight' | 'inKernel'>): boolean {
  return inKernel && weight > 0;
}
