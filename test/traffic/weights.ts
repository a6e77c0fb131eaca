/** The weights of a VIP's backends as the kernel itself shows them, looked at so often that a moment can be told. */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 20;
/** One look after the other takes less than this where nobody else needs the processor. */
const USUAL_MS = 60;

/** Weights by port; the kernel writes both in hexadecimal. */
export async function weightsByPort(): Promise<ReadonlyMap<number, number>> {
  const text = await readFile('/proc/net/ip_vs', 'utf8');
  const lines = text.matchAll(/-> [0-9A-F]{8}:([0-9A-F]{4}) +\w+ +(\d+)/g);
  return new Map(Array.from(lines, ([, port = '', weight]) => [Number.parseInt(port, 16), Number(weight)]));
}

export interface Moment {
  /** Since the epoch, as the clients count. */
  readonly at: number;
  /** How long this machine was busy with something else meanwhile: what happened in that time took longer for it. */
  readonly stolenMs: number;
}

/** Resolves when the backend at this port has that weight; null when it has not in so much time. */
export async function untilWeight(port: number, weight: number, limitMs: number): Promise<Moment | null> {
  let stolenMs = 0;
  const end = performance.now() + limitMs;
  for (let before = performance.now(); before < end; ) {
    if ((await weightsByPort()).get(port) === weight) return { at: Date.now(), stolenMs };
    await sleep(LOOK_MS);
    const now = performance.now();
    stolenMs += Math.max(0, now - before - USUAL_MS);
    before = now;
  }
  return null;
}
