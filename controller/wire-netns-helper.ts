/** Builds what the helper in a network namespace works with: its sockets are opened there, and stay there. */

import type { Readable, Writable } from 'node:stream';
import { openKernelTable } from './apply/kernel-table.ts';
import { serveCalls } from './netns/helper.ts';
import { openReachability, type ReachabilityOptions } from './wire-reachability.ts';

/** Serves calls until `input` ends. Rejects where the kernel cannot be used. */
export async function helpFromHere(
  options: ReachabilityOptions,
  input: Readable,
  output: Writable,
): Promise<void> {
  const table = await openKernelTable();
  const reachability = openReachability(options);
  try {
    await serveCalls({ table, reachability }, input, output);
  } finally {
    table.close();
    reachability.close();
  }
}
