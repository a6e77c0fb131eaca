/** The schema of a status's summary. */

import { z } from 'zod';
import { count } from './schemas.ts';

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
    .describe('How many VIPs are in each state; states without any are left out.'),
  uneven: count.describe('VIPs over whose backends new connections spread unevenly.'),
  backends: count.describe('Backends of all VIPs.'),
  backendsInRotation: count.describe('Backends that get new connections.'),
  ejected: count.describe('Backends out of rotation because they do not answer.'),
  inSlowStart: count.describe('Backends whose weight still rises after they came into rotation.'),
  leftOut: count.describe('Backends left out because nearer ones are in rotation.'),
  connections: count.describe('Connections of all VIPs, active and inactive.'),
});

export type Summary = z.infer<typeof summary>;
