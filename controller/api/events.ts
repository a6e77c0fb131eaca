import type { ServerResponse } from 'node:http';
import { messageOf } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { createChanges, rowsOf } from '../status/rows.ts';
import { visibleJson } from '../visible.ts';
import type { LiveStatus } from './live-status.ts';

export interface EventsOptions {
  readonly live: () => Promise<LiveStatus>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Log;
  /** Defaults to two seconds: the kernel sums its counters up as often. */
  readonly everyMs?: number | undefined;
}

/** Everyone who watches over `GET /v1/events`. */
export interface Events {
  /** Whether one more may watch. */
  readonly hasRoom: boolean;
  /** Sends everything at once and what changes from then on, until either side ends it. The head has been sent. */
  add(response: ServerResponse): void;
  /** Ends all streams of now, with their connections: whoever may still watch comes again. */
  end(): void;
  close(): void;
}

/** Each is a connection, and what a slow reader has not taken yet is kept for it. */
const MOST_STREAMS = 32;
const EVERY_MS = 2_000;

interface Stream {
  readonly response: ServerResponse;
  /** Whether it has been sent everything, and all changes since. */
  whole: boolean;
}

/**
 * Server-sent events: `all` first, then `changes` every two seconds. Each is written once, however many watch; as long
 * as no one does nothing is computed. Who reads too slowly misses events, and gets `all` again once there is room.
 */
export function createEvents({ live, clock, log, everyMs = EVERY_MS }: EventsOptions): Events {
  const streams = new Set<Stream>();
  const stopped = new AbortController();
  let changes = createChanges();
  /** The event with everything as of the last turn. */
  let all: (() => string) | null = null;
  let turning = false;

  function send(stream: Stream, changed: string, everything: () => string): void {
    const { response } = stream;
    // What the system does not take would pile up here.
    if (response.writableNeedDrain) {
      stream.whole = false;
      return;
    }
    response.write(stream.whole ? changed : everything());
    stream.whole = true;
  }

  async function turn(): Promise<void> {
    const rows = rowsOf((await live()).document);
    const changed = eventOf('changes', changes(rows));
    const everything = once(() => eventOf('all', rows));
    all = everything;
    for (const stream of streams) send(stream, changed, everything);
  }

  async function turnWhileWatched(): Promise<void> {
    turning = true;
    while (streams.size > 0 && !stopped.signal.aborted) {
      await turn().catch((error: unknown) => {
        log.error('status for the page failed', { error: messageOf(error) });
      });
      await clock.sleep(everyMs, stopped.signal);
    }
    // What is remembered is as large as the list, and out of date when the next one comes.
    changes = createChanges();
    all = null;
    turning = false;
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
      return streams.size < MOST_STREAMS && !stopped.signal.aborted;
    },
    add(response) {
      const stream: Stream = { response, whole: false };
      streams.add(stream);
      response.on('close', () => streams.delete(stream));
      if (!turning) void turnWhileWatched();
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
