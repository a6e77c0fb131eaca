/** The figures of a whole status. */

import { z } from 'zod';
import type { BackendDocument, VipDocument } from './document.ts';
import { count } from './shapes.ts';

export const state = z.enum([
  'forwarding',
  'out of rotation',
  'draining',
  'held',
  'pending',
  'conflict',
  'no backend',
]);

export type VipState = z.infer<typeof state>;

export const summary = z.object({
  vips: count.describe('All VIPs.'),
  byState: z
    .partialRecord(state, count)
    .describe('How many there are in each state; one that has none is left out.'),
  uneven: count.describe('VIPs over whose backends new connections spread unevenly.'),
  backends: count.describe('Backends of all VIPs.'),
  backendsInRotation: count.describe('Those that get new connections.'),
  ejected: count.describe('Those that are out of rotation since they do not answer.'),
  inSlowStart: count.describe('Those that grow to their weight.'),
  leftOut: count.describe('Backends that VIPs do not have here since nearer ones are in rotation.'),
  connections: count.describe('Connections of all VIPs, active and inactive.'),
});

export type Summary = z.infer<typeof summary>;

/** Counts over all VIPs. */
export function sumUp(vips: readonly VipDocument[]): Summary {
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

/** How many backends a VIP has, and why some of them get fewer connections than their weight would give them, or none. */
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

/** Whether it gets new connections. */
export function inRotation({ weight, inKernel }: Pick<BackendDocument, 'weight' | 'inKernel'>): boolean {
  return inKernel && weight > 0;
}
