/**
 * Keys that look like another one: copied from a chat or a document, or typed with another keyboard. They match no known key,
 * although a reader sees no difference.
 */

/** The letters of Cyrillic, Greek and Turkish that look like those of our keys; compatibility forms are left to Unicode. */
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  [
    ['АВСDЕҒԌНІЈКМОРԚЅТХУԜѴ', 'ABCDEFGHIJKMOPQSTXYWV'],
    ['авсԁеіјорԛѕтхуԝѵ', 'abcdeijopqstxywv'],
    ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'ABEZHIKMNOPTYX'],
    ['αινορυχ', 'aivopux'],
    ['ӀıſƖ', 'IisI'],
  ].flatMap(([from = '', to = '']) => [...from].map((letter, at) => [letter, to[at] ?? ''] as const)),
);

const NOT_PLAIN = /[^ -~]/u;
/** Invisible characters, and what is drawn on top of a letter. */
const NO_LETTERS = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{M}]/gu;

/** The key as a reader sees it, in ASCII as far as possible. A plain key is itself. */
export function asItLooks(key: string): string {
  if (!NOT_PLAIN.test(key)) return key;
  const letters = key.normalize('NFKD').replace(NO_LETTERS, '');
  return Array.from(letters, (letter) => LOOK_ALIKES.get(letter) ?? letter).join('');
}

const LIKE_I = /^([^a-z0-9]*v?)([l1|!])(?=p)/i;

/** The key with an I where `VIP` or `IPVS` has one and the key has `l`, `1`, `|` or `!`: `VlP_0` is `VIP_0`. */
export function withI(key: string): string {
  return key.replace(LIKE_I, '$1I');
}

/** A whole key: `VPI_0`. Other orders and lengths begin names of other things (`IPV4`, `VP`). */
const SWAPPED = /^([^a-z0-9]*)(vpi|ivp|vvip|viip)(?=[^a-z0-9]*(?:port[^a-z0-9]*)?\d{0,5}[^a-z0-9]*$)/i;

/** The key with VIP where two of its letters are swapped, or one is typed twice: `VPI_0` is `VIP_0`. */
export function withVip(key: string): string {
  return key.replace(SWAPPED, '$1VIP');
}

/**
 * The reason why a key is not used, followed by the characters in it that only look like those of a known key: `…; it has U+0406,
 * which is not ASCII`, `…; it has "l" in place of "I"`. The reason alone if there are none.
 */
export function withLookAlikes(reason: string, key: string): string {
  const found = notPlain(key) ?? likeI(key) ?? swapped(key);
  if (found === null) return reason;
  return reason.endsWith('?') ? `${reason} It has ${found}` : `${reason}; it has ${found}`;
}

function likeI(key: string): string | null {
  const [, , letter] = LIKE_I.exec(key) ?? [];
  return letter === undefined ? null : `"${letter}" in place of "I"`;
}

function swapped(key: string): string | null {
  const [, , letters] = SWAPPED.exec(key) ?? [];
  return letters === undefined ? null : `"${letters}" in place of "VIP"`;
}

function notPlain(key: string): string | null {
  const points = new Set(
    Array.from(key)
      .filter((character) => NOT_PLAIN.test(character))
      .map((character) => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`),
  );
  if (points.size === 0) return null;
  const first = [...points].slice(0, MAX_NAMED).join(', ');
  return `${first}${points.size > MAX_NAMED ? ' …' : ''}, which ${points.size === 1 ? 'is' : 'are'} not ASCII`;
}

const MAX_NAMED = 5;
