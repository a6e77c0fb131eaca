import { type Feed, heardAll, heardChanges, NOTHING_HEARD } from './feed.ts';

let feed = NOTHING_HEARD;
const listeners = new Set<() => void>();

function become(next: Feed): void {
  feed = next;
  for (const listener of listeners) listener();
}

/** What has been heard until now. */
export function currentFeed(): Feed {
  return feed;
}

/** Calls back after every event, until the function that it returns is called. */
export function onFeed(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The server refuses when too many watch, and the browser then does not try again by itself. */
const AGAIN_MS = 5_000;

/** Listens from now on; reconnects for ever. */
export function listen(): void {
  const events = new EventSource('/v1/events');
  events.addEventListener('all', ({ data }) => become(heardAll(feed, JSON.parse(data), Date.now())));
  events.addEventListener('changes', ({ data }) => become(heardChanges(feed, JSON.parse(data), Date.now())));
  events.addEventListener('error', () => {
    become({ ...feed, connected: false });
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
  });
}
