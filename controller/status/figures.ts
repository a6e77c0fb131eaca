/** What is counted of a VIP's backends. */

import type { BackendDocument, VipDocument } from './document.ts';

/** How many backends a VIP has, and why some of them get fewer connections than their weight would give them, or none. */
export interface Figures {
  readonly backends: number;
  readonly inRotation: number;
  readonly ejected: number;
  readonly inSlowStart: number;
  readonly leftOut: number;
}

export function figuresOf({ backends, nearness }: Pick<VipDocument, 'backends' | 'nearness'>): Figures {
  let [rotating, ejected, inSlowStart] = [0, 0, 0];
  for (const backend of backends) {
    if (inRotation(backend)) rotating++;
    if (backend.decision?.rule === 'ejected') ejected++;
    if (backend.decision?.rule === 'slow start') inSlowStart++;
  }
  const leftOut = nearness?.leftOut ?? 0;
  return { backends: backends.length, inRotation: rotating, ejected, inSlowStart, leftOut };
}

/** Whether it gets new connections. */
export function inRotation({ weight, inKernel }: Pick<BackendDocument, 'weight' | 'inKernel'>): boolean {
  return inKernel && weight > 0;
}
