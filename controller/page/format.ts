/** Numbers, times and names as people read them. */

import type { VipState } from '../status/document.ts';
import { short } from '../status/words.ts';

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
} from '../status/words.ts';

/** `1.2M/s`; `-` where it is not known. */
export function rate(perSecond: number | null, unit = ''): string {
  return perSecond === null ? '-' : `${short(perSecond)}${unit}/s`;
}

/** `14:03:07`, with the date in front on another day than `now`: as the browser's own clock has them. */
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

/** How a VIP is called: its DNS name, or its address. */
export function title(vip: { readonly fqdn: string | null; readonly address: string | null }): string {
  return vip.fqdn ?? vip.address ?? 'no address yet';
}

/** The gravest first: so they are sorted, and so the filter lists them. */
export const STATES: readonly VipState[] = [
  'conflict',
  'pending',
  'held',
  'out of rotation',
  'no backend',
  'draining',
  'forwarding',
];

/** How a state looks; words say it too. */
export function tone(state: VipState): 'good' | 'attention' | 'bad' {
  if (state === 'forwarding') return 'good';
  return state === 'conflict' || state === 'pending' || state === 'out of rotation' ? 'bad' : 'attention';
}
