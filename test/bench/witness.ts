/**
 * The outside clock of latency-bench: told to watch a service, it reads that service from the kernel every few
 * milliseconds and answers with the moment at which as many of its destinations as expected have a weight; of a change that
 * the next one of its service overtook, with the moment at which that is there.
 */
import type { IpvsClient } from 'ipvs-netlink-ts';

export interface Watch {
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly inRotation: number;
}

export interface Seen {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Answers the parent process, to which it first says that it is ready. Reads the kernel every `intervalMs`. */
export function bearWitness(client: IpvsClient, intervalMs: number): void {
  const watched = new Map<number, Watch>();
  process.on('message', (watch: Watch) => {
    watched.set(watch.id, watch);
    if (watched.size === 1) void look(client, watched, intervalMs);
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

/** Looks at all that are watched until none is. */
async function look(client: IpvsClient, watched: Map<number, Watch>, intervalMs: number): Promise<void> {
  for (;;) {
    for (const [id, { address, port, inRotation }] of watched) {
      const destinations = await client.listDestinations({ protocol: 'tcp', address, port });
      if (destinations.filter(({ weight }) => weight > 0).length !== inRotation) continue;
      // What the controller, or this machine, was late with is in the kernel as part of what came after it.
      for (const other of watched.values()) {
        if (other.address !== address || other.port !== port || other.id > id) continue;
        watched.delete(other.id);
        process.send?.({ id: other.id, at: Date.now() } satisfies Seen);
      }
    }
    if (watched.size === 0) return;
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
