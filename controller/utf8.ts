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
