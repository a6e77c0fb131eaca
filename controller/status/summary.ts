/** The figures of a whole status. */

import { z } from 'zod';
import type { VipDocument } from './document.ts';
import { type Figures, figuresOf } from './figures.ts';
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
