import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import { type AllRows, type ChangedRows, createChanges, rowsOf } from '../../../controller/status/rows.ts';
import { desiredOf } from '../../support/observed.ts';
import { DB, passOf, WEB } from '../status/passes.ts';
import { documentOf } from '../status/status-world.ts';
import { Serving } from './serving.ts';

type Told = { readonly event: string; readonly data: AllRows & ChangedRows };

/** A client of the stream. */
class Watcher {
  readonly told: Told[] = [];
  readonly response: IncomingMessage;
  #wake: () => void = () => undefined;

  constructor(response: IncomingMessage) {
    this.response = response;
    const parser = createParser({
      onEvent: ({ event = '', data }) => {
        this.told.push({ event, data: JSON.parse(data) });
        this.#wake();
      },
    });
    response.setEncoding('utf8').on('data', (chunk: string) => parser.feed(chunk));
    response.on('error', () => undefined);
  }

  async next(): Promise<Told> {
    while (this.told.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    const [first] = this.told.splice(0, 1);
    if (first === undefined) throw new Error('an event');
    return first;
  }
}

let serving: Serving;
/** Ends the pause between two events. */
let turn: () => void = () => undefined;

beforeEach(async () => {
  const clock = {
    epoch: () => serving?.world.now ?? 0,
    monotonic: () => serving?.world.now ?? 0,
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        turn = resolve;
        signal?.addEventListener('abort', () => resolve());
      }),
  };
  serving = await Serving.start({ clock });
  serving.converge(passOf({ desired: desiredOf(WEB) }));
});
afterEach(() => serving.close());

async function watch(): Promise<Watcher> {
  const [response] = await once(get(`${serving.url}/v1/events`, { agent: false }), 'response');
  return new Watcher(response);
}

const ids = ({ data }: Told) => data.vips.map(({ id }) => id);

describe('GET /v1/events', () => {
  test('sends everything first, then the changes', async () => {
    const watcher = await watch();
    expect(watcher.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const first = await watcher.next();
    expect([first.event, ids(first), first.data.findings.rejected]).toEqual(['all', ['tcp/11.0.0.1:80'], []]);

    serving.world.now += 2_000;
    serving.converge(passOf({ desired: desiredOf(DB) }));
    turn();
    const second = await watcher.next();
    expect([second.event, ids(second), second.data.gone]).toEqual([
      'changes',
      ['tcp/11.0.0.2:5432'],
      ['tcp/11.0.0.1:80'],
    ]);
  });

  test('a later client gets everything at once, and the same changes from then on', async () => {
    const early = await watch();
    await early.next();
    const late = await watch();
    const first = await late.next();
    expect([first.event, ids(first)]).toEqual(['all', ['tcp/11.0.0.1:80']]);
    serving.world.now += 2_000;
    serving.converge(passOf({ desired: desiredOf(WEB, DB) }));
    turn();
    expect(await late.next()).toEqual(await early.next());
  });

  test('at most 32 streams are open, and closing one makes room', async () => {
    const all = await Promise.all(Array.from({ length: 32 }, watch));
    const refused = await serving.get('/v1/events');
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
    all[0]?.response.destroy();
    for (let status = 503; status === 503; ) {
      const [response] = await once(get(`${serving.url}/v1/events`, { agent: false }), 'response');
      status = response.statusCode;
      response.destroy();
    }
  });

  test('ends with the server', async () => {
    const watcher = await watch();
    await watcher.next();
    const ended = once(watcher.response, 'close');
    await serving.close();
    await ended;
    serving = await Serving.start();
  });
});

describe('what has changed', () => {
  const document = documentOf(passOf({ desired: desiredOf(WEB, DB) }));

  test('a row has the number of backends and of those in rotation, but no backends', () => {
    expect(rowsOf(document).vips[1]).toMatchObject({
      id: 'tcp/11.0.0.1:80',
      backends: 1,
      inRotation: 1,
      connectionRate: null,
    });
  });

  test('unchanged rows and findings are not sent again', () => {
    const changes = createChanges();
    expect(changes(rowsOf(document)).vips).toHaveLength(2);
    const later = { ...document, at: '2026-01-01T00:00:09.000Z', warnings: [] };
    expect(changes(rowsOf(later))).toEqual({ overview: rowsOf(later).overview, vips: [], gone: [] });
    expect(changes(rowsOf({ ...later, warnings: ['odd'] })).findings?.warnings).toEqual(['odd']);
  });
});

test('GET /v1/history returns what changed, for one VIP or for all', async () => {
  const change = { at: 1_000, vip: 'tcp/a', kind: 'gone', backend: null, text: 'x' } as const;
  await serving.close();
  serving = await Serving.start({
    history: { ofVip: (id) => (id === 'tcp/a' ? [change] : []), latest: () => [change, change] },
  });
  const told = async (query: string) => JSON.parse((await serving.get(`/v1/history${query}`)).body).changes;
  expect(await told('?vip=tcp/a')).toEqual([{ ...change, at: '1970-01-01T00:00:01.000Z' }]);
  expect(await told('?vip=tcp/b')).toEqual([]);
  expect(await told('')).toHaveLength(2);
});
