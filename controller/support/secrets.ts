/** What must not leave the host in a support bundle. */

import { isVipLabel, OPTION_KEYS } from '../label-keys.ts';

/** Shorter ones would blank out parts of ordinary words. */
const SHORTEST = 4;

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
/** `http://user:password@host`: anything but the end of a URL in JSON, YAML or text may stand before the `@`. */
const IN_URL = /(?<!\/)\/\/[^\s"'<>]{0,512}@/g;
const WITH_SCHEME = /\b(Basic|Bearer|token=)\s*[\w.~+/=-]{8,}/gi;
/** `password: x`, `"secret":"x"`, `API_KEY=x`; not `read-token-file: /etc/token`, which only names a file. */
const BY_NAME =
  /((?:passw(?:or)?d|passphrase|secret|token|credentials?|api[-_]?key|access[-_]?key)["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;}"']+)/gi;
/** Begins where no other may have begun: the time is in proportion to the text. */
const WEB_TOKEN = /(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;

/**
 * Makes the function that blanks out secrets in a text: `known` ones wherever they stand, also as JSON, a URL or basic
 * authentication would write them, and whatever looks like one. Rather too much than too little.
 */
export function secretRemover(known: Iterable<string>): (text: string) => string {
  const forms = new Set([...known].filter((secret) => secret.length >= SHORTEST).flatMap(formsOf));
  // The longest first: one may be a part of another.
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const form of longestFirst) clean = clean.replaceAll(form, '***');
    return clean
      .replace(PRIVATE_KEY, '***')
      .replace(IN_URL, '//***@')
      .replace(WITH_SCHEME, '$1 ***')
      .replace(BY_NAME, '$1***')
      .replace(WEB_TOKEN, '***');
  };
}

const LABELS = /"labels":(\{(?:"(?:[^"\\]|\\.)*":"(?:[^"\\]|\\.)*",?)*\})/g;

/**
 * JSON of apps without the values of labels that are none of ours: other programs read passwords from some of them. What a
 * label of ours says is kept.
 */
export function withoutForeignLabels(json: string): string {
  return json.replace(LABELS, (_whole, labels: string) => {
    const kept = Object.entries(JSON.parse(labels)).map(([key, value]) => [key, isOurs(key) ? value : '***']);
    return `"labels":${JSON.stringify(Object.fromEntries(kept))}`;
  });
}

function isOurs(key: string): boolean {
  return isVipLabel(key) || OPTION_KEYS.includes(key);
}

/** The secrets in a file: its whole text, and of `user:password` the password. */
export function secretsIn(text: string): readonly string[] {
  const whole = text.trim();
  const colon = whole.indexOf(':');
  return colon === -1 ? [whole] : [whole, whole.slice(colon + 1)];
}

function formsOf(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  return [secret, json, encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
}
