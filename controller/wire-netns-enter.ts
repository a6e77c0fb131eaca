/** Builds what works in another network namespace: its helper, and its ledger. */

import { extname, join } from 'node:path';
import type { Config } from './config/config.ts';
import { givenAs } from './config/given.ts';
import { readEnteringRight } from './doctor/read/kernel.ts';
import { ControllerError } from './errors.ts';
import { enterNamespace } from './netns/enter.ts';
import { ledgerPath } from './netns/ledgers.ts';
import type { Namespace } from './netns/namespaces.ts';
import type { RemoteNamespace } from './netns/remote.ts';
import type { Ledger } from './ports.ts';
import { createLedger, kernelIdentity } from './state/ledger.ts';
import { systemClock as clock } from './time.ts';
import type { HelperOptions } from './wire-netns-helper.ts';

/** Rejects with a `ControllerError` where this process may enter no network namespace. */
export async function checkEntering(config: Config, directory: string): Promise<void> {
  if (await readEnteringRight()) return;
  throw new ControllerError(
    'kernel',
    `${givenAs(config, 'netnsDir')} ${directory}: network namespaces cannot be entered without CAP_SYS_ADMIN; run as root, or give the unit or the container SYS_ADMIN`,
    { retry: 'never' },
  );
}

/** Starts the helper that keeps VIPs there. */
export function enter(config: Config, namespace: Namespace): RemoteNamespace {
  return enterNamespace(namespace, {
    helper: programInNamespace('netns-helper'),
    options: helperOptions(config),
    clock,
  });
}

/** The directory of all ledgers but the host's. */
export function ledgersOf({ ledger }: Config): string {
  return `${ledger}.d`;
}

/** Says what is ours in one of them. */
export function ledgerOf(config: Config, { inode }: Namespace): Ledger {
  return createLedger(ledgerPath(ledgersOf(config), inode), kernelIdentity(`net:[${inode}]`), clock);
}

/** The command that runs one of the programs for other namespaces: it lies beside this file, built or in a checkout. */
export function programInNamespace(name: 'netns-helper' | 'netns-facts'): readonly string[] {
  const isBuilt = extname(import.meta.filename) !== '.ts';
  if (isBuilt) return [process.execPath, join(import.meta.dirname, `${name}.mjs`)];
  const options = ['--conditions=ipvs-source', '--disable-warning=ExperimentalWarning'];
  return [process.execPath, ...options, join(import.meta.dirname, `${name}.ts`)];
}

function helperOptions(config: Config): HelperOptions {
  const { poolIpv4, poolIpv6, writeSysctls, packetFilter } = config;
  const { tcpTimeout, tcpFinTimeout, udpTimeout } = config;
  return {
    interface: config.interface,
    poolIpv4,
    poolIpv6,
    // Names are answered in the host's namespace alone.
    dnsListen: [],
    // That of `--host-address` is the host's.
    hostAddress: null,
    writeSysctls,
    packetFilter,
    timeouts: { tcp: tcpTimeout, tcpFin: tcpFinTimeout, udp: udpTimeout },
  };
}
