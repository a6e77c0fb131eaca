import type { VipFact } from '../facts.ts';
import { broken, ok, type Verdict } from '../verdict.ts';

/** Checks that the VIP has an address. */
export function checkAddress({ vip }: { readonly vip: VipFact }): Verdict[] {
  const { address, name, backends } = vip;
  if (address !== null)
    return [ok(name === null ? `${address}, from the label` : `${address}, from the pool`)];
  // A VIP without backends gets no address; the next stage reports that.
  if (backends.length === 0) return [];
  return [
    broken(
      'no-address',
      `${name} has no address of its backends' address family`,
      'configure a pool of that family, or a larger one: --pool-ipv4, --pool-ipv6',
    ),
  ];
}
