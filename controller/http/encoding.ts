import { Failure } from './failure.ts';
import { unzip } from './unzip.ts';

/**
 * Decodes the `Content-Encoding` of a body, piece by piece. Names of encodings are not case-sensitive, and `x-gzip` means
 * `gzip` (RFC 9110, 8.4.1). Throws a `Failure` for any other encoding.
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

/** The failure for a stream with a `Content-Encoding`, which cannot be read as it arrives; null without one. */
export function streamEncodingFailure(header: string | string[] | undefined): Failure | null {
  const encodings = encodingsOf(header);
  return encodings.length === 0 ? null : unknownEncoding(encodings, 'none');
}

/** The encodings in the order in which they were applied, without `identity`. */
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
    `the answer has Content-Encoding "${sent}", expected ${accepted}: a proxy in between may have added it`,
    'later',
  );
}
