/** How evenly hosts that know nothing of each other spread their connections over the backends of a VIP. */

import { createHostOrder } from '../../controller/plan/host-order.ts';
import { WEIGHT_1 } from './builders.ts';

/**
 * The backend, 0 to `backends` - 1, that the first connection of a host goes to. The kernel puts each new destination at
 * the head of its list and takes the first of equals, so that is the one which is added last.
 */
export function firstOfHost(hostId: string, vip: number, backends: number): number {
  const service = { protocol: 'tcp', address: `11.0.${vip >> 8}.${vip & 255}`, port: 80 };
  const steps = Array.from({ length: backends }, (_, i) => ({
    op: 'add-backend' as const,
    service,
    backend: { address: `10.1.0.${i + 1}`, port: 31_000 + vip, ...WEIGHT_1 },
  }));
  const last = createHostOrder(hostId)(`tcp/${service.address}:80`, steps).at(-1);
  return Number(last?.backend.address.split('.')[3]) - 1;
}

/** The connections of the busiest backend by those of the average one: 1 is even. */
export function maxOverMean(choices: readonly number[], backends: number): number {
  const counts = new Array<number>(backends).fill(0);
  for (const choice of choices) counts[choice] = (counts[choice] ?? 0) + 1;
  return Math.max(...counts) / (choices.length / backends);
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
