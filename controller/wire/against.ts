/** What plans are compared with: the kernel, or what `--against` names. */

import { openKernelTable } from '../apply/kernel-table.ts';
import type { Config } from '../config/config.ts';
import { optionAsWritten } from '../config/option-text.ts';
import { ControllerError, systemReason } from '../errors.ts';
import { readWithin } from '../input/bounded-read.ts';
import { OverBound } from '../input/bounds.ts';
import type { ServiceKey } from '../model/service.ts';
import { parseTable } from '../plan/ipvsadm.ts';
import type { IpvsTable, Ledger, LedgerEntry } from '../ports.ts';
import { createLedger } from '../state/ledger.ts';
import { namedLedger } from '../state/named-ledger.ts';
import { openNamespace } from './netns-named.ts';

/**
 * Opens the table to compare with, and the ledger that says which of its services are owned: those of the kernel, or of a file or
 * nothing, neither of which is ever written. `inPools` tells addresses that only this controller or dcos-net uses. Rejects with a
 * `ControllerError` when the kernel or the file cannot be opened.
 */
export async function openAgainst(
  config: Config,
  inPools: (address: string) => boolean,
): Promise<{ table: IpvsTable; ledger: Ledger }> {
  const { against, ledger, origins } = config;
  const other = await openNamespace(config);
  if (other !== null) return other;
  switch (against.kind) {
    case 'kernel':
      return {
        table: await openKernelTable().catch(config.dryRun ? adviseWithoutKernel : undefined),
        ledger: createLedger(ledger),
      };
    case 'none':
      return { table: readOnlyTable(new Map()), ledger: fixedLedger([]) };
    case 'file': {
      const table = await readTable(against.path);
      if (origins.ledger !== 'default')
        return {
          table: readOnlyTable(table),
          ledger: namedLedger(ledger, optionAsWritten(config, 'ledger')),
        };
      // Services in the pools were made by this controller or by dcos-net. For the others only a ledger can tell.
      const ours = [...table].filter(([, { address }]) => inPools(address)).map(([key]) => key);
      return { table: readOnlyTable(table), ledger: fixedLedger(ours) };
    }
  }
}

/** Adds the advice for a first try, which is often made on a machine without IPVS. */
function adviseWithoutKernel(error: unknown): never {
  if (!(error instanceof ControllerError)) throw error;
  const { code, message, cause, retry } = error;
  const advice = 'to see what would be made on an empty table: --against none';
  throw new ControllerError(code, `${message}; ${advice}`, { cause, retry });
}

/** Maximum size of a table's text: about four million backends. */
const MAX_TABLE_BYTES = 256 * 1024 * 1024;

async function readTable(path: string) {
  try {
    const limits = { maxBytes: MAX_TABLE_BYTES, mayBePipe: false };
    const text = await readWithin(path, limits, new AbortController().signal);
    if (text === null) throw new OverBound(`larger than ${MAX_TABLE_BYTES} bytes`);
    return parseTable(text.toString());
  } catch (cause) {
    const message = `--against ${path}: ${systemReason(cause)}; expected the output of \`ipvsadm -Sn\``;
    throw new ControllerError('usage', message, { retry: 'never' });
  }
}

function readOnlyTable(table: Awaited<ReturnType<IpvsTable['observe']>>): IpvsTable {
  return {
    observe: async () => table,
    observeInBackground: async () => table,
    apply: () => Promise.reject(new Error('a table that is not the kernel is never written')),
    close: () => undefined,
  };
}

function fixedLedger(keys: Iterable<ServiceKey>): Ledger {
  const entries = new Map(
    [...keys].map((key): [ServiceKey, LedgerEntry] => [key, { name: null, framework: null, fqdn: null }]),
  );
  return {
    load: async () => ({ entries }),
    save: () => Promise.reject(new Error('the ledger of a diff is never written')),
  };
}
