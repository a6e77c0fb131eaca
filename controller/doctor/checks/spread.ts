import { isBefore, kernelVersion } from '../../apply/kernel-version.ts';
import { type Found, fine } from '../document.ts';
import type { Facts } from '../facts.ts';

/** Schedulers that take the first of several equally loaded backends in the kernel's list, or start with the first. */
const BY_LIST: ReadonlySet<string> = new Set(['lc', 'wlc', 'sed', 'nq', 'rr', 'wrr']);

/** Notes how connections spread over backends when many hosts each open only a few. */
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
      `${vips.length} VIPs with ${schedulers}: among equally loaded backends each host prefers a different one, but all prefer the newest during a rolling deployment; ${otherwise}`,
    ),
  ];
}
