import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { knownSecretRemover, secretsIn } from '../../../controller/support/known-secrets.ts';

const json = (text: string) => JSON.stringify(text).slice(1, -1);
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** How others write a secret, and read it back. */
const FORMS: Readonly<Record<string, (secret: string) => string>> = {
  plain: (secret) => secret,
  JSON: json,
  'JSON in JSON': (secret) => json(json(secret)),
  'JSON with escaped letters': (secret) =>
    secret.replace(
      /[^\w]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`,
    ),
  URL: encodeURIComponent,
  'URL twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'URL in lower case': (secret) => encodeURIComponent(secret).replace(/%../g, (octet) => octet.toLowerCase()),
  form: (secret) => String(new URLSearchParams({ x: secret })).slice(2),
  HTML: (secret) =>
    secret.replace(
      /[&<>"']/g,
      (character) =>
        ({ '&': '&amp;', '<': '&lt;', '"': '&quot;' })[character] ?? `&#${character.charCodeAt(0)};`,
    ),
  base64,
  'base64 of a pair': (secret) => base64(`marathon:${secret}`),
  'base64 of a longer pair': (secret) => base64(`marathon1:${secret}`),
  'base64 of a longest pair': (secret) => base64(`marathon12:${secret}`),
  'base64 for URLs': (secret) => Buffer.from(`me:${secret}`).toString('base64url'),
  'base64 in a URL': (secret) => encodeURIComponent(base64(`me:${secret}`)),
  hexadecimal: (secret) => Buffer.from(secret).toString('hex'),
};

describe('a known secret is removed in every encoding', () => {
  // Half surrogates are no text that a file has.
  const secrets = fc.string({ unit: 'grapheme', minLength: 6, maxLength: 40 });
  test.each(Object.entries(FORMS))('%s', (_, form) => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const clean = knownSecretRemover([secret])(`before<${form(secret)}>after`);
        expect(clean).toMatch(/^before<[\w+/=%-]{0,16}\*\*\*[\w+/=%-]{0,3}>after$/);
      }),
    );
  });
});

test('a short secret stays, since it may be part of any word', () => {
  expect(knownSecretRemover(['abc', ''])('abc')).toBe('abc');
});

test('a secret that starts like another is removed completely', () => {
  expect(knownSecretRemover(['secret', 'secret-2'])('a secret-2 b secret c')).toBe('a *** b *** c');
});

test.each([
  ['token\n', ['token', 'token']],
  ['marathon:s3cret:x\n', ['marathon:s3cret:x', 'marathon:s3cret:x', 's3cret:x']],
  ['first\r\nsecond\n', ['first\r\nsecond', 'first', 'second']],
  ['\n', []],
])('%j holds %j', (text, expected) => {
  expect(secretsIn(text)).toEqual(expected);
});
