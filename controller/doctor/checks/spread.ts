import { isBefore, kernelVersion } from '../../apply/kernel-version.ts';
import { type Found, fine } from '../document.ts';
import type { Facts } from '../facts.ts';

/** They take the first in the kernel's list of those that are equally good, or begin with the first. */
const BY_LIST: ReadonlySet<string> = new Set(['lc', 'wlc', 'sed', 'nq', 'rr', 'wrr']);

/** How hosts that each open few connections spread them over the backends of a VIP. */
export function checkSpread({
  kernelRelease,
  controller,
}: Pick<Facts, 'kernelRelease' | 'controller'>): Found[] {
  if (controller === null) return [];
  const vips = controller.vips.filter(({ scheduler, backends }) => {
    return backends.length > 1 && scheduler !== null && BY_LIST.has(scheduler);
  });
  if (vips.length === 0) return [];
  const schedulers = [...new Set(vips.map(({ scheduler }) => scheduler ?? ''))].sort().join(', ');
  const version = kernelVersion(kernelRelease);
  const hasTwos = version === null || !isBefore(version, [5, 13]);
  const otherwise = hasTwos
    ? '`twos`, which chooses at random, spreads them best (label IPVS_SCHEDULER or --default-scheduler)'
    : '`twos`, which chooses at random, spreads them best and needs Linux 5.13';
  return [
    fine(
      'spread',
      'spread over backends',
      `${vips.length} VIPs with ${schedulers}: of equally good backends each host prefers another one, but all prefer the newest during a rolling deployment; ${otherwise}`,
    ),
  ];
}
