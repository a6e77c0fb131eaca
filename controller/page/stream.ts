import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { authorization, errorOf } from './api.ts';
import { facts } from './facts.ts';
import { EMPTY_FEED, type Feed, withAll, withChanges } from './feed.ts';
import { readToken } from './token.ts';

let feed = EMPTY_FEED;
const listeners = new Set<() => void>();

function update(next: Feed): void {
  feed = next;
  for (const listener of listeners) listener();
}

/** The feed after all events received so far. */
export function currentFeed(): Feed {
  return feed;
}

/** Calls `listener` after every change of the feed; returns a function that removes it. */
export function onFeed(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Delay before reconnecting after the connection ended, or the server had too many streams. */
const RECONNECT_MS = 3_000;
/** Events arrive every two seconds, so a connection this silent is broken. */
const SILENCE_MS = 15_000;
/** Statuses that only another token or certificate can fix. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 429]);

/** Listens to the event stream and reconnects for ever. It uses `fetch` since an `EventSource` cannot send a token. */
export async function listen(): Promise<never> {
  for (;;) {
    const refused = await listenOnce().catch(() => false);
    update({ ...feed, connected: false });
    await (refused && facts.readToken ? nextToken() : pause());
  }
}

/** Resolves when the connection has ended, with whether the server refused access. */
async function listenOnce(): Promise<boolean> {
  const silent = new AbortController();
  let silence = setTimeout(() => silent.abort(), SILENCE_MS);
  try {
    const headers = authorization();
    const response = await fetch('/v1/events', { headers, signal: silent.signal, cache: 'no-store' });
    if (REFUSALS.has(response.status)) {
      const body: unknown = await response.json().catch(() => null);
      const hadToken = 'authorization' in headers;
      update({ ...feed, refused: { hadToken, text: errorOf({ status: response.status, body }) } });
      return true;
    }
    if (response.status !== 200 || response.body === null) return false;
    const parser = createParser({ onEvent: receive });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      clearTimeout(silence);
      silence = setTimeout(() => silent.abort(), SILENCE_MS);
      parser.feed(value);
    }
  } finally {
    clearTimeout(silence);
  }
}

function receive({ event, data }: EventSourceMessage): void {
  const now = Date.now();
  if (event === 'all') update(withAll(feed, JSON.parse(data), now));
  if (event === 'changes') update(withChanges(feed, JSON.parse(data), now));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
}

function nextToken(): Promise<void> {
  return new Promise((resolve) => {
    const forget = readToken.onSet(() => {
      forget();
      resolve();
    });
  });
}
