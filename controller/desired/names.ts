/**
 * DNS names of VIPs, cleaned as dcos-net does it (`mesos_state:label/1` and `domain_frag/1`), so that clients which
 * know a name from DC/OS find it here.
 */

/** RFC 1035: the limit of one label of a DNS name. */
export const MAX_DNS_LABEL_LENGTH = 63;
/** RFC 1035: 255 bytes on the wire, which are 253 characters. */
const MAX_NAME_LENGTH = 253;

/**
 * The DNS form of a VIP's name, a framework's name or a zone: each piece between dots is cleaned by itself. Null when a
 * piece has no letter or digit, or when nothing is left.
 */
export function cleanName(text: string): string | null {
  const pieces = text.split('.').filter((piece) => piece !== '');
  const cleaned = pieces.map(cleanPiece);
  return cleaned.length === 0 || cleaned.includes('') ? null : cleaned.join('.');
}

/**
 * Pieces of a name that cleaning cut, as dcos-net cuts them: to the 63 characters that DNS allows. Another name that begins
 * alike may become the same.
 */
export function cutPieces(text: string): readonly string[] {
  if (text.length <= MAX_DNS_LABEL_LENGTH) return [];
  return text.split('.').flatMap((piece) => {
    const cut = cleanPiece(piece);
    return cut === withoutTrailingDashes(plainPiece(piece)) ? [] : [cut];
  });
}

/** `my-service` of `marathon` in `l4lb.thisdcos.directory`, all cleaned; null when that is too long for DNS. */
export function fullyQualified(name: string, framework: string, zone: string): string | null {
  const fqdn = `${name}.${framework}.${zone}`;
  return fqdn.length <= MAX_NAME_LENGTH ? fqdn : null;
}

/** Cleaned but not yet cut: of any length, and with trailing dashes. */
function plainPiece(piece: string): string {
  // ASCII only: `toLowerCase` would turn a Kelvin sign into a letter that dcos-net drops.
  const letters = piece.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return letters
    .replace(/^[^a-z0-9]+/, '')
    .replaceAll('_', '-')
    .replace(/[^a-z0-9-]/g, '');
}

function cleanPiece(piece: string): string {
  const plain = plainPiece(piece);
  if (plain.length <= MAX_DNS_LABEL_LENGTH) return withoutTrailingDashes(plain);

  const head = withoutTrailingDashes(plain.slice(0, MAX_DNS_LABEL_LENGTH));
  const rest = plain.slice(MAX_DNS_LABEL_LENGTH).replaceAll('-', '');
  return head + rest.slice(0, MAX_DNS_LABEL_LENGTH - head.length);
}

/** A loop, since a regular expression for this takes quadratic time on many dashes. */
function withoutTrailingDashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '-') end--;
  return text.slice(0, end);
}
