/**
 * A copy of a map of thousands of entries, of which a pass makes several. `new Map(map)` makes an array of each entry on
 * the way: three times as much garbage, and half as much time again.
 */
export function copyOf<Key, Value>(map: ReadonlyMap<Key, Value>): Map<Key, Value> {
  const copy = new Map<Key, Value>();
  map.forEach((value, key) => {
    copy.set(key, value);
  });
  return copy;
}
