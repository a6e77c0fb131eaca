import { IpvsClient, isIpvsError } from 'ipvs-netlink-ts';
import { createKernelTable } from '../../apply/kernel-table.ts';
import { messageOf } from '../../errors.ts';
import type { AddressedVip, KernelFact } from '../facts.ts';

/** Reads the kernel's service at the VIP's address and port. Never rejects. */
export async function readKernel({ protocol, address, port }: AddressedVip): Promise<KernelFact> {
  try {
    const client = await IpvsClient.open();
    try {
      const table = await createKernelTable(client).observe([{ protocol, address, port }]);
      const [service = null] = table.values();
      return { service };
    } finally {
      client.close();
    }
  } catch (error) {
    return { error: messageOf(error), missing: isIpvsError(error, 'unsupported') };
  }
}
