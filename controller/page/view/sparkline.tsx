import type { VNode } from 'preact';
import { MAX_SAMPLES } from '../feed.ts';
import { rate } from '../format.ts';
import { graphOf, HEIGHT, WIDTH } from '../graph.ts';

/** Connections per second over the last two minutes. */
export function Sparkline({ samples }: { readonly samples: readonly number[] }): VNode {
  const { line, latest, max } = graphOf(samples, MAX_SAMPLES);
  const words = `New connections: ${rate(latest)} now, at most ${rate(max)} in the last two minutes`;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={words}
    >
      <title>{words}</title>
      <path class="base" d={`M0 ${HEIGHT - 1}H${WIDTH}`} />
      {line !== '' && <path class="line" d={line} />}
    </svg>
  );
}
