/** Wires the part that keeps VIPs in other network namespaces. */

import type { Config } from '../config/config.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { FollowerRules } from '../loop/follower.ts';
import { Followers } from '../loop/followers.ts';
import { Turns } from '../loop/turns.ts';
import { NamespaceFleet } from '../netns/fleet.ts';
import { MAX_STARTS, NamespaceKeeper } from '../netns/keeper.ts';
import { namespaceLedgers } from '../netns/ledgers.ts';
import type { Namespace } from '../netns/namespaces.ts';
import type { Log } from '../ports.ts';
import { systemClock as clock } from '../time.ts';
import { checkEntering, enter, ledgerOf, ledgersOf } from './netns-enter.ts';

export interface Namespaces {
  readonly followers: Followers;
  readonly fleet: NamespaceFleet;
}

/**
 * Creates the fleet of network namespaces; null without `--netns-dir`, in a dry run and with `--once`. Rejects with a
 * `ControllerError` if this process may not enter network namespaces.
 */
export async function openNamespaces(
  config: Config,
  { rules, inventory, log }: NamespaceParts,
): Promise<Namespaces | null> {
  const { netnsDir: directory, dryRun, once, against } = config;
  if (directory === undefined || dryRun || once || against.kind !== 'kernel') return null;
  await checkEntering(config, directory);
  const followers = new Followers({ ...rules, resyncMs: config.resyncSeconds * 1_000 }, inventory);
  const starts = new Turns(MAX_STARTS);
  const keeper = (namespace: Namespace) =>
    new NamespaceKeeper(namespace, {
      enter: (now) => enter(config, now),
      ledger: ledgerOf(config, namespace),
      followers,
      starts,
      clock,
      log,
    });
  const ledgers = namespaceLedgers(ledgersOf(config));
  const fleet = new NamespaceFleet({ directory, keeper, ledgers, clock, log });
  return { followers, fleet };
}

export interface NamespaceParts {
  readonly rules: Omit<FollowerRules, 'resyncMs'>;
  readonly inventory: Inventory;
  readonly log: Log;
}
