import { readFile, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { hasCode, systemReason } from '../errors.ts';
import { setSysctlOf } from '../fixes.ts';
import { isBefore, type KernelVersion, kernelVersion } from './kernel-version.ts';

export interface Sysctl {
  readonly name: string;
  readonly value: string;
  /** What goes wrong without it, for the operator. */
  readonly why: string;
  /** Never written: another value may be what the operator wants. */
  readonly onlyAdvised?: true;
  /** The kernels with this setting, by major and minor version: from the first on, and before the second. */
  readonly kernels?: { readonly from: KernelVersion; readonly before?: KernelVersion };
  /** Only needed when the host has IPv6 routes to other hosts. */
  readonly family?: 'ipv6';
}

/** Kernel settings that the data path needs, and settings whose cost an operator should know. */
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
    why: 'since Linux 5.9 the value 0 has only one effect: clients that reuse a source port stay with a backend of weight 0',
    kernels: { from: [5, 9] },
    onlyAdvised: true,
  },
  {
    name: 'net.ipv6.conf.all.forwarding',
    value: '1',
    why: 'without it containers and other hosts get no answer from an IPv6 VIP; `run` does not set it, since a host that forwards ignores router advertisements unless accept_ra is 2',
    onlyAdvised: true,
    family: 'ipv6',
  },
];

/** The settings for a kernel (`6.1.0-56-cloud-amd64`). For an unknown version, those that all kernels have. */
export function sysctlsFor(kernel: string, wanted: readonly Sysctl[] = SYSCTLS): readonly Sysctl[] {
  const version = kernelVersion(kernel);
  return wanted.filter(({ kernels }) => {
    if (kernels === undefined) return true;
    if (version === null || isBefore(version, kernels.from)) return false;
    return kernels.before === undefined || isBefore(version, kernels.before);
  });
}

/** Reads a setting. Rejects when this kernel does not have it. */
async function readSysctl(name: string, root = '/proc/sys'): Promise<string> {
  return (await readFile(pathOf(name, root), 'utf8')).trim();
}

export interface SysctlReport {
  readonly changed: readonly string[];
  /** Settings with another value than desired: why that matters, and the shell command that fixes it, now and at boot. */
  readonly advice: readonly string[];
  /** Names of the settings that still have another value. */
  readonly unmet: readonly string[];
}

export interface SysctlOptions {
  /** Write settings that differ; otherwise they are only reported. */
  readonly write: boolean;
  readonly kernel?: string;
  readonly root?: string;
}

/** How often a setting is restored between two calls of `ensure`: we do not fight another program every second. */
const MAX_REPAIRS = 3;

/** The kernel settings of this host. Failures to read or write become advice; nothing rejects. */
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

  /** Reads each setting and writes those that differ. `ipv6`: whether the host has IPv6 routes to other hosts. */
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
        // A setting that we would not write is not reported when it does not exist.
        if (sysctl.onlyAdvised) continue;
        const missing = hasCode(error, 'ENOENT');
        const reason = missing ? 'this kernel does not have it' : systemReason(error);
        const fix = setSysctlOf(name, value, { missing });
        advice.push(`sysctl ${name} is not ${value} (${why}): ${reason}; fix, on the host itself: ${fix}`);
      }
    }
    return { changed, advice, unmet };
  }

  /** Restores what someone changed since the last `ensure`. Resolves with what it restored. */
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
        // `ensure` reports it.
      }
    }
    return changed;
  }

  /** Returns what was changed; `differs` when it may not be changed; null when it is as desired. */
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
