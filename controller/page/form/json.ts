/** Reads JSON of unknown shape. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at `key`; an empty one if there is none. */
export function objectAt(json: JsonObject, key: string): JsonObject {
  const value = json[key];
  return isObject(value) ? value : {};
}

/** The objects of the list at `key`. */
export function objectsAt(json: JsonObject, key: string): readonly JsonObject[] {
  const value = json[key];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The string or number at `key` as a string; empty if there is neither. */
export function textAt(json: JsonObject, key: string): string {
  const value = json[key];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The object without these keys. */
export function without(json: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([key]) => !keys.includes(key)));
}

/** An entered number; text that is not a number stays text, so that Marathon rejects it. */
export function numberOf(text: string): number | string {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? value : text;
}
