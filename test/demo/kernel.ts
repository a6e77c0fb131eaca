/** The kernel's table through the eyes of ipvsadm, which shares no code with the controller. */

import { must, waitFor } from '../support/shell.ts';

/** Backend -> weight, of the VIP `address:port`. */
export async function backendsInKernel(vip: string): Promise<ReadonlyMap<string, number>> {
  const lines = (await must(['ipvsadm', '-Sn'])).split('\n');
  const found = lines.flatMap((line) => {
    const match = /^-a -t (\S+) -r (\S+) .*-w (\d+)/.exec(line);
    return match && match[1] === vip ? [[match[2] ?? '', Number(match[3])] as const] : [];
  });
  return new Map(found);
}

/** Weight 1 of a VIP with slow start. */
const FULL_WEIGHT = 100;

/** Waits until the VIP has so many backends, each with its full weight; gives them. */
export function untilBackends(vip: string, count: number): Promise<readonly string[]> {
  return waitFor(`${count} backends in the kernel`, async () => {
    const backends = await backendsInKernel(vip);
    const settled =
      backends.size === count && [...backends.values()].every((weight) => weight === FULL_WEIGHT);
    return settled ? [...backends.keys()] : undefined;
  });
}
