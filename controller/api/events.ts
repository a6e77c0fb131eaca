import type { ServerResponse } from 'node:http';
import { messageOf } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { createChanges, rowsOf } from '../status/rows.ts';
import { visibleJson } from '../visible.ts';
import { refused } from './descriptions.ts';
import type { LiveStatus } from './live-status.ts';
import { unavailable } from './route.ts';
import { type Events, endpoint } from './services.ts';

export interface EventsOptions {
  readonly live: () => Promise<LiveStatus>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Log;
  /** Defaults to two seconds, the interval at which the kernel updates its rates. */
  readonly everyMs?: number | undefined;
}

/** Each stream holds a connection, and a buffer for what a slow reader has not taken yet. */
const MAX_STREAMS = 32;
const EVERY_MS = 2_000;

interface Stream {
  readonly response: ServerResponse;
  /** Whether it has been sent the whole status and every change since. */
  complete: boolean;
}

/**
 * Server-sent events: `all` first, then `changes` every two seconds. Each event is computed once for all streams, and
 * nothing is computed while there are none. A client that reads too slowly misses events and gets `all` again once its
 * buffer has drained.
 */
export function createEvents({ live, clock, log, everyMs = EVERY_MS }: EventsOptions): Events {
  const streams = new Set<Stream>();
  const stopped = new AbortController();
  let changes = createChanges();
  /** The `all` event of the last round. */
  let all: (() => string) | null = null;
  let running = false;

  function send(stream: Stream, changed: string, everything: () => string): void {
    const { response } = stream;
    // Further writes would pile up in this process.
    if (response.writableNeedDrain) {
      stream.complete = false;
      return;
    }
    response.write(stream.complete ? changed : everything());
    stream.complete = true;
  }

  async function sendRound(): Promise<void> {
    const rows = rowsOf((await live()).document);
    const changed = eventOf('changes', changes(rows));
    const everything = once(() => eventOf('all', rows));
    all = everything;
    for (const stream of streams) send(stream, changed, everything);
  }

  async function runWhileWatched(): Promise<void> {
    running = true;
    while (streams.size > 0 && !stopped.signal.aborted) {
      await sendRound().catch((error: unknown) => {
        log.error('cannot read the status for event streams', { error: messageOf(error) });
      });
      await clock.sleep(everyMs, stopped.signal);
    }
    // The remembered rows are as large as the list, and stale by the time the next client connects.
    changes = createChanges();
    all = null;
    running = false;
  }

  function end(): void {
    for (const { response } of streams) {
      const { socket } = response;
      response.end(() => socket?.end());
    }
  }

  return {
    end,
    get hasRoom() {
      return streams.size < MAX_STREAMS && !stopped.signal.aborted;
    },
    add(response) {
      const stream: Stream = { response, complete: false };
      streams.add(stream);
      response.on('close', () => streams.delete(stream));
      if (!running) void runWhileWatched();
      else if (all !== null) send(stream, '', all);
    },
    close() {
      stopped.abort();
      end();
    },
  };
}

function once(make: () => string): () => string {
  let text: string | undefined;
  return () => {
    text ??= make();
    return text;
  };
}

function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${visibleJson(data)}\n\n`;
}

const EVENTS_TYPE = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };

export const EVENTS = endpoint({
  id: 'events',
  summary: 'Streams the status and its changes as server-sent events; for the page only, and may change',
  answers: [
    { status: 200, description: 'A stream.', type: 'text/event-stream', schemas: {} },
    refused(503, 'Too many streams are open.'),
  ],
  answer: ({ events }) =>
    events.hasRoom
      ? { status: 200, headers: EVENTS_TYPE, body: events.add }
      : unavailable('too many event streams are open; close other pages that show this host'),
});
