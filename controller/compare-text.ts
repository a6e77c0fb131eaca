/** Compares by code units, for `sort`: the order is the same on every host, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
