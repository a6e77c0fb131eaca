import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import dnsPacket from 'dns-packet';
import { service } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { lines, question, WEB, ZONE } from './asking.ts';
import { framed, overUdp, Serving, TcpClient, until } from './serving.ts';

let serving: Serving;
const spare: Socket[] = [];
afterEach(async () => {
  await serving.server.close();
  for (const socket of spare.splice(0)) socket.close();
});

const ANY_PORT = { address: '127.0.0.1', port: 0 };

async function listening(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const answersOf = (reply: Buffer | undefined) =>
  reply === undefined ? [] : lines(dnsPacket.decode(reply).answers);

describe('over UDP', () => {
  test.each(['127.0.0.1', '::1'])('a query to %s is answered', async (address) => {
    serving = await Serving.start(address);
    const [reply] = await overUdp([question(WEB)], { port: serving.port, address });
    expect(answersOf(reply)).toEqual([`${WEB} A 11.0.0.1`]);
    expect(serving.meter.answers).toEqual([expect.objectContaining({ type: 1, rcode: 0, truncated: false })]);
  });

  test('a new name is visible to the next query', async () => {
    serving = await Serving.start();
    serving.serve(service('11.0.0.9', 80, [], { name: 'new' }));
    const [reply] = await overUdp([question(`new.marathon.${ZONE}`)], { port: serving.port });
    expect(answersOf(reply)).toEqual([`new.marathon.${ZONE} A 11.0.0.9`]);
  });

  test('a message that is not a query gets no reply, and the next query is answered', async () => {
    serving = await Serving.start();
    const junk = [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(60_000, 255)];
    const replies = await overUdp([...junk, question(WEB)], { port: serving.port, wanted: 1 });
    expect(replies).toHaveLength(1);
    expect(serving.meter.drops).toEqual(['ignored', 'ignored', 'ignored']);
  });

  test('a burst of queries from this host is answered without limit', async () => {
    serving = await Serving.start();
    for (let round = 0; round < 70; round++) {
      const replies = await overUdp(Array(100).fill(question(WEB)), { port: serving.port });
      expect(replies).toHaveLength(100);
    }
    expect(serving.meter.drops).toEqual([]);
  });
});

describe('over TCP', () => {
  test('an answer that did not fit into a datagram is complete', async () => {
    serving = await Serving.start();
    const many = Array.from({ length: 500 }, (_, i) =>
      service(`11.0.${i >> 8}.${i & 255}`, 80, [], { name: 'many' }),
    );
    serving.serve(...many);
    const client = await TcpClient.connect(serving.port);
    client.socket.write(framed(question(`many.marathon.${ZONE}`)));
    await until(() => client.messages().length === 1);
    expect(answersOf(client.messages()[0])).toHaveLength(500);
    client.socket.destroy();
  });

  test('several queries at once on a connection are answered in order', async () => {
    serving = await Serving.start();
    const client = await TcpClient.connect(serving.port);
    const names = [WEB, `nobody.${ZONE}`, 'example.com', WEB];
    client.socket.write(Buffer.concat(names.map((name) => framed(question(name)))));
    await until(() => client.messages().length === 4);
    const rcodes = client.messages().map((reply) => (reply[3] ?? 0) & 15);
    expect(rcodes).toEqual([0, 3, 5, 0]);
    client.socket.destroy();
  });

  test('a query that arrives byte by byte is answered', async () => {
    serving = await Serving.start();
    const client = await TcpClient.connect(serving.port);
    client.socket.setNoDelay(true);
    for (const byte of framed(question(WEB))) {
      client.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => client.messages().length === 1);
    expect(answersOf(client.messages()[0])).toEqual([`${WEB} A 11.0.0.1`]);
    client.socket.destroy();
  });

  test('a client that half-closes after its query still gets the answer', async () => {
    serving = await Serving.start();
    const client = await TcpClient.connect(serving.port);
    client.socket.end(framed(question(WEB)));
    await until(() => client.closed);
    expect(client.messages()).toHaveLength(1);
  });

  test.each([
    ['a length that no query has', Buffer.from([0xff, 0xff])],
    ['a message that is no query', framed(Buffer.from('hello'))],
  ])('%s ends the connection', async (_, bytes) => {
    serving = await Serving.start();
    const client = await TcpClient.connect(serving.port);
    client.socket.write(bytes);
    await until(() => client.closed);
    expect(client.received).toHaveLength(0);
  });

  test('closing the server ends connections', async () => {
    serving = await Serving.start();
    const client = await TcpClient.connect(serving.port);
    await serving.server.close();
    await until(() => client.closed);
    expect(serving.server.bound()).toEqual([]);
  });
});

describe('an address that cannot be bound', () => {
  test('is logged once, retried, and served as soon as possible', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    spare.push(taken);
    await once(taken, 'listening');
    const { port } = taken.address();
    serving = new Serving([{ address: '127.0.0.1', port }]);
    await until(() => serving.server.problems().length > 0);
    expect(serving.server.problems()[0]).toMatch(
      `--dns-listen 127.0.0.1:${port}: another process has this port (\`ss -lntup sport = :${port}\` shows which`,
    );

    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await new Promise<void>((resolve) => spare.pop()?.close(() => resolve()));
    await until(() => serving.server.bound().length > 0);
    expect(serving.server.problems()).toEqual([]);
    const said = serving.world.logged.map(({ level, message }) => `${level}: ${message}`);
    expect(said).toEqual(['error: cannot serve DNS', 'info: serving DNS']);
  });

  test('UDP is closed again if TCP cannot be bound', async () => {
    const taken = await listening();
    const bound = taken.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    serving = new Serving([{ address: '127.0.0.1', port }]);
    await until(() => serving.server.problems().length > 0);
    const other = createSocket('udp4').bind(port, '127.0.0.1');
    spare.push(other);
    await once(other, 'listening');
    await serving.server.close();
    taken.close();
  });

  test('if any port will do, one that is taken for TCP is skipped at once', async () => {
    const taken = await Promise.all(Array.from({ length: 2_000 }, listening));
    const clock = new FakeClock();
    const servers = Array.from({ length: 100 }, () => new Serving([ANY_PORT], clock).server);
    try {
      await until(() => servers.every((server) => server.bound().length + server.problems().length > 0));
      expect(servers.flatMap((server) => server.problems())).toEqual([]);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
      for (const server of taken) server.close();
    }
    serving = await Serving.start();
  });

  test('one that this host lacks does not affect the others', async () => {
    serving = new Serving([
      { address: '192.0.2.77', port: 0 },
      { address: '127.0.0.1', port: 0 },
    ]);
    await until(() => serving.server.bound().length > 0 && serving.server.problems().length > 0);
    expect(serving.server.problems()).toEqual([
      '--dns-listen 192.0.2.77:0: this host has no address 192.0.2.77',
    ]);
    expect(await overUdp([question(WEB)], { port: serving.port })).toHaveLength(1);
  });
});
