import { readFile, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { hasCode, systemReason } from '../errors.ts';
import { setSysctlOf } from '../fixes.ts';
import { isBefore, type KernelVersion, kernelVersion } from './kernel-version.ts';

export interface Sysctl {
  readonly name: string;
  readonly value: string;
  /** What goes wrong without it, for whoever must decide. */
  readonly why: string;
  /** Only read: another value is for the operator to judge. */
  readonly onlyAdvised?: true;
  /** The kernels that it is meant for, as major and minor number: from the first on, and before the second. */
  readonly kernels?: { readonly from: KernelVersion; readonly before?: KernelVersion };
  /** Matters only where the host has IPv6 to others. */
  readonly family?: 'ipv6';
}

/** Kernel settings that the data path needs, and those whose value an operator should know the price of. */
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
  {
    name: 'net.ipv4.vs.conn_reuse_mode',
    value: '0',
    why: 'before Linux 5.9 a client that uses a source port again waits a second for its connection',
    kernels: { from: [4, 1], before: [5, 9] },
  },
  {
    name: 'net.ipv4.vs.conn_reuse_mode',
    value: '1',
    why: 'from Linux 5.9 on 0 only keeps clients that use a source port again with a backend of weight 0',
    kernels: { from: [5, 9] },
    onlyAdvised: true,
  },
  {
    name: 'net.ipv6.conf.all.forwarding',
    value: '1',
    why: 'without it containers and other hosts get no answer from an IPv6 VIP; not written by itself, since a host that forwards takes no router advertisements unless accept_ra is 2',
    onlyAdvised: true,
    family: 'ipv6',
  },
];

/** The settings that matter for a kernel (`6.1.0-56-cloud-amd64`); of one whose version cannot be read, those for all. */
export function sysctlsFor(kernel: string, wanted: readonly Sysctl[] = SYSCTLS): readonly Sysctl[] {
  const version = kernelVersion(kernel);
  return wanted.filter(({ kernels }) => {
    if (kernels === undefined) return true;
    if (version === null || isBefore(version, kernels.from)) return false;
    return kernels.before === undefined || isBefore(version, kernels.before);
  });
}

/** What a setting is now. Rejects where this kernel does not have it. */
export async function readSysctl(name: string, root = '/proc/sys'): Promise<string> {
  return (await readFile(pathOf(name, root), 'utf8')).trim();
}

export interface SysctlReport {
  readonly changed: readonly string[];
  /** What is not as wanted, why that matters, and the line for a root shell that fixes it, now and at boot. */
  readonly advice: readonly string[];
  /** Names of the settings that are still not as wanted. */
  readonly unmet: readonly string[];
}

export interface SysctlOptions {
  /** Write what differs; otherwise it is only told. */
  readonly write: boolean;
  readonly kernel?: string;
  readonly root?: string;
}

/** How often a setting is put back between two calls of `ensure`: who wants it otherwise is not fought every second. */
const MAX_REPAIRS = 3;

/** The kernel settings of this host. What cannot be read or written is advice; nothing here rejects. */
export class Sysctls {
  readonly #wanted: readonly Sysctl[];
  readonly #write: boolean;
  readonly #root: string;
  #looked = false;
  readonly #repairs = new Map<string, number>();

  constructor({ write, kernel = release(), root = '/proc/sys' }: SysctlOptions) {
    this.#wanted = sysctlsFor(kernel);
    this.#write = write;
    this.#root = root;
  }

  /** Reads each setting and writes those that differ. `ipv6`: whether the host has IPv6 to others. */
  async ensure({ ipv6 }: { readonly ipv6: boolean }): Promise<SysctlReport> {
    this.#looked = true;
    this.#repairs.clear();
    const changed: string[] = [];
    const advice: string[] = [];
    const unmet: string[] = [];
    for (const sysctl of this.#wanted) {
      if (sysctl.family === 'ipv6' && !ipv6) continue;
      const { name, value, why } = sysctl;
      try {
        const change = await this.#bring(sysctl);
        if (change === 'differs') {
          const now = await readSysctl(name, this.#root);
          const fix = setSysctlOf(name, value, { missing: false });
          advice.push(`sysctl ${name} is ${now}, wanted ${value} (${why}); fix: ${fix}`);
          unmet.push(name);
        } else if (change !== null) changed.push(change);
      } catch (error) {
        unmet.push(name);
        // Since it is not worth writing, it is not worth a word where it does not exist.
        if (sysctl.onlyAdvised) continue;
        const missing = hasCode(error, 'ENOENT');
        const reason = missing ? 'this kernel does not have it' : systemReason(error);
        const fix = setSysctlOf(name, value, { missing });
        advice.push(`sysctl ${name} is not ${value} (${why}): ${reason}; fix, on the host itself: ${fix}`);
      }
    }
    return { changed, advice, unmet };
  }

  /** Puts back what someone changed since the last `ensure`. Resolves with what that was. */
  async repair(): Promise<readonly string[]> {
    if (!this.#looked) return [];
    const changed: string[] = [];
    for (const sysctl of this.#wanted) {
      const { name } = sysctl;
      const repairs = this.#repairs.get(name) ?? 0;
      if (!this.#write || sysctl.onlyAdvised || repairs >= MAX_REPAIRS) continue;
      try {
        const change = await this.#bring(sysctl);
        if (change === null || change === 'differs') continue;
        changed.push(change);
        this.#repairs.set(name, repairs + 1);
      } catch {
        // `ensure` has told of it, and does so again.
      }
    }
    return changed;
  }

  /** What was changed; `differs` where it may not be changed; null where it is as wanted. */
  async #bring({ name, value, onlyAdvised }: Sysctl): Promise<string | 'differs' | null> {
    const now = await readSysctl(name, this.#root);
    if (now === value) return null;
    if (!this.#write || onlyAdvised) return 'differs';
    await writeFile(pathOf(name, this.#root), `${value}\n`);
    return `sysctl ${name} ${now} -> ${value}`;
  }
}

function pathOf(name: string, root: string): string {
  return `${root}/${name.replaceAll('.', '/')}`;
}
