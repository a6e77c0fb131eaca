import { nearestOption, OPTION_KEYS } from '../label-keys.ts';

/** What the labels beside a VIP label say about how it is balanced. */
export interface PortOptions {
  /** The kernel's short name. */
  readonly scheduler: string;
  /** 0: not persistent. */
  readonly persistenceSeconds: number;
  /** Of a healthy backend. */
  readonly weight: number;
  readonly drainSeconds: number;
}

/** What dcos-net programs; part of each kernel that has IPVS for VIPs, and taken where a kernel lacks another one. */
export const FALLBACK_SCHEDULER = 'wlc';

/** What dcos-net programs (not persistent, weight 1), and five minutes for connections to end. */
export const DEFAULT_PORT_OPTIONS: PortOptions = {
  scheduler: FALLBACK_SCHEDULER,
  persistenceSeconds: 0,
  weight: 1,
  drainSeconds: 300,
};

/** Every scheduler that Linux 6 ships: `net/netfilter/ipvs/ip_vs_*.c`. */
export const SCHEDULERS = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'lblc',
  'lblcr',
  'dh',
  'sh',
  'sed',
  'nq',
  'fo',
  'ovf',
  'mh',
  'twos',
] as const;

const BOUNDS = {
  /** 31 days, the bound of `ipvsadm -p`: the kernel counts in jiffies, of which 32 bits hold 49 days. */
  persistenceSeconds: 31 * 86_400,
  /** The bound of `ipvsadm -w`. */
  weight: 65_535,
  drainSeconds: 86_400,
} as const;

/** A label that was not understood; its default is used. */
interface OptionProblem {
  readonly key: string;
  readonly value: string;
  readonly reason: string;
}

export interface OptionsReading {
  readonly options: PortOptions;
  readonly problems: readonly OptionProblem[];
}

/**
 * Reads the `IPVS_*` labels of a port that has a VIP label. What is missing or wrong takes its default, and so does a
 * scheduler of which `lacks` says that the kernel lacks it.
 */
export function readPortOptions(
  labels: Readonly<Record<string, string>>,
  defaults: PortOptions = DEFAULT_PORT_OPTIONS,
  lacks: (scheduler: string) => boolean = () => false,
): OptionsReading {
  let options = defaults;
  const problems: OptionProblem[] = [];
  for (const [key, value] of Object.entries(labels)) {
    if (!key.startsWith('IPVS_')) continue;
    const read = OPTIONS.get(key);
    const result = read === undefined ? unknownKey(key) : read(value);
    if (typeof result === 'string') problems.push({ key, value, reason: result });
    else if (
      result.scheduler !== undefined &&
      result.scheduler !== defaults.scheduler &&
      lacks(result.scheduler)
    )
      problems.push({ key, value, reason: lackingReason(result.scheduler, defaults.scheduler) });
    else options = { ...options, ...result };
  }
  return { options, problems };
}

/** What a value gives, or the reason why it gives nothing. */
type OptionReader = (value: string) => Partial<PortOptions> | string;

const OPTIONS: ReadonlyMap<string, OptionReader> = new Map<(typeof OPTION_KEYS)[number], OptionReader>([
  ['IPVS_SCHEDULER', readScheduler],
  ['IPVS_PERSISTENCE_SECONDS', (value) => readNumber('persistenceSeconds', value)],
  ['IPVS_WEIGHT', (value) => readNumber('weight', value)],
  ['IPVS_DRAIN_SECONDS', (value) => readNumber('drainSeconds', value)],
]);

function unknownKey(key: string): string {
  const nearest = nearestOption(key);
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  return `expected one of the labels ${OPTION_KEYS.join(', ')}${hint}`;
}

/** Why a VIP has another scheduler than it should have. */
export function lackingReason(scheduler: string, instead: string): string {
  return `this host's kernel lacks this scheduler (module ip_vs_${scheduler}), so the VIP has ${instead}; it is tried again every minute`;
}

function readScheduler(value: string): Partial<PortOptions> | string {
  const scheduler = SCHEDULERS.find((known) => known === value);
  return scheduler === undefined ? `expected one of ${SCHEDULERS.join(', ')}` : { scheduler };
}

function readNumber(option: keyof typeof BOUNDS, value: string): Partial<PortOptions> | string {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  return number <= BOUNDS[option]
    ? { [option]: number }
    : `expected a whole number from 0 to ${BOUNDS[option]}`;
}
