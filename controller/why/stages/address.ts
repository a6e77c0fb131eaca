import type { VipFact } from '../facts.ts';
import { broken, ok, type Verdict } from '../verdict.ts';

/** Whether the VIP has an address, and what kind of one. */
export function checkAddress({ vip }: { readonly vip: VipFact }): Verdict[] {
  const { address, name, backends } = vip;
  if (address !== null)
    return [ok(name === null ? `${address}, as the label says` : `${address}, of the pool`)];
  // One without backends gets none; that is told of its backends.
  if (backends.length === 0) return [];
  return [
    broken(
      'no-address',
      `${name} has no address of the family of its backends`,
      'give this host a pool of that family, or a larger one: --pool-ipv4, --pool-ipv6',
    ),
  ];
}
