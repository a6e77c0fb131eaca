import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { authorization, errorOf } from './api.ts';
import { facts } from './facts.ts';
import { type Feed, heardAll, heardChanges, NOTHING_HEARD } from './feed.ts';
import { readToken } from './token.ts';

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

/** After a connection that ended, or that the server had no room for. */
const AGAIN_MS = 3_000;
/** Events come every two seconds. */
const SILENCE_MS = 15_000;
/** Nothing but another token, or another certificate, mends these. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 429]);

/** Listens from now on; reconnects for ever. (An `EventSource` could not show a token, other than in a URL.) */
export async function listen(): Promise<never> {
  for (;;) {
    const refused = await listenOnce().catch(() => false);
    become({ ...feed, connected: false });
    await (refused && facts.readToken ? anotherToken() : pause());
  }
}

/** Resolves when the connection has ended: with true where the server let nobody in. */
async function listenOnce(): Promise<boolean> {
  const silent = new AbortController();
  let silence = setTimeout(() => silent.abort(), SILENCE_MS);
  try {
    const shown = authorization();
    const response = await fetch('/v1/events', { headers: shown, signal: silent.signal, cache: 'no-store' });
    if (REFUSALS.has(response.status)) {
      const body: unknown = await response.json().catch(() => null);
      const tried = 'authorization' in shown;
      become({ ...feed, refused: { tried, text: errorOf({ status: response.status, body }) } });
      return true;
    }
    if (response.status !== 200 || response.body === null) return false;
    const parser = createParser({ onEvent: hear });
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

function hear({ event, data }: EventSourceMessage): void {
  const now = Date.now();
  if (event === 'all') become(heardAll(feed, JSON.parse(data), now));
  if (event === 'changes') become(heardChanges(feed, JSON.parse(data), now));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
}

function anotherToken(): Promise<void> {
  return new Promise((resolve) => {
    const forget = readToken.onSet(() => {
      forget();
      resolve();
    });
  });
}
