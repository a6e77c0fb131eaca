/**
 * The labels that this program reads: which keys they have, and which keys were plainly meant to be one. Shared by the
 * sources, which know where a label stands, and by the stage that reads the labels of ports.
 */

import { OPTIONS } from './label-options.ts';

/** The labels beside a VIP label that say how it is balanced. */
export const OPTION_KEYS: readonly string[] = Object.values(OPTIONS).map(({ label }) => label);

/** Whether a port's label declares a VIP: dcos-net looks at the first three characters only, `VIP` or `vip`. */
export function isVipLabel(key: string): boolean {
  return key.startsWith('VIP') || key.startsWith('vip');
}

/** What somebody meant a label to be: a VIP, or how one is balanced. */
export type Meaning = 'vip' | 'ipvs';

/** `VIP_0`, `Vip-0`, `vip0`, `vip_PORT0`, `VIP`, whatever stands between the parts. */
const VIP_KEY = /^[^a-z0-9]*vip[^a-z0-9]*(port[^a-z0-9]*)?\d{0,5}[^a-z0-9]*$/i;
const VIP_START = /^[^a-z0-9]*vip/i;
/** `ipvs_`, or one of our words right behind it. */
const OPTION_START = new RegExp(
  `^[^a-z0-9]*ipvs([^a-z0-9]|${OPTION_KEYS.map((key) => key.split('_')[1]).join('|')})`,
  'i',
);
/** `/web:80`, `10.1.2.3:80`, `web:80/tcp`. */
const VIP_VALUE = /:\s*\+?\d{1,5}(\/\w+)?\s*$/;

/**
 * What a label of this key and value was meant to be, whether or not it is read so; null where it is nothing of ours.
 * `among`: whether it stands among labels, where the key alone says it; anything else must have a value to match.
 */
export function meaningOf(key: string, value: unknown, among: 'labels' | 'others'): Meaning | null {
  // Keys are foreign text of any length, and almost all of them are something else.
  if (key.length > LONGEST_KEY || !mayBeOurs(key)) return null;
  const text = typeof value === 'string' ? value : '';
  const fits = text.length < LONGEST_VALUE && VIP_VALUE.test(text);
  if (VIP_KEY.test(key) && (among === 'labels' || fits)) return 'vip';
  if (VIP_START.test(key) && fits) return 'vip';
  // Elsewhere `IPVS_…` may well be a setting of another program.
  const isOption = (among === 'labels' && OPTION_START.test(key)) || nearestOption(key) !== null;
  return isOption ? 'ipvs' : null;
}

/** Whether it is worth a second look: almost all keys are something else. */
export function mayBeOurs(key: string): boolean {
  return MAY_BE_OURS.test(key);
}

const MAY_BE_OURS = /^[^a-z0-9]*(vip|ipv|ips|ivp|ivs|pvs|piv|vps)/i;
const LONGEST_KEY = 200;
const LONGEST_VALUE = 300;

/** The option that this key was meant to be: the same letters, or all but two of them. Null where there is none. */
export function nearestOption(key: string): string | null {
  const letters = lettersOf(key);
  if (letters.length > LONGEST_OPTION || !MAY_BE_OURS.test(letters)) return null;
  let nearest: string | null = null;
  let least = 3;
  for (const option of OPTION_KEYS) {
    const distance = distanceOf(letters, lettersOf(option), least);
    if (distance < least) {
      nearest = option;
      least = distance;
    }
  }
  return nearest;
}

const LONGEST_OPTION = 40;

function lettersOf(key: string): string {
  return key.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** How many letters must be put in, taken out or exchanged; `bound` where it is that many or more. */
function distanceOf(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) >= bound) return bound;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const exchange = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(exchange, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return Math.min(bound, row[b.length] ?? bound);
}
