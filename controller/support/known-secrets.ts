/** Secrets whose text is known: what the files hold that options name. */

/** Shorter ones would blank out parts of ordinary words. */
const SHORTEST = 4;
/** A base64 text that is shorter may well be something else. */
const SHORTEST_BASE64 = 5;

/**
 * Makes the function that replaces `known` secrets by `***` wherever they stand and however they are written: as they are,
 * as a part of JSON (also of JSON within JSON), of a URL, of HTML, of base64 (basic authentication), or in hexadecimal.
 */
export function knownSecretRemover(known: Iterable<string>): (text: string) => string {
  const secrets = [...new Set(known)].filter((secret) => secret.length >= SHORTEST);
  if (secrets.length === 0) return (text) => text;
  // The longest first: one may be a part of another.
  const longestFirst = secrets.sort((a, b) => b.length - a.length);
  const any = new RegExp(longestFirst.flatMap(formsOf).join('|'), 'g');
  return (text) => text.replace(any, '***');
}

/** The secrets in a file: its text, each of its lines, and of a line `user:password` the password. */
export function secretsIn(text: string): readonly string[] {
  const whole = text.trim();
  const lines = whole.split(/\r\n|\n|\r/).map((line) => line.trim());
  return [
    whole,
    ...lines.filter((line) => !line.startsWith('-----')).flatMap((line) => [line, passwordOf(line)]),
  ].filter((secret) => secret !== '');
}

function passwordOf(line: string): string {
  const colon = line.indexOf(':');
  return colon === -1 ? '' : line.slice(colon + 1).trim();
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex').replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
  const url = formed(encodeURIComponent(secret));
  return [formed(secret), url, hex, ...base64Of(bytes)];
}

/** What three places of a secret within a base64 text have in common with any such text. */
function base64Of(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const certain = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return certain.length < SHORTEST_BASE64 ? [] : [`${formed(certain, 'base64')}(?:[\\w+/=-]|%3[dD])*`];
  });
}

/** A pattern of a text, in which each character may be escaped as JSON, a URL or HTML would have it. */
function formed(text: string, kind: 'text' | 'base64' = 'text'): string {
  return Array.from(text, (character) => formsOfCharacter(character, kind)).join('');
}

function formsOfCharacter(character: string, kind: 'text' | 'base64'): string {
  if (/[A-Za-z0-9]/.test(character)) return character;
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  const forms = [
    `\\\\*${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}`,
    units.map((unit) => `\\\\+u${anyCase(unit.toString(16).padStart(4, '0'))}`).join(''),
    Array.from(Buffer.from(character), (byte) => `%(?:25)*${anyCase(hexOf(byte))}`).join(''),
    `&#(?:${character.codePointAt(0)}|[xX]0*${anyCase((character.codePointAt(0) ?? 0).toString(16))});`,
    ...(OTHER_FORMS[character] ?? []),
    ...(kind === 'base64' && character === '+' ? ['-'] : []),
    ...(kind === 'base64' && character === '/' ? ['_'] : []),
  ];
  return `(?:${forms.join('|')})`;
}

const OTHER_FORMS: Readonly<Record<string, readonly string[]>> = {
  '\n': ['\\\\+n'],
  '\r': ['\\\\+r'],
  '\t': ['\\\\+t'],
  '\\': ['\\\\+'],
  ' ': ['\\+'],
  '"': ['&quot;'],
  "'": ['&apos;'],
  '&': ['&amp;'],
  '<': ['&lt;'],
  '>': ['&gt;'],
};

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function anyCase(hex: string): string {
  return hex.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}
