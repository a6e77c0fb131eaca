import type { VNode } from 'preact';
import { type Feed, freshnessOf } from '../feed.ts';
import { duration, plural } from '../format.ts';
import { useNow } from '../hooks.ts';

/** Warnings that affect how far the rest of the page can be trusted. */
export function Banner({ feed }: { readonly feed: Feed }): VNode | null {
  const now = useNow();
  const fresh = freshnessOf(feed, now);
  const lines = [
    ...(fresh.kind === 'stale'
      ? [
          `No update from the controller for ${duration(fresh.seconds)}: the page shows the state before that.`,
        ]
      : []),
    ...warningsOf(feed, now),
  ];
  if (lines.length === 0) return null;
  return (
    <div class="banner" role="alert">
      {lines.map((line) => (
        <p>{line}</p>
      ))}
    </div>
  );
}

function warningsOf({ known }: Feed, now: number): string[] {
  if (known === null) return [];
  const { sources, held, host, lastPass } = known.overview;
  const stale = sources.flatMap(({ name, failure, ageSeconds }) => {
    if (failure === null) return [];
    const age = ageSeconds === null ? 'has not been read yet' : `was last read ${duration(ageSeconds)} ago`;
    return [`Source ${name} ${age}: ${failure.message}`];
  });
  const left = held === null ? 0 : Math.max(0, (Date.parse(held.until) - now) / 1_000);
  return [
    ...(lastPass === null && stale.length === 0 ? ['No pass yet: a source has not been read.'] : []),
    ...(lastPass?.error == null ? [] : [`The last pass ended early: ${lastPass.error}`]),
    ...stale,
    ...(held === null
      ? []
      : [`Held for ${duration(left)} more: ${plural(held.services.length, 'service')}: ${held.reason}`]),
    ...host.problems,
  ];
}
