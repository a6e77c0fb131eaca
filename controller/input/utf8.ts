import { isUtf8 } from 'node:buffer';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes UTF-8, and keeps a byte order mark; null when the bytes are not valid UTF-8. For text that is passed on, where a
 * replacement character would change its meaning (a password, for example).
 */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Why these bytes are no text in UTF-8, with the first byte that is part of no character; null where they are. */
export function utf8Problem(bytes: Uint8Array): string | null {
  if (isUtf8(bytes)) return null;
  const at = wrongByteAt(bytes);
  return `not UTF-8: the byte at offset ${at} (0x${bytes[at]?.toString(16)}) is part of no character`;
}

/** The offset of the first one, where there is one. */
function wrongByteAt(bytes: Uint8Array): number {
  let at = 0;
  // In long steps, which end where a character does, and then character by character.
  for (const step of [1 << 20, 1 << 10]) {
    let end = characterAt(bytes, at + step);
    for (; isUtf8(bytes.subarray(at, end)); end = characterAt(bytes, at + step)) at = end;
  }
  for (let size = 1; size <= MAX_BYTES; size += 1) {
    if (!isUtf8(bytes.subarray(at, at + size))) continue;
    at += size;
    size = 0;
  }
  return at;
}

/** Of one character. */
const MAX_BYTES = 4;

/** Where the character begins that has the byte at this offset. */
function characterAt(bytes: Uint8Array, offset: number): number {
  let start = offset;
  while (start > offset - MAX_BYTES && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return start;
}
