/** The schedulers of IPVS and their flags. */

import type { SchedulerFlag } from 'ipvs-netlink-ts';
import { type IpvsadmOptions, type Parsed, Refused } from './values.ts';

/** The scheduler of dcos-net, used by default and when a kernel lacks the desired one. */
export const FALLBACK_SCHEDULER = 'wlc';

/** Every scheduler that Linux 6 ships: `net/netfilter/ipvs/ip_vs_*.c`. */
// biome-ignore format: a list
export const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos'] as const;

const KERNEL_FLAGS: readonly SchedulerFlag[] = ['flag-1', 'flag-2', 'flag-3'];
/** `ip_vs_sh.c` and `ip_vs_mh.c`: IP_VS_SVC_F_SCHED1 and IP_VS_SVC_F_SCHED2. */
const NAMED: Readonly<Record<string, Partial<Record<SchedulerFlag, string>>>> = {
  sh: { 'flag-1': 'sh-fallback', 'flag-2': 'sh-port' },
  mh: { 'flag-1': 'mh-fallback', 'flag-2': 'mh-port' },
};

/** The flags that a label may ask for. */
export const FLAGS: readonly string[] = ['mh-port', 'mh-fallback', 'sh-port', 'sh-fallback'];

/** Why these flags do not go with a scheduler; null when they do. */
export function flagsFault(flags: string, scheduler: string): string | null {
  const known = Object.values(NAMED[scheduler] ?? {});
  const other = flags.split(',').find((flag) => flag !== '' && !known.includes(flag));
  return other === undefined ? null : `${other} is not a flag of the scheduler ${scheduler}`;
}

const BY_NAME = new Map<string, SchedulerFlag>([
  ...KERNEL_FLAGS.map((flag) => [flag, flag] as const),
  ...Object.values(NAMED).flatMap((names) =>
    KERNEL_FLAGS.map((flag) => [names[flag] ?? flag, flag] as const),
  ),
]);

/** Parses flags; the result has the kernel's order and no duplicates: `mh-fallback,mh-port`. */
export function readFlags(text: string): Parsed<string> {
  const asked = text.split(',').map((flag) => flag.trim());
  if (!asked.every((flag) => FLAGS.includes(flag)))
    return new Refused(`expected some of ${FLAGS.join(', ')}, separated by commas`);
  return [...new Set(asked)].sort().join();
}

/** The kernel's flags as text, by their names for this scheduler. */
export function toFlags(scheduler: string, flags: readonly SchedulerFlag[], onePacket: boolean): string {
  const named = KERNEL_FLAGS.filter((flag) => flags.includes(flag)).map(
    (flag) => NAMED[scheduler]?.[flag] ?? flag,
  );
  return [...(onePacket ? [ONE_PACKET] : []), ...named].join();
}

const ONE_PACKET = 'one-packet';

/** The reverse of `toFlags`; one-packet scheduling is left out, since we do not write it. */
export function toSchedulerFlags(text: string): readonly SchedulerFlag[] {
  return text.split(',').flatMap((flag) => BY_NAME.get(flag) ?? []);
}

/** Parses the options `-b` and `-o` of an `ipvsadm` line. */
export function parseFlags(options: IpvsadmOptions, scheduler: string): Parsed<string> {
  const flags: SchedulerFlag[] = [];
  for (const name of options.get('-b')?.split(',') ?? []) {
    const flag = BY_NAME.get(name);
    if (flag === undefined) return new Refused(`unknown scheduler flag ${name}`);
    flags.push(flag);
  }
  return toFlags(scheduler, flags, options.has('-o'));
}
