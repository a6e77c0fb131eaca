/** Wires the helper in a network namespace, whose sockets are opened in that namespace. */

import type { Readable, Writable } from 'node:stream';
import { openKernelClient, openKernelTable } from '../apply/kernel-table.ts';
import { type WantedTimeouts, withTimeouts } from '../apply/timeouts.ts';
import { serveCalls } from '../netns/helper.ts';
import { openReachability, type ReachabilityOptions } from './reachability.ts';

/** Plain data, sent as JSON. */
export interface HelperOptions extends ReachabilityOptions {
  readonly timeouts: WantedTimeouts;
}

/** Serves calls until `input` ends. Rejects if the kernel's IPVS cannot be used. */
export async function helpFromHere(options: HelperOptions, input: Readable, output: Writable): Promise<void> {
  const table = await openKernelTable();
  const client = await openKernelClient();
  const reachability = withTimeouts(openReachability(options), client, options.timeouts);
  try {
    await serveCalls({ table, reachability }, input, output);
  } finally {
    table.close();
    client.close();
    reachability.close();
  }
}
