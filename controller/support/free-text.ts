/**
 * Removes secrets from text without a known structure, such as error messages and the output of other programs. No list of
 * patterns is complete, so our own documents are filtered by their fields instead (`shape.ts`), and here anything that may be a
 * secret is removed: an unquoted value extends to the end of its line.
 */

/** `"`, `\"` in nested JSON, or its HTML or URL encoding. */
const QUOTE = String.raw`(?:\\*["'\`]|&quot;|&#3[49];|%2[27])`;
const NAME = `(?:passwd|passwor[dt]|passphrase|passcode|passkey|secret|token|credential|cookie|authorization|session|signature|jwt|bearer|(?:api|access|private)[-_. ]?key|connection[-_. ]?string|(?:pass|pwd?|psw|auth|sig|key|pin|otp|salt|hmac|dsn|creds?)(?![a-z]))`;
/** The rest of such a name: `_PROD`. Excludes `…-token-file`, which only names a file, and paths such as `/etc/read-token: `. */
const REST_OF_NAME = String.raw`(?![\w.-]{0,80}(?:file|path|dir|directory)(?![\w.-]))(?!(?<=(?:^|[\s"'(])\/[\w.-]{1,80}\/[\w./-]{1,200})[\w.-]{0,80}: )[\w.-]{0,80}`;
/** Free-form fields of an app or a pod. */
const FREE_FORM = String.raw`(?<![\w.-])(?:env|environment|cmd|command|args|arguments|uris?|fetch|labels|parameters)(?![\w.-])`;
const SEPARATOR = String.raw`(?:${QUOTE}?[\])]?[ \t]*(?:=>|:=|[:=]|%3[ad])|>)[ \t]*`;
/** `"PASSWORD","value":"x"`, `("password", "x")`, `name="password" value="x"`, and `value: x` on the next line. */
const NEXT_VALUE = String.raw`${QUOTE}?[ \t]*\r?\n[ \t]*value:[ \t]*|${QUOTE}[ \t]*,\s{0,80}(?:${QUOTE}type${QUOTE}[ \t]*:[ \t]*${QUOTE}\w{1,20}${QUOTE}[ \t]*,\s{0,80})?(?:${QUOTE}value${QUOTE}[ \t]*:[ \t]*)?(?=${QUOTE})|${QUOTE}[ \t]+value[ \t]*=[ \t]*(?=${QUOTE})`;
/** Up to the quote with the same escaping as the first one, and whatever is joined to it: `'ab'cd`. */
const QUOTED = String.raw`(?<escapes>\\*)(?<quote>["'\`])(?:(?!(?<!\\)\k<escapes>\k<quote>)[^\r\n])*\k<escapes>\k<quote>[^\s,;}\])\\]*`;
/** A value on the lines below its name, as in YAML. */
const BELOW = String.raw`(?:[|>][+-]?|[[{(]|[&!]\S{1,80})?[ \t]*(?:\r?\n(?:[ \t]+|-[ \t]+)\S[^\r\n]*)+`;
const LINE = String.raw`[^\r\n]*`;

/** `password: x`, `"secret":"x"`, `API_KEY=x`, `Authorization: …`, `"env":{…}`. */
const NAMED = new RegExp(
  `(?<name>(?:${NAME}${REST_OF_NAME}|${FREE_FORM})(?:${SEPARATOR}|${NEXT_VALUE}))(?:${QUOTED}|${BELOW}|${LINE})`,
  'gi',
);
/** `--password x`, `-u user:x`. */
const FLAG = new RegExp(
  String.raw`(?<name>(?<![\w-])(?:--?[\w-]{0,80}?${NAME}${REST_OF_NAME}[ \t]+|(?:-u|--user|--proxy-user)[ \t=]*(?=[^\s:]{1,200}:)))${LINE}`,
  'gi',
);
/**
 * Passwords after a short option of a program known for it, with or without a space: `mysql -px`, `redis-cli -a x`. Numbers stay,
 * since in ipvsadm's notation `-p 300` is the persistence of a VIP.
 */
