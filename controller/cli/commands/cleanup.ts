import type { Step } from '../../model/kernel.ts';
import { serviceKey } from '../../model/service.ts';
import { formatStep } from '../../plan/ipvsadm.ts';
import type { IpvsTable, Ledger, Reachability } from '../../ports.ts';
import { EXIT_ERROR, EXIT_OK } from '../exit-status.ts';

export interface CleanupPorts {
  readonly table: IpvsTable;
  readonly reachability: Reachability;
  readonly ledger: Ledger;
  readonly print: (text: string) => void;
  readonly printError: (line: string) => void;
}

/**
 * Removes what this controller owns on this host and nothing else: first interface, routes and packet filter, so that no
 * new connections arrive, then the services in the ledger. With `dryRun` it only prints what it would remove. Resolves with
 * the exit status: 0, or 2 if something could not be removed, which then stays in the ledger.
 */
export async function cleanup(ports: CleanupPorts, dryRun: boolean): Promise<number> {
  const { table, reachability, ledger, print, printError } = ports;
  const { entries, warning } = await ledger.load();
  if (warning !== undefined) printError(warning);
  const observed = await table.observe();
  const steps: Step[] = [];
  for (const key of entries.keys()) {
    const service = observed.get(key);
    if (service !== undefined) steps.push({ op: 'remove-service', service });
  }

  const verb = dryRun ? 'would remove' : 'removed';
  const carriers = dryRun ? await reachability.exists() : await reachability.remove();
  for (const carrier of carriers) print(`${verb} ${carrier}\n`);
  const failures = dryRun ? [] : await table.apply(steps);
  const failed = new Set(failures.map(({ step }) => step));
  for (const step of steps) if (!failed.has(step)) print(`${verb} ${formatStep(step).slice('-D '.length)}\n`);
  for (const { step, error } of failures) printError(`${formatStep(step)}: ${error.message}`);

  if (!dryRun) {
    const left = new Set(failures.map(({ step }) => serviceKey(step.service)));
    await ledger.save(new Map([...entries].filter(([key]) => left.has(key))), null);
  }
  const others = observed.size - steps.length;
  print(`${verb} ${steps.length} of this controller's services; ${others} of other programs left alone
`);
  return failures.length === 0 ? EXIT_OK : EXIT_ERROR;
}
