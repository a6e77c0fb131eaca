/** Builds what a command works with in the network namespace that `--netns` names. */

import type { Config } from './config/config.ts';
import { givenAs } from './config/given.ts';
import { ControllerError, messageOf } from './errors.ts';
import { askInNamespace } from './netns/facts.ts';
import { namedNamespace } from './netns/named.ts';
import type { Namespace } from './netns/namespaces.ts';
import type { IpvsTable, Ledger, Reachability } from './ports.ts';
import { visible } from './visible.ts';
import { checkEntering, enter, ledgerOf, programInNamespace } from './wire-netns-enter.ts';
import { type Readers, readersThrough } from './wire-netns-facts.ts';

/**
 * The table, ledger and reachability of the namespace that `--netns` names; null without that option. Rejects with a
 * `ControllerError` where there is no such namespace, or it may not be entered.
 */
export async function openNamespace(config: Config): Promise<OpenNamespace | null> {
  const namespace = await namespaceOf(config);
  if (namespace === null) return null;
  const { table, reachability } = enter(config, namespace);
  return { table, reachability, ledger: ledgerOf(config, namespace) };
}

/** The namespace that `--netns` names; null without that option. Rejects likewise. */
export async function namespaceOf(config: Config): Promise<Namespace | null> {
  const { netns: id, netnsDir: directory, against } = config;
  if (id === undefined) return null;
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

/** Reads facts of another namespace, by a program in it for each. Their calls reject where it cannot be looked into. */
export function readersIn(namespace: Namespace): Readers {
  const program = programInNamespace('netns-facts');
  const there = readersThrough((question) => askInNamespace(namespace, program, question));
  return {
    ...there,
    // There the client is in the namespace of the program itself.
    connections: (vip, _client, count) => there.connections(vip, null, count),
    async facts(...args) {
      const facts = await there.facts(...args);
      // The controller tells of the host's table.
      return {
        ...facts,
        controller: facts.controller && { ...facts.controller, foreignServices: null },
      };
    },
  };
}
