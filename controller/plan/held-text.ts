/** Text about a held mass removal. */

import type { LossReason } from './losses.ts';
import type { MassRemoval } from './mass.ts';

/** One line: how much would be removed, of how much, and why. */
export function heldText({ vips, ofVips, backends, ofBackends, reasons, recent = 0 }: MassRemoval): string {
  const why = reasons.map(([reason, count]) => `${count} ${OF_MANY[reason]}`).join(', ');
  const after = recent > 0 ? ` (after ${recent} shortly before)` : '';
  return (
    `${vips} of ${ofVips} VIPs and ${backends} of ${ofBackends} backends in rotation would go at once${after}, ` +
    `and no source says so by name: ${why}`
  );
}

const OF_MANY: Readonly<Record<LossReason, string>> = {
  missing: 'missing from what the sources tell',
  'health lost': 'without the health results that they had',
  unhealthy: 'unhealthy',
  unreachable: 'unreachable',
  staging: 'staging',
  'not asked for': 'whose labels ask for the VIP no more',
  'weight 0': 'whose labels ask for weight 0',
  'not near': 'not the nearest, by the zones that the sources tell now',
};

/** Why a backend would leave the rotation. */
export function lossText(reason: LossReason): string {
  return OF_ONE[reason];
}

const OF_ONE: Readonly<Record<LossReason, string>> = {
  missing: 'its task is missing from what the source tells',
  'health lost': 'its health results are lost',
  unhealthy: 'its health check fails, as those of most at once',
  unreachable: 'its task is unreachable, as most at once',
  staging: 'its task is staging, as most at once',
  'not asked for': 'its task runs on, and its labels do not ask for this VIP any more',
  'weight 0': 'its labels ask for weight 0, as those of most at once',
  'not near': 'others are nearer, by the zones that the sources tell now',
};
