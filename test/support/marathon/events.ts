/** The event stream: who listens, and what goes out to them. */

import type { ServerResponse } from 'node:http';
import { isObject, type JsonObject, without } from './json.ts';

export interface Event extends JsonObject {
  readonly eventType: string;
  readonly timestamp: string;
}

interface Listener {
  readonly response: ServerResponse;
  /** Empty: all. */
  readonly types: readonly string[];
  readonly light: boolean;
}

/** What of the stream is out of order, for tests of those who read it. */
export interface StreamFaults {
  /** Nothing is sent, no keep-alive either, while the connection stays open. */
  silent: boolean;
  /** Keep-alives are sent, events are lost. */
  muted: boolean;
}

export class EventBus {
  readonly faults: StreamFaults = { silent: false, muted: false };
  /** Every event since the start, oldest first. */
  readonly history: Event[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #observers = new Set<(event: Event) => void>();
  readonly #keepAlive: NodeJS.Timeout;

  constructor(keepAliveMs: number) {
    this.#keepAlive = setInterval(() => this.#sendKeepAlive(), keepAliveMs);
    this.#keepAlive.unref();
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  publish(eventType: string, fields: JsonObject): void {
    const event: Event = { ...fields, eventType, timestamp: new Date().toISOString() };
    this.history.push(event);
    for (const observe of this.#observers) observe(event);
    if (this.faults.silent || this.faults.muted) return;
    for (const listener of this.#listeners) send(listener, event);
  }

  /** Calls `observer` for each event from now on; the returned function ends that. */
  observe(observer: (event: Event) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  attach(response: ServerResponse, remoteAddress: string, types: readonly string[], light: boolean): void {
    const listener: Listener = { response, types, light };
    response.writeHead(200, {
      'Content-Type': 'text/event-stream;charset=UTF-8',
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      Connection: 'close',
    });
    response.flushHeaders();
    this.#listeners.add(listener);
    response.on('close', () => {
      if (this.#listeners.delete(listener)) this.publish('event_stream_detached', { remoteAddress });
    });
    this.publish('event_stream_attached', { remoteAddress });
  }

  /** Ends every stream, as a master does that loses leadership. */
  closeStreams(): void {
    for (const { response } of this.#listeners) response.destroy();
    this.#listeners.clear();
  }

  close(): void {
    clearInterval(this.#keepAlive);
    this.closeStreams();
  }

  #sendKeepAlive(): void {
    if (this.faults.silent) return;
    for (const { response } of this.#listeners) response.write('\r\n');
  }
}

function send({ response, types, light }: Listener, event: Event): void {
  if (types.length > 0 && !types.includes(event.eventType)) return;
  const data = light ? withLightPlan(event) : event;
  // Jetty, on which Marathon runs, ends lines with CRLF.
  response.write(`event: ${event.eventType}\r\ndata: ${JSON.stringify(data)}\r\n\r\n`);
}

function withLightPlan(event: JsonObject): JsonObject {
  return isObject(event['plan']) ? { ...event, plan: without(event['plan'], 'original', 'target') } : event;
}
