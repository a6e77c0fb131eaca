/**
 * The JSON of an object with these fields. An object with thousands of fields of its own would only be made to be
 * written, and costs V8 twenty times as much as its text.
 */
export function jsonOfMap(fields: Iterable<readonly [string, unknown]>): string {
  const texts = Array.from(fields, ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${texts.join(',')}}`;
}
