import type { MassRemoval } from './brake.ts';
import type { LossReason } from './losses.ts';

/** A held mass removal in a line: how much would go, of how much, and why. */
export function heldText({ vips, ofVips, backends, ofBackends, reasons }: MassRemoval): string {
  const why = reasons.map(([reason, count]) => `${count} ${WORDS[reason]}`).join(', ');
  return (
    `${vips} of ${ofVips} VIPs and ${backends} of ${ofBackends} backends in rotation would go at once, ` +
    `and no source says so by name: ${why}`
  );
}

const WORDS: Readonly<Record<LossReason, string>> = {
  missing: 'missing from what the sources tell',
  'health lost': 'without the health results that they had',
  unhealthy: 'unhealthy',
  unreachable: 'unreachable',
  staging: 'staging',
  'not asked for': 'whose labels ask for the VIP no more',
  'weight 0': 'whose labels ask for weight 0',
  'not near': 'not the nearest, by the zones that the sources tell now',
};
