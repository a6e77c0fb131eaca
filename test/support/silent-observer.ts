import type { Observer } from '../../controller/ports.ts';

const nothing = () => undefined;

/** An observer of the loop that ignores everything. */
export const SILENT_OBSERVER: Observer = {
  moved: nothing,
  sourceRead: nothing,
  sourceFailed: nothing,
  passed: nothing,
  repaired: nothing,
};
