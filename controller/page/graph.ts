/** The line of a sparkline. */

export const WIDTH = 120;
export const HEIGHT = 24;

export interface Graph {
  /** `d` of an SVG path, WIDTH x HEIGHT, the newest sample at the right edge; empty with fewer than two samples. */
  readonly line: string;
  readonly latest: number;
  readonly max: number;
}

/** Draws samples on a scale from 0 to their maximum; `capacity` of them fill the width. */
export function graphOf(samples: readonly number[], capacity: number): Graph {
  const latest = samples.at(-1) ?? 0;
  // Less than one per second is drawn low, not scaled to the full height.
  const peak = Math.max(1, ...samples);
  const step = WIDTH / (capacity - 1);
  const left = WIDTH - (samples.length - 1) * step;
  const points = samples.map(
    (value, at) => `${round(left + at * step)} ${round(HEIGHT - 1 - (value / peak) * (HEIGHT - 2))}`,
  );
  return { line: points.length < 2 ? '' : `M${points.join('L')}`, latest, max: Math.max(0, ...samples) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
