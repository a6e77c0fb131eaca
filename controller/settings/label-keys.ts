/**
 * The keys of the labels that this program reads, and keys that were probably meant to be one. Shared by the sources, which
 * know all labels of an app, and by the stage that reads the labels of ports.
 */

import { OPTIONS } from './label-options.ts';
import { asItLooks, withI, withVip } from './look-alikes.ts';

/** Keys of the labels beside a VIP label. */
export const OPTION_KEYS: readonly string[] = Object.values(OPTIONS).map(({ label }) => label);

/** Whether a port's label declares a VIP: as in dcos-net, when its key starts with `VIP` or `vip`. */
export function isVipLabel(key: string): boolean {
  return key.startsWith('VIP') || key.startsWith('vip');
}

/** Whether a port was made from a label of the task itself (`at` is `labels.vip_PORT0`), whose value includes the protocol. */
export function isTaskLabelPort(at: string): boolean {
  return at.startsWith('labels.');
}

/** What a label was meant to be: a VIP, or one of our options. */
export type Meaning = 'vip' | 'ipvs';

/** `VIP_0`, `Vip-0`, `vip0`, `vip_PORT0`, `VIP`, with any separators. */
const VIP_KEY = /^[^a-z0-9]*vip[^a-z0-9]*(port[^a-z0-9]*)?\d{0,5}[^a-z0-9]*$/i;
const VIP_START = /^[^a-z0-9]*vip/i;
/** `ipvs_`, or `ipvs` with the first word of an option right behind it. */
const OPTION_START = new RegExp(
  `^[^a-z0-9]*ipvs([^a-z0-9]|${OPTION_KEYS.map((key) => key.split('_')[1]).join('|')})`,
  'i',
);
/** `/web:80`, `10.1.2.3:80`, `web:80/tcp`. */
const VIP_VALUE = /:\s*\+?\d{1,5}(\/\w+)?\s*$/;

/**
 * What a label with this key and value was meant to be, valid or not; null when it is neither. `among`: in `labels` the key
 * alone decides; elsewhere the value must match, too.
 */
export function meaningOf(key: string, value: unknown, among: 'labels' | 'others'): Meaning | null {
  // Keys are untrusted text of any length, and few of them are VIP or IPVS labels.
  if (key.length > MAX_KEY_LENGTH || !mayBeOurs(key)) return null;
  const looks = asItLooks(key);
  const text = typeof value === 'string' ? value : '';
  const fits = text.length < MAX_VALUE_LENGTH && VIP_VALUE.test(text);
  if (VIP_KEY.test(looks) && (among === 'labels' || fits)) return 'vip';
  const isAlmost = VIP_START.test(looks) || VIP_KEY.test(withI(looks)) || VIP_KEY.test(withVip(looks));
  if (fits && isAlmost) return 'vip';
  // Outside labels, `IPVS_…` may be a setting of another program.
  const isOption = (among === 'labels' && OPTION_START.test(looks)) || nearestOption(key) !== null;
  return isOption ? 'ipvs' : null;
}

/** A cheap check that rules out almost all other keys. */
export function mayBeOurs(key: string): boolean {
  return MAY_BE_OURS.test(key) || (key.length <= MAX_KEY_LENGTH && MAY_BE_OURS.test(asItLooks(key)));
}

const MAY_BE_OURS = /^[^a-z0-9]*(v[il1|!]p|[il1]pv|ips|ivp|ivs|pvs|piv|vps|vpi|vvip|viip)/i;
const MAX_KEY_LENGTH = 200;
const MAX_VALUE_LENGTH = 300;

/** The option that this key was probably meant to be: it differs in at most two letters. Null when there is none. */
export function nearestOption(key: string): string | null {
  if (key.length > MAX_KEY_LENGTH) return null;
  const letters = lettersOf(key);
  if (letters.length > MAX_OPTION_LENGTH || !MAY_BE_OURS.test(letters)) return null;
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

const MAX_OPTION_LENGTH = 40;

function lettersOf(key: string): string {
  return withI(asItLooks(key))
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

/** The edit distance of two words, at most `bound`. */
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