const CLIENT = new RegExp(
  String.raw`(?<name>(?<![\w.-])(?:(?:(?:mysql|mariadb)[a-z_-]{0,20}|mycli|sshpass|7z[ar]?|mongo[a-z]{0,12}|cqlsh|rabbitmqadmin)[ \t][^\r\n]{0,400}?(?<!\S)-p|(?:redis-cli|valkey-cli)[ \t][^\r\n]{0,400}?(?<!\S)-a|ldap[a-z]{3,9}[ \t][^\r\n]{0,400}?(?<!\S)-w|(?:sqlcmd|bcp|isql)[ \t][^\r\n]{0,400}?(?<!\S)-P)[ \t]*)(?![ \t\d.:]*(?:[ \t]|$))${LINE}`,
  'gim',
);
/** `-px7` of any program, unless it looks like a port, an address or a word. */
const GLUED =
  /(?<name>(?<![\w-])-p)(?![\d.:,[\]/-]+(?:tcp|udp|sctp)?(?:\s|$))(?=[^\s;,)"']{0,200}[\dA-Z!@#$%^&*+=~?])\S+/g;
/** `value="x" name="password"`, also in JSON and YAML: a value before the name that shows it to be a secret. */
const BEFORE_NAME = new RegExp(
  String.raw`(?<name>(?<![\w.-])value${QUOTE}?[ \t]*[:=][ \t]*)(?:(?<escapes>\\*)(?<quote>["'\`])(?:(?!(?<!\\)\k<escapes>\k<quote>)[^\r\n]){0,1000}\k<escapes>\k<quote>|(?!${QUOTE})[^\r\n]{1,1000}?)(?=(?:[ \t]{0,80}\r?\n?[ \t]{0,80},\s{0,80}|[ \t]{1,80}|[ \t]{0,80}\r?\n[ \t]{1,80})(?:${QUOTE}?type${QUOTE}?[ \t]*[:=][ \t]*${QUOTE}?\w{1,20}${QUOTE}?[\s,]{1,80})?${QUOTE}?(?:name|key)${QUOTE}?[ \t]*[:=][ \t]*${QUOTE}?[\w.-]{0,80}?${NAME})`,
  'gi',
);
/** `x is the password`. */
const SAID_AFTER = new RegExp(
  String.raw`(?<!\S)(?=[^\s\d+=!$%^&*#]{0,200}[\d+=!$%^&*#])[^\s]{6,200}(?=[ \t]+(?:is|was|as)[ \t]+(?:(?:a|the|my|your|our|its)[ \t]+)?(?:[\w-]{1,30}[ \t]+)?(?:${NAME})(?![\w-]))`,
  'gi',
);
/** `login me password x`, if `x` does not look like an ordinary word. */
const SAID = new RegExp(
  String.raw`(?<name>${NAME}s?[ \t]+(?:(?:is|was)[ \t]+)?)(?=[^\s\d+=!$%^&*#]{0,200}[\d+=!$%^&*#])\S+`,
  'gi',
);
const SCHEME =
  /(?<name>\b(?:Basic|Bearer|Negotiate|NTLM|token=)\s*|\bDigest\s+(?=\w+=))(?:(?<=Digest\s+)[^\r\n]*|[\w.~+/=-]{8,})/gi;
/** `http://user:password@host`, with anything but whitespace before the `@`. Not for file URLs, which may contain `@scope`. */
const IN_URL = /(?<!file:\/?)(?<!\/)\/\/\S{0,1024}@/g;
/** `user:password@host` without `//`, as in scp commands and data source names. */
const BEFORE_HOST = /(?<![^\s"'=(,<])([^\s:/@"'=]{1,64}:)[^\s@/]{1,256}@(?=[\w[(])/g;
const QUERY = /(\bhttps?:\/\/[^\s?"'<>\\]{1,1024}\?)[^\s"'<>\\]+/gi;
/** Password hashes of /etc/shadow and .htpasswd. */
const HASH = /\$(?:1|2[aby]|5|6|7|y|apr1|argon2\w+)\$[^\s:"']+/g;
/** The excerpt in V8's error about malformed JSON. */
const SNIPPET = /, (?:\.\.\.)?"[\s\S]{1,80}?"(?:\.\.\.)? is not valid JSON/g;
/**
 * A JSON Web Token, tokens with the prefix of a well-known service (Amazon, GitHub, GitLab, Slack, Vault), and any long word that
 * mixes both cases and digits. The lookbehind keeps matching linear in the length of the text.
 */
const WORD =
  /(?<![\w+=-])(?:eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?:AKIA|ASIA)[0-9A-Z]{12,}|gh[a-z]_\w{16,}|github_pat_\w{16,}|gl[a-z]{2,6}-[\w-]{16,}|xox[a-z]-[\w-]{8,}|hv[a-z]\.[\w-]{16,}|(?=[\w+=-]{0,200}[a-z])(?=[\w+=-]{0,200}[A-Z])(?=[\w+=-]{0,200}\d)[\w+=-]{24,})/g;

const SECRET_NAME = new RegExp(`${NAME}${REST_OF_NAME}$`, 'i');

/** Whether a field of this name is likely to hold a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Replaces everything in a text that may be a secret, preferring too much over too little. */
export function withoutSecrets(text: string): string {
  return withoutPrivateKeys(text)
    .replace(SNIPPET, ', *** is not valid JSON')
    .replace(BEFORE_NAME, '$<name>***')
    .replace(SAID_AFTER, '***')
    .replace(CLIENT, '$<name>***')
    .replace(NAMED, '$<name>***')
    .replace(FLAG, '$<name>***')
    .replace(SAID, '$<name>***')
    .replace(GLUED, '$<name>***')
    .replace(SCHEME, '$<name>***')
    .replace(IN_URL, '//***@')
    .replace(BEFORE_HOST, '$1***@')
    .replace(QUERY, '$1***')
    .replace(HASH, '***')
    .replace(WORD, '***');
}

/** A key on a single line, as in JSON or a shell command. */
const KEY_IN_LINE =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?:(?!-----BEGIN )[^\n])*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const KEY_BEGINS = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[^\n]*$/;
const KEY_ENDS = /^.*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
/** A line of a key, possibly after the prefix of a log line. */
const KEY_LINE = /(?:^|\s)(?:(?:Proc-Type|DEK-Info|Version|Comment):[^\n]*|[A-Za-z0-9+/=]+)\s*$/;

/** Removes private keys. A key without an end, as in a truncated text, extends as far as lines look like one. */
function withoutPrivateKeys(text: string): string {
  if (!text.includes('PRIVATE KEY')) return text;
  let isInside = false;
  const lines = text.replace(KEY_IN_LINE, '***').split('\n');
  return lines
    .map((line) => {
      if (!isInside) {
        isInside = KEY_BEGINS.test(line);
        return line.replace(KEY_BEGINS, '***');
      }
      isInside = !KEY_ENDS.test(line) && (KEY_LINE.test(line) || line.trim() === '');
      return line.replace(KEY_ENDS, '').replace(KEY_LINE, ' ***').trimStart();
    })
    .join('\n');
}
