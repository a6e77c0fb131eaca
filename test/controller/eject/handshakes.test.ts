import { beforeEach, describe, expect, test } from '@jest/globals';
import { Handshakes } from '../../../controller/eject/handshakes.ts';
import type { ConnectionsExtent } from '../../../controller/model/connection-entry.ts';

const READ_MS = 200;
const [ONE, OTHER] = ['10.0.0.1:31000', '10.0.0.2:31000'];

let handshakes: Handshakes;
let now: number;
let table: Map<string, string>;

beforeEach(() => {
  handshakes = new Handshakes();
  now = 1_000_000;
  table = new Map();
  read();
});

/** The key of a connection of a client to 11.0.0.1:80, as the kernel writes it. */
function connection(client: number, backend = ONE): string {
  const port = client.toString(16).toUpperCase().padStart(4, '0');
  return `TCP 0A080002 ${port} 0B000001 0050 0A00000${backend === ONE ? 1 : 2} 7918`;
}

/** Reads the table `ms` after it was read last: what it says of each backend. */
function read(ms = READ_MS) {
  now += ms;
  const found = handshakes.read(new Map(table), now);
  return Object.fromEntries(
    found.map(({ services, backend, sign, hasAnswered }) => {
      expect([...services]).toEqual(['tcp/11.0.0.1:80']);
      return [backend, hasAnswered ? 'answers' : sign];
    }),
  );
}

const unanswered = (connections: number) => ({ kind: 'nothing', connections, packets: 0 });
const refused = (connections: number) => ({ kind: 'errors', connections, packets: connections });

describe('of a table that is too large to be read as a whole', () => {
  const readPart = (all: readonly (readonly [string, string])[], extent: ConnectionsExtent = 'beginning') => {
    now += READ_MS;
    return handshakes.read(new Map(all), now, extent).map(({ sign, hasAnswered }) => [sign, hasAnswered]);
  };
  const [first, second, third, fourth] = [connection(1), connection(2), connection(3), connection(4)];

  test('an old connection that the reading before did not get to is no answer, nor a refusal', () => {
    readPart([
      [first, 'ESTABLISHED'],
      [second, 'TIME_WAIT'],
    ]);
    expect(
      readPart([
        [first, 'ESTABLISHED'],
        [second, 'TIME_WAIT'],
        [third, 'ESTABLISHED'],
        [fourth, 'CLOSE'],
      ]),
    ).toEqual([]);
  });

  test('nor is it when the whole of it is read at last', () => {
    readPart([[first, 'ESTABLISHED']]);
    table.set(first, 'ESTABLISHED').set(second, 'TIME_WAIT');
    expect(read()).toEqual({});
    table.set(third, 'ESTABLISHED');
    expect(read()).toEqual({ [ONE]: 'answers' });
  });

  test('a new one before the end of what both have is', () => {
    readPart([
      [first, 'ESTABLISHED'],
      [second, 'TIME_WAIT'],
    ]);
    expect(
      readPart([
        [first, 'ESTABLISHED'],
        [third, 'ESTABLISHED'],
        [second, 'TIME_WAIT'],
      ]),
    ).toEqual([[null, true]]);
  });

  test('one that waits no more is none that the reading left out, where all are read that wait', () => {
    readPart([[first, 'SYN_RECV']], 'waiting');
    expect(readPart([[second, 'ESTABLISHED']], 'waiting')).toEqual([]);
    expect(readPart([[second, 'ESTABLISHED']], 'waiting')).toEqual([]);
  });

  test('one that waits is a suspicion wherever it is', () => {
    readPart([[first, 'ESTABLISHED']]);
    readPart([
      [first, 'ESTABLISHED'],
      [second, 'SYN_RECV'],
    ]);
    expect(
      readPart([
        [first, 'ESTABLISHED'],
        [second, 'SYN_RECV'],
      ]),
    ).toEqual([[unanswered(1), false]]);
  });
});

describe('connections that wait for an answer', () => {
  test('are a suspicion once they have waited from one reading to the next', () => {
    table.set(connection(1), 'SYN_RECV');
    expect(read()).toEqual({});
    expect(handshakes.isAnyNew).toBe(true);
    table.set(connection(2), 'SYN_RECV');
    expect(read()).toEqual({ [ONE]: unanswered(1) });
    expect(read()).toEqual({ [ONE]: unanswered(2) });
    expect(handshakes.isAnyNew).toBe(false);
  });

  test('and none when the readings follow each other closely', () => {
    table.set(connection(1), 'SYN_RECV');
    read();
    expect(read(100)).toEqual({});
  });

  test('are none where the backend answers a later one', () => {
    table.set(connection(1), 'SYN_RECV');
    read();
    table.set(connection(2), 'ESTABLISHED');
    expect(read()).toEqual({ [ONE]: 'answers' });
    expect(read()).toEqual({});
  });

  test('are one where it had answered before, and where another backend answers', () => {
    table.set(connection(1), 'SYN_RECV').set(connection(2), 'TIME_WAIT');
    expect(read()).toEqual({ [ONE]: 'answers' });
    table.set(connection(3, OTHER), 'ESTABLISHED');
    expect(read()).toEqual({ [ONE]: unanswered(1), [OTHER]: 'answers' });
  });

  test('count also where one reading leaves them out, as it may where others end meanwhile', () => {
    table.set(connection(1), 'SYN_RECV');
    read();
    table.delete(connection(1));
    read();
    table.set(connection(1), 'SYN_RECV');
    expect(read()).toEqual({ [ONE]: unanswered(1) });
  });

  test('begin to wait anew where a client uses its port again', () => {
    table.set(connection(1), 'TIME_WAIT');
    read();
    table.set(connection(1), 'SYN_RECV');
    expect(read()).toEqual({});
    expect(read()).toEqual({ [ONE]: unanswered(1) });
  });
});

