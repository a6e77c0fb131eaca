import type { Known } from '../facts.ts';

/** What puts this host back to what the controller wants. */
export function repairOf({ from }: Known): string {
  return from.kind === 'controller'
    ? 'systemctl reload marathon-ipvs puts it right at once (its next full pass does too), and its log tells what was changed; then find the program that changes it'
    : 'start the controller: systemctl start marathon-ipvs';
}
