/** Text about a held mass removal. */

import type { LossReason } from './losses.ts';
import type { MassRemoval } from './mass.ts';

/** One line: how much would be removed, of how much, and why. */
export function heldText({ vips, ofVips, backends, ofBackends, reasons, recent = 0 }: MassRemoval): string {
  const why = reasons.map(([reason, count]) => `${count} ${OF_MANY[reason]}`).join(', ');
  const after = recent > 0 ? ` (after ${recent} shortly before)` : '';
  return (
    `${vips} of ${ofVips} VIPs and ${backends} of ${ofBackends} backends in rotation would be removed at once${after}, ` +
    `and no source names them: ${why}`
  );
}

const OF_MANY: Readonly<Record<LossReason, string>> = {
  missing: 'missing from the sources',
  'health lost': 'without the health results that they had',
  unhealthy: 'unhealthy',
  unreachable: 'unreachable',
  staging: 'staging',
  'not asked for': 'whose labels no longer declare the VIP',
  'weight 0': 'with weight 0 by label',
  'not near': 'not the nearest, by the zones that the sources now report',
};

/** Why a backend would leave the rotation. */
export function lossText(reason: LossReason): string {
  return OF_ONE[reason];
}

const OF_ONE: Readonly<Record<LossReason, string>> = {
  missing: 'its task is missing from the source',
  'health lost': 'its health results are lost',
  unhealthy: 'its health check fails, as for most backends at once',
  unreachable: 'its task is unreachable, as most tasks at once',
  staging: 'its task is staging, as most tasks at once',
  'not asked for': 'its task still runs, but its labels no longer declare this VIP',
  'weight 0': 'a label sets its weight to 0, as for most backends at once',
  'not near': 'others are nearer, by the zones that the sources now report',
};
