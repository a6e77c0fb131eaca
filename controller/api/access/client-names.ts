import type { X509Certificate } from 'node:crypto';

/** A name in a client certificate: the subject's common name, or a DNS or URI alternative name. */
export interface ClientName {
  readonly kind: 'CN' | 'DNS' | 'URI';
  readonly name: string;
}

/** All names of these kinds in a certificate, without duplicates. */
export function clientNamesOf(certificate: X509Certificate): readonly ClientName[] {
  const { CN = [] } = certificate.toLegacyObject().subject ?? {};
  const common = [CN].flat().map((name) => ({ kind: 'CN', name }) as const);
  const all = [...common, ...alternativeNames(certificate.subjectAltName ?? '')];
  return [...new Map(all.map((one) => [`${one.kind}:${one.name}`, one])).values()];
}

/** Whether one of the names is `listed`; DNS names are compared without regard to case. */
export function isListed(names: readonly ClientName[], listed: readonly string[]): boolean {
  return names.some(({ kind, name }) => {
    if (kind !== 'DNS') return listed.includes(name);
    return listed.some((one) => one.toLowerCase() === name.toLowerCase());
  });
}

/** The most names in a message. */
const MAX_SHOWN = 8;

/** For a message: `CN "operator", DNS "ci.example"`; empty if there are none. */
export function shownNames(names: readonly ClientName[]): string {
  const shown = names.slice(0, MAX_SHOWN).map(({ kind, name }) => `${kind} ${JSON.stringify(name)}`);
  const more = names.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

/**
 * Node quotes a value that contains a separator, as JSON, so that it cannot pass for several names (CVE-2021-44532).
 * Parsing stops at the first entry of any other form.
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
