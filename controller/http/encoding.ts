import { unzip } from '../unzip.ts';
import { Failure } from './failure.ts';

/**
 * Undoes the `Content-Encoding` of a body, piece by piece. Names of encodings are written in any case, and `x-gzip` is
 * `gzip` (RFC 9110, 8.4.1). Throws a `Failure` for what was not asked for.
 */
export function decodedBody(
  body: AsyncIterable<Uint8Array>,
  header: string | string[] | undefined,
): AsyncIterable<Uint8Array> {
  const encodings = encodingsOf(header);
  if (encodings.length === 0) return body;
  if (encodings.length === 1 && (encodings[0] === 'gzip' || encodings[0] === 'x-gzip')) return unzip(body);
  throw unknownEncoding(encodings, 'gzip or none');
}

/** Why a stream with this `Content-Encoding` cannot be read as it comes; null where it has none. */
export function encodedStream(header: string | string[] | undefined): Failure | null {
  const encodings = encodingsOf(header);
  return encodings.length === 0 ? null : unknownEncoding(encodings, 'none');
}

/** In the order in which they were applied; `identity` is none. */
function encodingsOf(header: string | string[] | undefined): readonly string[] {
  return [header ?? []]
    .flat()
    .flatMap((line) => line.split(','))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
}

function unknownEncoding(encodings: readonly string[], accepted: string): Failure {
  const sent = encodings.join(', ').slice(0, 100);
  return new Failure(
    `the answer has Content-Encoding "${sent}", expected ${accepted}: a proxy on the way may have added it`,
    'later',
  );
}
