/** The line of a small graph. */

export const WIDTH = 120;
export const HEIGHT = 24;

export interface Graph {
  /** `d` of an SVG path, WIDTH x HEIGHT, the newest sample at the right edge; empty with less than two samples. */
  readonly line: string;
  readonly latest: number;
  readonly most: number;
}

/** Draws samples from 0 to their greatest; `most` of them fill the width. */
export function graphOf(samples: readonly number[], most: number): Graph {
  const latest = samples.at(-1) ?? 0;
  // Less than one a second is drawn low, not blown up to the full height.
  const peak = Math.max(1, ...samples);
  const step = WIDTH / (most - 1);
  const left = WIDTH - (samples.length - 1) * step;
  const points = samples.map(
    (value, at) => `${round(left + at * step)} ${round(HEIGHT - 1 - (value / peak) * (HEIGHT - 2))}`,
  );
  return { line: points.length < 2 ? '' : `M${points.join('L')}`, latest, most: Math.max(0, ...samples) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
