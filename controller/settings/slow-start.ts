/** Slow start: a backend that comes into rotation grows to its full weight. Shared by settings, plan and output. */

/** An hour: whoever needs longer can change weights by hand. */
export const MAX_SLOW_START_SECONDS = 3_600;

/**
 * Factor by which the weights of a VIP with slow start are multiplied, so that tenths of weight 1 are whole numbers with
 * some resolution.
 */
export const SLOW_START_SCALE = 100;

/**
 * The schedulers that spread connections in proportion to weights, whatever the scale (`net/netfilter/ipvs/ip_vs_*.c` of
 * Linux 6).
 *
 * Of the others, `rr`, `lc` and `dh` ignore all weights but 0. `sh` fills a table of 256 buckets with as many of each backend
 * as its weight: with weights of 100 the fourth backend would get none. `ovf`, `lblc` and `lblcr` use the weight as a number
 * of connections. `fo` sends everything to the greatest weight.
 */
const SLOW_START_SCHEDULERS: readonly string[] = ['wlc', 'wrr', 'sed', 'nq', 'mh', 'twos'];

/** `ipvsadm -w` takes no weight above 65,535. */
const MAX_WEIGHT = Math.floor(65_535 / SLOW_START_SCALE);

/** The options that decide about slow start. */
interface Beside {
  readonly slowStartSeconds: number;
  readonly scheduler: string;
  readonly weight: number;
}

/** Duration of slow start under these options, in seconds; 0 without slow start: weights are not scaled. */
export function slowStartOf(options: Beside): number {
  return slowStartFault(options) === null ? options.slowStartSeconds : 0;
}

/** Why the options ask for slow start in vain; null when they do not, or when it works. */
export function slowStartFault({ slowStartSeconds, scheduler, weight }: Beside): string | null {
  if (slowStartSeconds === 0) return null;
  if (!SLOW_START_SCHEDULERS.includes(scheduler))
    return `has no effect with the scheduler ${scheduler}, only with ${SLOW_START_SCHEDULERS.join(', ')}`;
  return weight <= MAX_WEIGHT ? null : `has no effect with an IPVS_WEIGHT above ${MAX_WEIGHT}`;
}

/** A weight of the kernel on the scale of labels: `0.4` for a backend with 40 of 100. */
export function weightText(weight: number, slowStartSeconds = 0): string {
  if (slowStartSeconds === 0) return String(weight);
  return isShare(weight) ? String(weight / SLOW_START_SCALE) : `${weight} (kernel)`;
}

/** `0.3 -> 0.4`; on the kernel's scale when one of them is not a weight of slow start. */
export function weightChangeText(was: number, becomes: number, slowStartSeconds = 0): string {
  if (slowStartSeconds === 0) return `${was} -> ${becomes}`;
  if (!isShare(was) || !isShare(becomes)) return `${was} -> ${becomes} (kernel)`;
  return `${weightText(was, slowStartSeconds)} -> ${weightText(becomes, slowStartSeconds)}`;
}

function isShare(weight: number): boolean {
  return weight % (SLOW_START_SCALE / 10) === 0;
}

/** Text beside the scheduler: `slow start 30 s`; empty without slow start. */
export function slowStartWords(slowStartSeconds = 0): readonly string[] {
  return slowStartSeconds === 0 ? [] : [`slow start ${slowStartSeconds} s`];
}
