import { ControllerError } from '../../errors.ts';
import { EXIT_DIFFERENT, EXIT_ERROR, EXIT_OK } from '../../exit-status.ts';
import { firstDelta } from '../../inventory/inventory.ts';
import type { Reconciler } from '../../loop/reconciler.ts';
import { type SavePorts, saveChanged } from '../../loop/save.ts';
import { Sources } from '../../loop/sources.ts';
import type { PassStatus } from '../../pass-status.ts';
import { heldText } from '../../plan/held-text.ts';
import type { AppSource, Observer } from '../../ports.ts';
import { type PrintOptions, printReport } from './report.ts';

export interface OncePorts extends SavePorts {
  readonly sources: readonly AppSource[];
  readonly reconciler: Reconciler;
  /** Standard output. */
  readonly print: (text: string) => void;
  /** Standard error, for the operator. */
  readonly printError: (line: string) => void;
}

/**
 * Makes one pass that changes nothing, and prints the diff. Resolves with the exit status: 0 no difference, 1 differences.
 * Rejects, which means 2, if a source or the table to compare with cannot be read.
 */
export async function diff(ports: OncePorts, options: PrintOptions, signal: AbortSignal): Promise<number> {
  const { pass } = await readAndPass(ports, signal);
  if (pass.error !== null) throw new ControllerError('kernel', pass.error);
  printReport(ports.print, pass, options);
  const { add, change, remove } = pass.plan.summary;
  return add + change + remove === 0 ? EXIT_OK : EXIT_DIFFERENT;
}

/**
 * Makes one pass that brings the kernel to the desired state, and prints what it did. If it wrote anything, the kernel is
 * read back. Resolves with 0 if the kernel is as desired; else prints what is not, and resolves with 2.
 */
export async function once(ports: OncePorts, options: PrintOptions, signal: AbortSignal): Promise<number> {
  const { pass, sources } = await readAndPass(ports, signal);
  await saveChanged(ports, sources);
  if (pass.error === null) printReport(ports.print, pass, options);
  const problems = problemsOf(pass);
  if (problems.length === 0 && pass.plan.growing.length + pass.plan.shrinking.length > 0) {
    problems.push(...(await readBack(ports)));
  }
  for (const problem of problems) ports.printError(problem);
  return problems.length === 0 ? EXIT_OK : EXIT_ERROR;
}

/** Reads every source and makes one pass over their apps. Rejects if a source cannot be read. */
export async function readAndPass(
  { sources: all, reconciler }: Pick<OncePorts, 'sources' | 'reconciler'>,
  signal: AbortSignal,
): Promise<{ pass: PassStatus; sources: Sources }> {
  const sources = new Sources(all, NO_OBSERVER, reconciler.inventory);
  const snapshots = await Promise.all(all.map((source) => source.read(signal)));
  for (const [index, source] of all.entries()) {
    const snapshot = snapshots[index];
    if (snapshot !== undefined) sources.read(source.name, firstDelta(snapshot));
  }
  return { pass: await reconciler.pass(EVERYTHING), sources };
}

const EVERYTHING = { full: true, complete: true, changesSince: [], gone: [] };

/** The problems that a second pass finds; it must have nothing to do. */
async function readBack({ reconciler }: OncePorts): Promise<string[]> {
  const pass = await reconciler.pass(EVERYTHING);
  const { add, change, remove } = pass.plan.summary;
  const again = add + change + remove;
  return again === 0
    ? problemsOf(pass)
    : [`${again} VIPs were not as desired when read back: another program writes them too`];
}

function problemsOf({ error, failures, waiting, problems, held, plan }: PassStatus): string[] {
  return [
    ...(error === null ? [] : [error]),
    ...failures.map(({ step, message }) => `${step}: ${message}`),
    ...(waiting === 0 ? [] : [`${waiting} steps were postponed because of these`]),
    ...(held === null ? [] : [`not done: ${heldText(held)}; if that is right: --allow-mass-removal`]),
    ...problems,
    ...plan.conflicts.map(({ key, reason }) => `${key}: ${reason}`),
  ];
}

const NO_OBSERVER: Observer = {
  moved: () => undefined,
  sourceRead: () => undefined,
  sourceFailed: () => undefined,
  passed: () => undefined,
  repaired: () => undefined,
};
