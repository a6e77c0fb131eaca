/** Names as they stand in DNS messages (RFC 1035, section 3.1). */

/**
 * A name in wire form and lower case, one character for each byte: `\x03web\x08marathon\x00`.
 *
 * Two names are the same exactly if these texts are, whatever bytes their labels hold, and what is left after a
 * label is again a name.
 */
export type WireName = string;

const LONGEST_NAME = 255;

/** The name that `web.marathon.example` writes; null when no name can be so: a label empty or over 63 bytes, or the whole over 255. */
export function wireName(text: string): WireName | null {
  let name = '';
  for (const label of text.toLowerCase().split('.')) {
    if (!/^[\x21-\x7e]{1,63}$/.test(label)) return null;
    name += String.fromCharCode(label.length) + label;
  }
  return name.length < LONGEST_NAME ? `${name}\0` : null;
}

/** `label.name`; null when that is longer than a name can be. */
export function below(label: string, name: WireName): WireName | null {
  const child = String.fromCharCode(label.length) + label + name;
  return child.length <= LONGEST_NAME ? child : null;
}

/** The name without its first label; the root has none above it. */
export function above(name: WireName): WireName {
  return name.slice(1 + name.charCodeAt(0));
}

export function isRoot(name: WireName): boolean {
  return name.length === 1;
}

/** Whether `name` is `zone` or below it. That one text ends like the other does not say so: the end may begin within a label. */
export function isWithin(name: WireName, zone: WireName): boolean {
  let rest = name;
  while (rest.length > zone.length) rest = above(rest);
  return rest === zone;
}
