import { compareText } from '../compare.ts';
import type { Rejection } from '../model/app.ts';

/** Sorted, each once: several sources may report the same rejection. */
export function distinctRejections(rejections: Iterable<Rejection>): readonly Rejection[] {
  const sorted = [...rejections].sort(byPlace);
  return sorted.filter((one, i) => {
    const before = sorted[i - 1];
    return before === undefined || byPlace(before, one) !== 0;
  });
}

function byPlace(a: Rejection, b: Rejection): number {
  return (
    compareText(a.app, b.app) ||
    compareText(a.at, b.at) ||
    compareText(a.value, b.value) ||
    compareText(a.reason, b.reason)
  );
}
