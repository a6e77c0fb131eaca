/** Formats numbers, times and names for people. */

import type { VipState } from '../status/document.ts';
import { short } from '../status/format.ts';

export {
  ago,
  decisionText,
  duration,
  plural,
  reasonText,
  serviceDecisionText,
  short,
  spreadText,
  unevenText,
} from '../status/format.ts';

/** `1.2M/s`; `-` if it is not known. */
export function rate(perSecond: number | null, unit = ''): string {
  return perSecond === null ? '-' : `${short(perSecond)}${unit}/s`;
}

/** `14:03:07` in the browser's time zone, preceded by the date if that differs from the date of `now`. */
export function moment(instant: string, now: string): string {
  const at = new Date(instant);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const sameDay = at.toDateString() === new Date(now).toDateString();
  return sameDay ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function endpoint({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The title of a VIP: its DNS name, or its address. */
export function title(vip: { readonly fqdn: string | null; readonly address: string | null }): string {
  return vip.fqdn ?? vip.address ?? 'no address yet';
}

/** Most severe first, for sorting and for the filter. */
export const STATES: readonly VipState[] = [
  'conflict',
  'pending',
  'held',
  'out of rotation',
  'no backend',
  'draining',
  'forwarding',
];

/** The colour of a state; it is always shown with the state's name. */
export function tone(state: VipState): 'good' | 'attention' | 'bad' {
  if (state === 'forwarding') return 'good';
  return state === 'conflict' || state === 'pending' || state === 'out of rotation' ? 'bad' : 'attention';
}
