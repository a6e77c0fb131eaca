/** A client whose kernel answers with changed replies: each call resolves or rejects with an `IpvsError`, and the next works. */

import { IpvsClient, isIpvsError } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import type { Random } from '../../simulate/random.ts';
import { mutated } from './mutate.ts';

const web = { protocol: 'tcp', address: '10.96.4.7', port: 80, scheduler: 'wlc' } as const;
const destination = { address: '10.1.2.3', port: 80, weight: 1, forwardingMethod: 'masquerade' } as const;

type Call = (client: IpvsClient) => Promise<unknown>;

const CALLS: readonly Call[] = [
  (client) => client.listTable(),
  (client) => client.listServices(),
  (client) => client.getService(web),
  (client) => client.listDestinations(web),
  (client) => client.getInfo(),
  (client) => client.getTimeouts(),
  (client) => client.listSyncDaemons(),
  (client) => client.batch([{ op: 'update-service', service: web }]),
  (client) => client.updateDestination(web, destination),
  (client) => client.zero(web),
];

/** Nobody waits longer for a reply that never comes. */
const TIMEOUT_MS = 2;

export async function playSession(random: Random, calls: number): Promise<void> {
  const kernel = new FakeKernel({ immediate: random.chance(0.8) });
  const client = await IpvsClient.open({ transport: kernel.transport(), timeoutMs: TIMEOUT_MS });
  try {
    await client.addService(web);
    await client.addDestination(web, destination);
    for (let call = 0; call < calls; call++) {
      kernel.faults = { replies: (datagrams) => changed(datagrams, random) };
      await random.pick(CALLS)(client).catch(rethrowForeign);
    }
    kernel.faults = {};
    await retried(() => client.listTable());
  } finally {
    client.close();
  }
}

/** Datagrams changed, left out, repeated and in another order. */
function changed(datagrams: readonly Uint8Array[], random: Random): readonly Uint8Array[] {
  const all = datagrams.flatMap((datagram) => {
    if (datagram.length === 0 || random.chance(0.4)) return [datagram];
    // The number of the request stays most often, or nobody would read on.
    const bytes = mutated(random, datagrams);
    if (bytes.length >= 12 && random.chance(0.9)) bytes.set(datagram.subarray(8, 12), 8);
    return random.chance(0.05) ? [] : random.chance(0.1) ? [bytes, datagram] : [bytes];
  });
  return random.chance(0.1) ? all.reverse() : all;
}

function rethrowForeign(error: unknown): void {
  if (!isIpvsError(error)) throw error;
}

/** What is still under way of the call before may cost one more. */
async function retried(call: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await call();
      return;
    } catch (error) {
      if (!isIpvsError(error) || attempt === 20) throw error;
    }
  }
}
