const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text that these bytes are in UTF-8, with its byte order mark if it has one; null where they are none. For what is handed on:
 * a byte that no character begins with would become another character, in a password perhaps.
 */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
