/** Builds what keeps VIPs in other network namespaces. */

import { extname, join } from 'node:path';
import type { Config } from './config/config.ts';
import { givenAs } from './config/given.ts';
import { readEnteringRight } from './doctor/read/kernel.ts';
import { ControllerError } from './errors.ts';
import type { Inventory } from './inventory/inventory.ts';
import type { FollowerRules } from './loop/follower.ts';
import { Followers } from './loop/followers.ts';
import { enterNamespace } from './netns/enter.ts';
import { NamespaceFleet } from './netns/fleet.ts';
import { NamespaceKeeper } from './netns/keeper.ts';
import { ledgerPath, namespaceLedgers } from './netns/ledgers.ts';
import type { Log } from './ports.ts';
import { createLedger, kernelIdentity } from './state/ledger.ts';
import { systemClock } from './time.ts';
import type { HelperOptions } from './wire-netns-helper.ts';

export interface Namespaces {
  readonly followers: Followers;
  readonly fleet: NamespaceFleet;
}

/**
 * null without `--netns-dir`, and where nothing is written or one pass is made. Rejects with a `ControllerError` where this
 * process may enter no namespace.
 */
export async function openNamespaces(
  config: Config,
  { rules, inventory, log }: NamespaceParts,
): Promise<Namespaces | null> {
  const { netnsDir: directory, dryRun, once, against } = config;
  if (directory === undefined || dryRun || once || against.kind !== 'kernel') return null;
  if (!(await readEnteringRight()))
    throw new ControllerError(
      'kernel',
      `${givenAs(config, 'netnsDir')} ${directory}: network namespaces cannot be entered without CAP_SYS_ADMIN; run as root, or give the unit or the container SYS_ADMIN`,
      { retry: 'never' },
    );
  const clock = systemClock;
  const followers = new Followers({ ...rules, resyncMs: config.resyncSeconds * 1_000 }, inventory);
  const ledgers = `${config.ledger}.d`;
  const entering = { helper: helperCommand(), options: helperOptions(config), clock };
  const keeper = (namespace: ConstructorParameters<typeof NamespaceKeeper>[0]) =>
    new NamespaceKeeper(namespace, {
      enter: (now) => enterNamespace(now, entering),
      ledger: createLedger(
        ledgerPath(ledgers, namespace.id),
        kernelIdentity(`net:[${namespace.inode}]`),
        clock,
      ),
      followers,
      clock,
      log,
    });
  const fleet = new NamespaceFleet({ directory, keeper, ledgers: namespaceLedgers(ledgers), clock, log });
  return { followers, fleet };
}

export interface NamespaceParts {
  readonly rules: Omit<FollowerRules, 'resyncMs'>;
  readonly inventory: Inventory;
  readonly log: Log;
}

/** It lies beside this file, whether this is the program as it was built or a checkout. */
function helperCommand(): readonly string[] {
  const isBuilt = extname(import.meta.filename) !== '.ts';
  if (isBuilt) return [process.execPath, join(import.meta.dirname, 'netns-helper.mjs')];
  const options = ['--conditions=ipvs-source', '--disable-warning=ExperimentalWarning'];
  return [process.execPath, ...options, join(import.meta.dirname, 'netns-helper.ts')];
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
