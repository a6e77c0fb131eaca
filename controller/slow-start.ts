/** Slow start: a backend that comes into rotation grows to its full weight. What settings, plan and output share of it. */

import type { PortOptions } from './label-options.ts';

/** An hour: what grows for longer is a deployment by hand. */
export const MOST_SLOW_START_SECONDS = 3_600;

/**
 * By how much weights are multiplied where a VIP has slow start: a tenth of weight 1 must be a whole number, and twice as
 * much of another backend's weight must still be told from it.
 */
export const SLOW_START_SCALE = 100;

/**
 * Those that give each backend connections in proportion to its weight, whatever the weights are multiplied by
 * (`net/netfilter/ipvs/ip_vs_*.c` of Linux 6).
 *
 * Of the others, `rr`, `lc` and `dh` heed no weight but 0. `sh` fills 256 places with as many of each backend as its weight
 * says: with weights of 100 the fourth backend would get none. `ovf`, `lblc` and `lblcr` take the weight for a number of
 * connections. `fo` gives everything to the greatest weight.
 */
export const SLOW_START_SCHEDULERS: readonly string[] = ['wlc', 'wrr', 'sed', 'nq', 'mh', 'twos'];

/** `ipvsadm -w` takes no weight above 65,535. */
const MOST_WEIGHT = Math.floor(65_535 / SLOW_START_SCALE);

type Beside = Pick<PortOptions, 'slowStartSeconds' | 'scheduler' | 'weight'>;

/** For how many seconds a backend grows under these options; 0: it has its full weight at once, and no weight is scaled. */
export function slowStartOf(options: Beside): number {
  return slowStartFault(options) === null ? options.slowStartSeconds : 0;
}

/** Why there is no slow start although the options ask for it; null where there is, or where they do not. */
export function slowStartFault({ slowStartSeconds, scheduler, weight }: Beside): string | null {
  if (slowStartSeconds === 0) return null;
  if (!SLOW_START_SCHEDULERS.includes(scheduler))
    return `has no effect with the scheduler ${scheduler}, only with ${SLOW_START_SCHEDULERS.join(', ')}`;
  return weight <= MOST_WEIGHT ? null : `has no effect with an IPVS_WEIGHT above ${MOST_WEIGHT}`;
}

/** A weight that the kernel has, as labels give it: `1`, `0.4` of a backend that has 40 of 100. */
export function weightText(weight: number, slowStartSeconds = 0): string {
  if (slowStartSeconds === 0) return String(weight);
  return isShare(weight) ? String(weight / SLOW_START_SCALE) : `${weight} (kernel)`;
}

/** `0.3 -> 0.4`; both as the kernel has them where one is none that slow start gives. */
export function weightChangeText(was: number, becomes: number, slowStartSeconds = 0): string {
  if (slowStartSeconds === 0) return `${was} -> ${becomes}`;
  if (!isShare(was) || !isShare(becomes)) return `${was} -> ${becomes} (kernel)`;
  return `${weightText(was, slowStartSeconds)} -> ${weightText(becomes, slowStartSeconds)}`;
}

function isShare(weight: number): boolean {
  return weight % (SLOW_START_SCALE / 10) === 0;
}

/** For a person, beside the scheduler: `slow start 30 s`; empty where there is none. */
export function slowStartWords(slowStartSeconds = 0): readonly string[] {
  return slowStartSeconds === 0 ? [] : [`slow start ${slowStartSeconds} s`];
}