describe('a backend that answers late', () => {
  function connects(client: number, readings: number): unknown[] {
    table.set(connection(client), 'SYN_RECV');
    const seen = Array.from({ length: readings }, () => read()[ONE]);
    table.set(connection(client), 'ESTABLISHED');
    expect(read()).toEqual({ [ONE]: 'answers' });
    return seen;
  }

  test('is a suspect once, and then only when it takes longer than usual', () => {
    expect(connects(1, 3)).toEqual([undefined, unanswered(1), unanswered(1)]);
    expect(connects(2, 3)).toEqual([undefined, undefined, undefined]);
    expect(connects(3, 6).slice(-1)).toEqual([unanswered(1)]);
  });

  test('is forgotten in time', () => {
    connects(1, 3);
    now += 600_000;
    expect(connects(2, 3)).toContainEqual(unanswered(1));
  });

  test('is another thing than a SYN that was lost and sent again', () => {
    connects(1, 6);
    expect(connects(2, 3)).toContainEqual(unanswered(1));
  });
});

describe('connections that were reset', () => {
  test('are a suspicion at once where no other was answered', () => {
    table.set(connection(1), 'CLOSE').set(connection(2), 'CLOSE');
    expect(read()).toEqual({ [ONE]: refused(2) });
    expect(read()).toEqual({});
  });

  test('are one also after they waited', () => {
    table.set(connection(1), 'SYN_RECV');
    read();
    table.set(connection(1), 'CLOSE');
    expect(read()).toEqual({ [ONE]: refused(1) });
  });

  test('are none where another was answered, or where the client reset one that was', () => {
    table.set(connection(1), 'CLOSE').set(connection(2), 'ESTABLISHED');
    expect(read()).toEqual({ [ONE]: 'answers' });
    table.set(connection(2), 'CLOSE');
    expect(read()).toEqual({});
  });
});

describe('a probe of a suspect', () => {
  test('that is answered shows that clients which still wait do so for another reason, and others may not', () => {
    table.set(connection(1), 'SYN_RECV');
    read();
    expect(read()).toEqual({ [ONE]: unanswered(1) });
    handshakes.recordProbe(`tcp/${ONE}`, now, true);
    expect(read()).toEqual({});
    table.set(connection(2), 'SYN_RECV');
    read();
    expect(read()).toEqual({ [ONE]: unanswered(1) });
  });

  test('that is answered shows that clients reset: twice as many must, without an answer between them, before that is odd again', () => {
    const resets = (client: number) => {
      table.set(connection(client), 'CLOSE');
      return read()[ONE];
    };
    expect(resets(1)).toEqual(refused(1));
    handshakes.recordProbe(`tcp/${ONE}`, now, true);
    expect([resets(2), resets(3)]).toEqual([null, refused(2)]);
    handshakes.recordProbe(`tcp/${ONE}`, now, true);
    expect([resets(4), resets(5), resets(6)]).toEqual([null, null, null]);
    table.set(connection(7), 'FIN_WAIT');
    expect(read()).toEqual({ [ONE]: 'answers' });
    expect([resets(8), resets(9), resets(10), resets(11)]).toEqual([null, null, null, refused(4)]);
    handshakes.recordProbe(`tcp/${ONE}`, now, false);
    expect(resets(12)).toEqual(refused(1));
  });
});

test.each(['ESTABLISHED', 'FIN_WAIT', 'TIME_WAIT', 'CLOSE_WAIT', 'LAST_ACK'])(
  'a new connection in %s was answered, and says so once',
  (state) => {
    table.set(connection(1), state);
    expect(read()).toEqual({ [ONE]: 'answers' });
    expect(read()).toEqual({});
  },
);

test('a connection that one reading left out is no new one', () => {
  table.set(connection(1), 'TIME_WAIT');
  read();
  table.clear();
  read();
  table.set(connection(1), 'TIME_WAIT');
  expect(read()).toEqual({});
});

test('what was there at the first reading says nothing, nor does what was there after a time without any', () => {
  handshakes.forget();
  table.set(connection(1), 'ESTABLISHED').set(connection(2), 'CLOSE');
  expect(read()).toEqual({});
});
