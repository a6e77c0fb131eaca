/** The helper that is run in a network namespace: its sockets are opened there, and stay there. */

import { openKernelTable } from './apply/kernel-table.ts';
import { serveCalls } from './netns/helper.ts';
import { openReachability, type ReachabilityOptions } from './wire-reachability.ts';

/** Serves calls over the standard streams until standard input ends. Rejects where the kernel cannot be used. */
export async function helpFromHere(options: ReachabilityOptions): Promise<void> {
  const table = await openKernelTable();
  const reachability = openReachability(options);
  try {
    await serveCalls({ table, reachability }, process.stdin, process.stdout);
  } finally {
    table.close();
    reachability.close();
  }
}
