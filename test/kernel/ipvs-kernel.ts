import { execFileSync } from 'node:child_process';
import { describe } from '@jest/globals';
import { type Destination, isIpvsError, type VirtualService } from 'ipvs-netlink-ts';

const allowed = process.env['IPVS_KERNEL_TESTS'] === 'yes-change-my-tables';
if (!allowed)
  console.info(
    'skipped: changes the IPVS tables of this host; IPVS_KERNEL_TESTS=yes-change-my-tables allows it',
  );

/** For tests that need a kernel whose IPVS tables may be changed; skipped elsewhere. */
export const onKernel = allowed ? describe : describe.skip;

export const web: VirtualService = { protocol: 'tcp', address: '10.96.4.7', port: 80, scheduler: 'wlc' };
export const backend: Destination = {
  address: '10.1.2.3',
  port: 31244,
  weight: 1,
  forwardingMethod: 'masquerade',
};

/** The second witness. */
export function ipvsadm(...args: string[]): string {
  return execFileSync('ipvsadm', args, { encoding: 'utf8' });
}

/** A rejection as operators see it. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) =>
      isIpvsError(error) ? `${error.code} | ${error.message}` : `foreign: ${String(error)}`,
  );
}
