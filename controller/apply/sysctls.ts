import { readFile, writeFile } from 'node:fs/promises';
import { messageOf } from '../errors.ts';

export interface Sysctl {
  readonly name: string;
  readonly value: string;
  /** What goes wrong without it, for whoever must decide. */
  readonly why: string;
}

/** Kernel settings that the data path needs (`peers.md` pains 1 and 2 tell what happened to those who lacked them). */
export const SYSCTLS: readonly Sysctl[] = [
  {
    name: 'net.ipv4.ip_forward',
    value: '1',
    why: 'without it containers and other hosts get no answer from a VIP',
  },
  {
    name: 'net.ipv4.vs.conntrack',
    value: '1',
    why: 'without it forwarded VIP traffic cannot be masqueraded',
  },
  { name: 'net.ipv4.vs.expire_nodest_conn', value: '1', why: 'without it clients of a removed backend hang' },
  {
    name: 'net.ipv4.vs.expire_quiescent_template',
    value: '1',
    why: 'without it persistent clients stay with a backend of weight 0',
  },
];

export interface SysctlReport {
  readonly changed: readonly string[];
  /** What is not as wanted, why that matters, and the command that mends it. */
  readonly advice: readonly string[];
}

/**
 * Reads each setting and, when `write` is given, writes those that differ. What cannot be read or written is
 * advice in the report; never a rejection.
 */
export async function ensureSysctls(
  wanted: readonly Sysctl[],
  write: boolean,
  root = '/proc/sys',
): Promise<SysctlReport> {
  const changed: string[] = [];
  const advice: string[] = [];
  for (const { name, value, why } of wanted) {
    const path = `${root}/${name.replaceAll('.', '/')}`;
    try {
      const now = (await readFile(path, 'utf8')).trim();
      if (now === value) continue;
      if (!write) {
        advice.push(`sysctl ${name} is ${now}, wanted ${value} (${why}): sysctl -w ${name}=${value}`);
        continue;
      }
      await writeFile(path, `${value}\n`);
      changed.push(`sysctl ${name} ${now} -> ${value}`);
    } catch (error) {
      advice.push(
        `sysctl ${name} = ${value} (${why}): ${messageOf(error)}; on the host: sysctl -w ${name}=${value}`,
      );
    }
  }
  return { changed, advice };
}
