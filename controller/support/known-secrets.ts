/** Removes secrets whose text is known, such as those in files that options name. */

/** Shorter secrets would match parts of ordinary words. */
const MIN_LENGTH = 4;
/** A shorter base64 fragment may be something else. */
const MIN_BASE64_LENGTH = 5;

/**
 * Creates a function that replaces the `known` secrets by `***` in every encoding: plain, JSON (also nested), URL, HTML, base64
 * (basic authentication) and hexadecimal.
 */
export function knownSecretRemover(known: Iterable<string>): (text: string) => string {
  const secrets = [...new Set(known)].filter((secret) => secret.length >= MIN_LENGTH);
  if (secrets.length === 0) return (text) => text;
  // Longest first, since one may be part of another.
  const longestFirst = secrets.sort((a, b) => b.length - a.length);
  const any = new RegExp(longestFirst.flatMap(formsOf).join('|'), 'g');
  return (text) => text.replace(any, '***');
}

/** Returns the secrets in a file: the whole text, each line, and the password of a line `user:password`. */
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

/** Base64 encodings of the secret at each of the three possible alignments, without the characters that depend on neighbours. */
function base64Of(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const certain = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return certain.length < MIN_BASE64_LENGTH ? [] : [`${formed(certain, 'base64')}(?:[\\w+/=-]|%3[dD])*`];
  });
}

/** A pattern for a text in which each character may be escaped as in JSON, a URL or HTML. */
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
