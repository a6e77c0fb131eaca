/** Wires ejection. */

import { openKernelClient } from '../apply/kernel-table.ts';
import type { Config } from '../config/config.ts';
import type { Watch, WatchOptions } from '../eject/watch.ts';
import type { Log } from '../ports.ts';
import { systemClock } from '../time.ts';

/**
 * null with `--eject off`, and when nothing is written or only one pass is made. Rejects with a `ControllerError` when the
 * kernel cannot be opened.
 */
export async function openWatch(
  { eject, dryRun, once, against }: Config,
  { log, ...options }: Omit<WatchOptions, 'mode'> & { readonly log: Log },
): Promise<Watch | null> {
  if (eject === 'off' || dryRun || once || against.kind !== 'kernel') return null;
  const [
    { Watch },
    { createConnectionTable },
    { createWaitingConnections },
    { createDestinationCounters },
    { createProber },
    { threadCpuMs },
  ] = await Promise.all([
    import('../eject/watch.ts'),
    import('../eject/connection-table.ts'),
    import('../eject/waiting-connections.ts'),
    import('../eject/counters.ts'),
    import('../eject/prober.ts'),
    import('../eject/cpu-time.ts'),
  ]);
  const counters = createDestinationCounters(await openKernelClient());
  const connections = createConnectionTable(threadCpuMs, createWaitingConnections());
  const prober = createProber(systemClock);
  const ports = { connections, counters, prober, clock: systemClock, log, cpuMs: threadCpuMs };
  return new Watch(ports, { ...options, mode: eject });
}
