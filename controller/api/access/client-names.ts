import type { X509Certificate } from 'node:crypto';

/** A name that a client's certificate is for: its subject's common name, or an alternative name of these kinds. */
export interface ClientName {
  readonly kind: 'CN' | 'DNS' | 'URI';
  readonly name: string;
}

/** All of them, each once; empty where there is none, whatever else the certificate is for. */
export function clientNamesOf(certificate: X509Certificate): readonly ClientName[] {
  const { CN = [] } = certificate.toLegacyObject().subject ?? {};
  const common = [CN].flat().map((name) => ({ kind: 'CN', name }) as const);
  const all = [...common, ...alternativeNames(certificate.subjectAltName ?? '')];
  return [...new Map(all.map((one) => [`${one.kind}:${one.name}`, one])).values()];
}

/** Whether one of the names is `listed`: to the letter, but without regard to case for a DNS name, as DNS has it. */
export function isListed(names: readonly ClientName[], listed: readonly string[]): boolean {
  return names.some(({ kind, name }) => {
    if (kind !== 'DNS') return listed.includes(name);
    return listed.some((one) => one.toLowerCase() === name.toLowerCase());
  });
}

/** As many as a message has room for. */
const MOST_SHOWN = 8;

/** For a message: `CN "operator", DNS "ci.example"`; empty where there is none. */
export function shownNames(names: readonly ClientName[]): string {
  const shown = names.slice(0, MOST_SHOWN).map(({ kind, name }) => `${kind} ${JSON.stringify(name)}`);
  const more = names.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

/**
 * Node puts a value that has a separator in it in quotes, as JSON, so that it cannot pass for several names
 * (CVE-2021-44532). Whatever follows something of another form is left out.
 */
const ALTERNATIVE_NAME =
  /(?:^|, )([A-Za-z ]+):((?:[^",]|"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")*)(?=, |$)/guy;

const QUOTED = /^"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"$/u;

function alternativeNames(text: string): ClientName[] {
  return [...text.matchAll(ALTERNATIVE_NAME)].flatMap(([, kind, value = '']) => {
    if (kind !== 'DNS' && kind !== 'URI') return [];
    return [{ kind, name: QUOTED.test(value) ? String(JSON.parse(value)) : value }];
  });
}
