/** Names in the wire format of DNS (RFC 1035, section 3.1). */

/**
 * A name in wire format and lower case, one character for each byte: `\x03web\x08marathon\x00`.
 *
 * Two names are equal exactly if these strings are, and removing the first label gives another name.
 */
export type WireName = string;

const MAX_NAME = 255;

/** Parses a name such as `web.marathon.example`; null if a label is empty or over 63 bytes, or the name over 255. */
export function wireName(text: string): WireName | null {
  let name = '';
  for (const label of text.toLowerCase().split('.')) {
    if (!/^[\x21-\x7e]{1,63}$/.test(label)) return null;
    name += String.fromCharCode(label.length) + label;
  }
  return name.length < MAX_NAME ? `${name}\0` : null;
}

/** `label.name`; null if that is too long for a name. */
export function below(label: string, name: WireName): WireName | null {
  const child = String.fromCharCode(label.length) + label + name;
  return child.length <= MAX_NAME ? child : null;
}

/** The name without its first label. Must not be called for the root. */
export function above(name: WireName): WireName {
  return name.slice(1 + name.charCodeAt(0));
}

export function isRoot(name: WireName): boolean {
  return name.length === 1;
}

/** Whether `name` is `zone` or below it. A common suffix is not enough, since it may start within a label. */
export function isWithin(name: WireName, zone: WireName): boolean {
  let rest = name;
  while (rest.length > zone.length) rest = above(rest);
  return rest === zone;
}
