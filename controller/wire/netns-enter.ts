/** Wires the helper and the ledger of another network namespace. */

import { extname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import { optionAsWritten } from '../config/option-text.ts';
import { readEnteringRight } from '../doctor/read/kernel.ts';
import { ControllerError } from '../errors.ts';
import { enterNamespace } from '../netns/enter.ts';
import { ledgerPath } from '../netns/ledgers.ts';
import type { Namespace } from '../netns/namespaces.ts';
import type { RemoteNamespace } from '../netns/remote.ts';
import type { Ledger } from '../ports.ts';
import { createLedger, kernelIdentity } from '../state/ledger.ts';
import { systemClock as clock } from '../time.ts';
import type { HelperOptions } from './netns-helper.ts';

/** Rejects with a `ControllerError` if this process may not enter network namespaces. */
export async function checkEntering(config: Config, directory: string): Promise<void> {
  if (await readEnteringRight()) return;
  throw new ControllerError(
    'kernel',
    `${optionAsWritten(config, 'netnsDir')} ${directory}: network namespaces cannot be entered without CAP_SYS_ADMIN; run as root, or give the unit or the container SYS_ADMIN`,
    { retry: 'never' },
  );
}

/** Starts the helper in a network namespace. */
export function enter(config: Config, namespace: Namespace): RemoteNamespace {
  return enterNamespace(namespace, {
    helper: programInNamespace('netns-helper'),
    options: helperOptions(config),
    clock,
  });
}

/** The directory of the ledgers of network namespaces. */
export function ledgersOf({ ledger }: Config): string {
  return `${ledger}.d`;
}

/** Creates the ledger of a network namespace. */
export function ledgerOf(config: Config, { inode }: Namespace): Ledger {
  return createLedger(ledgerPath(ledgersOf(config), inode), kernelIdentity(`net:[${inode}]`), clock);
}

/** The command line of a program for other namespaces, which is beside this file both in a build and in a checkout. */
export function programInNamespace(name: 'netns-helper' | 'netns-facts'): readonly string[] {
  const isBuilt = extname(import.meta.filename) !== '.ts';
  // As in the launcher: no debugger on SIGUSR1.
  const node = [process.execPath, '--disable-sigusr1'];
  if (isBuilt) return [...node, join(import.meta.dirname, `${name}.mjs`)];
  const options = ['--conditions=ipvs-source', '--disable-warning=ExperimentalWarning'];
  return [...node, ...options, join(import.meta.dirname, '..', `${name}.ts`)];
}

function helperOptions(config: Config): HelperOptions {
  const { poolIpv4, poolIpv6, writeSysctls, packetFilter } = config;
  const { tcpTimeout, tcpFinTimeout, udpTimeout } = config;
  return {
    interface: config.interface,
    poolIpv4,
    poolIpv6,
    // DNS is served only in the host's namespace.
    dnsListen: [],
    // `--host-address` is an address of the host's namespace.
    hostAddress: null,
    writeSysctls,
    packetFilter,
    timeouts: { tcp: tcpTimeout, tcpFin: tcpFinTimeout, udp: udpTimeout },
  };
}
