/** Wires a command that works in the network namespace of `--netns`. */

import type { Config } from '../config/config.ts';
import { optionAsWritten } from '../config/option-text.ts';
import { ControllerError, messageOf } from '../errors.ts';
import { askInNamespace } from '../netns/facts.ts';
import { namedNamespace } from '../netns/named.ts';
import type { Namespace } from '../netns/namespaces.ts';
import type { IpvsTable, Ledger, Reachability } from '../ports.ts';
import { visible } from '../text/visible.ts';
import { checkEntering, enter, ledgerOf, programInNamespace } from './netns-enter.ts';
import { type Readers, readersThrough } from './netns-facts.ts';

/**
 * Opens the table, ledger and reachability of the namespace of `--netns`; resolves with null without that option. Rejects with a
 * `ControllerError` if the namespace does not exist or cannot be entered.
 */
export async function openNamespace(config: Config): Promise<OpenNamespace | null> {
  const namespace = await namespaceOf(config);
  if (namespace === null) return null;
  const { table, reachability } = enter(config, namespace);
  return { table, reachability, ledger: ledgerOf(config, namespace) };
}

/** Finds the namespace of `--netns`; resolves with null without that option. Rejects as `openNamespace` does. */
export async function namespaceOf(config: Config): Promise<Namespace | null> {
  const { netns: id, netnsDir: directory, against } = config;
  if (id === undefined) return null;
  const given = `${optionAsWritten(config, 'netns')} ${visible(id)}`;
  const wrong = (message: string) => new ControllerError('usage', message, { retry: 'never' });
  if (directory === undefined)
    throw wrong(`${given} is given without --netns-dir, expected the directory that has the file`);
  if (against.kind !== 'kernel') {
    const other = `${optionAsWritten(config, 'against')} ${against.kind === 'file' ? visible(against.path) : against.kind}`;
    throw wrong(`${given} is given with ${other}, expected kernel: the table of that namespace`);
  }
  const namespace = await namedNamespace(directory, id).catch((error: unknown) => {
    throw wrong(`${given}: ${messageOf(error)}`);
  });
  await checkEntering(config, directory);
  return namespace;
}

export interface OpenNamespace {
  /** Must be closed, which closes the rest too. */
  readonly table: IpvsTable;
  readonly reachability: Reachability;
  readonly ledger: Ledger;
}

/** Creates readers for another namespace. Each call starts a program there, and rejects if the namespace cannot be entered. */
export function readersIn(namespace: Namespace): Readers {
  const program = programInNamespace('netns-facts');
  const there = readersThrough((question) => askInNamespace(namespace, program, question));
  return {
    ...there,
    // In the other namespace the client is the program itself.
    connections: (vip, _client, count) => there.connections(vip, null, count),
    async facts(...args) {
      const facts = await there.facts(...args);
      // The controller's count is about the host's table.
      return {
        ...facts,
        controller: facts.controller && { ...facts.controller, foreignServices: null },
      };
    },
  };
}
