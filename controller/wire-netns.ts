/** Builds what keeps VIPs in other network namespaces. */

import { extname, join } from 'node:path';
import type { Config } from './config/config.ts';
import { givenAs } from './config/given.ts';
import { readEnteringRight } from './doctor/read/kernel.ts';
import { ControllerError, messageOf } from './errors.ts';
import type { Inventory } from './inventory/inventory.ts';
import type { FollowerRules } from './loop/follower.ts';
import { Followers } from './loop/followers.ts';
import { enterNamespace } from './netns/enter.ts';
import { NamespaceFleet } from './netns/fleet.ts';
import { NamespaceKeeper } from './netns/keeper.ts';
import { ledgerPath, namespaceLedgers } from './netns/ledgers.ts';
import { namedNamespace } from './netns/named.ts';
import type { Namespace } from './netns/namespaces.ts';
import type { RemoteNamespace } from './netns/remote.ts';
import type { IpvsTable, Ledger, Log, Reachability } from './ports.ts';
import { createLedger, kernelIdentity } from './state/ledger.ts';
import { systemClock } from './time.ts';
import { visible } from './visible.ts';
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
  await checkEntering(config, directory);
  const followers = new Followers({ ...rules, resyncMs: config.resyncSeconds * 1_000 }, inventory);
  const keeper = (namespace: Namespace) =>
    new NamespaceKeeper(namespace, {
      enter: (now) => enter(config, now),
      ledger: ledgerOf(config, namespace),
      followers,
      clock,
      log,
    });
  const ledgers = namespaceLedgers(ledgersOf(config));
  const fleet = new NamespaceFleet({ directory, keeper, ledgers, clock, log });
  return { followers, fleet };
}

/**
 * The table, ledger and reachability of the namespace that `--netns` names; null without that option. Rejects with a
 * `ControllerError` where there is no such namespace, or it may not be entered.
 */
export async function openNamespace(config: Config): Promise<OpenNamespace | null> {
  if (config.netns === undefined) return null;
  const namespace = await namespaceOf(config, config.netns);
  const { table, reachability } = enter(config, namespace);
  return { table, reachability, ledger: ledgerOf(config, namespace) };
}

async function namespaceOf(config: Config, id: string): Promise<Namespace> {
  const { netnsDir: directory, against } = config;
  const given = `${givenAs(config, 'netns')} ${visible(id)}`;
  const wrong = (message: string) => new ControllerError('usage', message, { retry: 'never' });
  if (directory === undefined)
    throw wrong(`${given} is given without --netns-dir, expected the directory that has the file`);
  if (against.kind !== 'kernel') {
    const other = `${givenAs(config, 'against')} ${against.kind === 'file' ? visible(against.path) : against.kind}`;
    throw wrong(`${given} is given with ${other}, expected kernel: the table of that namespace`);
  }
  const namespace = await namedNamespace(directory, id).catch((error: unknown) => {
    throw wrong(`${given}: ${messageOf(error)}`);
  });
  await checkEntering(config, directory);
  return namespace;
}

export interface OpenNamespace {
  /** To be closed; the rest is then closed too. */
  readonly table: IpvsTable;
  readonly reachability: Reachability;
  readonly ledger: Ledger;
}

async function checkEntering(config: Config, directory: string): Promise<void> {
  if (await readEnteringRight()) return;
  throw new ControllerError(
    'kernel',
    `${givenAs(config, 'netnsDir')} ${directory}: network namespaces cannot be entered without CAP_SYS_ADMIN; run as root, or give the unit or the container SYS_ADMIN`,
    { retry: 'never' },
  );
}

const clock = systemClock;

function enter(config: Config, namespace: Namespace): RemoteNamespace {
  return enterNamespace(namespace, { helper: helperCommand(), options: helperOptions(config), clock });
}

function ledgersOf({ ledger }: Config): string {
  return `${ledger}.d`;
}

function ledgerOf(config: Config, { id, inode }: Namespace): Ledger {
  return createLedger(ledgerPath(ledgersOf(config), id), kernelIdentity(`net:[${inode}]`), clock);
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
