import type { DesiredState } from '../facts.ts';

/** Returns how to restore what the controller wants on this host. */
export function repairOf({ from }: DesiredState): string {
  return from.kind === 'controller'
    ? 'systemctl reload marathon-ipvs repairs it at once (so does the next full pass), and the log shows what was changed; then find the program that changes it'
    : 'start the controller: systemctl start marathon-ipvs';
}
