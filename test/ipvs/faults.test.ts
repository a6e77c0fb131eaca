import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { type Change, IpvsClient, isIpvsError, type VirtualService } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { message } from '../../ipvs/src/message.ts';
import { NLM_F, NLMSG } from '../../ipvs/src/uapi.ts';

const TIMEOUT_MS = 60;
const DESTINATION = { address: '10.0.0.1', port: 80, weight: 1, forwardingMethod: 'masquerade' } as const;
const clients: IpvsClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function start(immediate: boolean) {
  const kernel = new FakeKernel({ immediate });
  const client = await IpvsClient.open({ transport: kernel.transport(), timeoutMs: TIMEOUT_MS });
  clients.push(client);
  return { kernel, client };
}

function service(port: number): VirtualService {
  return { protocol: 'tcp', address: '10.96.4.7', port, scheduler: 'wlc' };
}

function adds(count: number): Change[] {
  return Array.from({ length: count }, (_, index) => ({ op: 'add-service', service: service(1 + index) }));
}

async function code(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (isIpvsError(error) ? error.code : `foreign: ${String(error)}`),
  );
}

describe.each([
  ['as events', false],
  ['at once', true],
])('replies %s', (_, immediate) => {
  describe('a batch', () => {
    test('makes its changes in order, and none of them by itself', async () => {
      const { kernel, client } = await start(immediate);
      expect(await client.batch(adds(1_000))).toEqual([]);
      expect(kernel.writes).toHaveLength(1_000);
      expect(kernel.print().split('\n')[999]).toBe('-A -t 10.96.4.7:1000 -s wlc');
    });

    test('in which every message fails reports every one by itself', async () => {
      const { kernel, client } = await start(immediate);
      const changes = adds(1_000);
      await client.batch(changes);
      const failures = await client.batch(changes);
      expect(failures).toHaveLength(1_000);
      expect(failures.every(({ error }) => isIpvsError(error, 'exists'))).toBe(true);
      expect(failures.map(({ index }) => index)).toEqual(changes.map((_change, index) => index));
      expect(failures[999]?.change).toBe(changes[999]);
      expect(kernel.print().split('\n')).toHaveLength(1_001);
    });

    test('goes on after a change that fails, wherever in a send it is', async () => {
      const { kernel, client } = await start(immediate);
      await client.batch(
        [0, 1, 199, 200, 399, 400].map((index) => ({ op: 'add-service', service: service(1 + index) })),
      );
      const failures = await client.batch(adds(450));
      expect(failures.map(({ index }) => index)).toEqual([0, 1, 199, 200, 399, 400]);
      expect(kernel.print().split('\n')).toHaveLength(451);
    });

    test('reports what never got to the kernel in the same way', async () => {
      const { kernel, client } = await start(immediate);
      const changes = adds(3);
      changes[1] = { op: 'add-service', service: service(-1) };
      const failures = await client.batch(changes);
      expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[1, 'invalid']]);
      expect(kernel.writes).toHaveLength(2);
    });

    test('keeps at most 200 messages in flight', async () => {
      const { kernel, client } = await start(immediate);
      let inFlight = 0;
      let most = 0;
      kernel.faults = {
        before: () => {
          inFlight++;
          most = Math.max(most, inFlight);
        },
        replies: (datagrams) => {
          inFlight = 0;
          return datagrams;
        },
      };
      await client.batch(adds(1_000));
      expect(most).toBeLessThanOrEqual(200);
      expect(most).toBeGreaterThan(100);
    });

    test('of nothing sends nothing', async () => {
      const { kernel, client } = await start(immediate);
      kernel.requests = [];
      expect(await client.batch([])).toEqual([]);
      expect(kernel.requests).toEqual([]);
    });

    test('whose reply is lost says which changes are of unknown outcome and which were not sent', async () => {
      const { kernel, client } = await start(immediate);
      let sends = 0;
      kernel.faults = { replies: (datagrams) => (++sends === 2 ? [] : datagrams) };
      const failures = await client.batch(adds(500));
      expect(failures.map(({ index }) => index)).toEqual(
        Array.from({ length: 300 }, (_each, index) => 200 + index),
      );
      expect(failures.every(({ error }) => error.code === 'timeout')).toBe(true);
      expect(failures[0]?.error.message).toBe(
        'add service tcp/10.96.4.7:201: outcome unknown: no reply within 60 ms',
      );
      expect(failures[299]?.error.message).toMatch(/^add service tcp\/10.96.4.7:500: not sent: /);
      kernel.faults = {};
      expect(await client.batch(adds(500))).toHaveLength(400);
    });

    test('puts failures that come in any order at their own change', async () => {
      const { kernel, client } = await start(immediate);
      await client.batch(adds(150).filter((_change, index) => index % 3 === 0));
      // All but the last, whose answer says that the send is done.
      kernel.faults = { replies: (all) => [...all.slice(0, -1).reverse(), ...all.slice(-1)] };
      const failures = await client.batch(adds(150));
      expect(failures.map(({ index }) => index)).toEqual(
        Array.from({ length: 50 }, (_each, index) => 3 * index),
      );
    });

    test('reports a change once though its failure is answered twice', async () => {
      const { kernel, client } = await start(immediate);
      await client.batch(adds(300));
      kernel.faults = { replies: (all) => all.flatMap((datagram) => [datagram, datagram]) };
      const failures = await client.batch(adds(300));
      expect(failures.map(({ index }) => index)).toEqual(
        Array.from({ length: 300 }, (_each, index) => index),
      );
    });
  });

  describe('a dump', () => {
    test('that other writers disturbed is repeated, and the disturbed part is not used', async () => {
      const { kernel, client } = await start(immediate);
      await client.batch(adds(3));
      kernel.faults = { interruptDumps: 5 };
      expect(await client.listServices()).toHaveLength(3);
      expect(kernel.faults.interruptDumps).toBe(0);
    });

    test.each([1, 2, 3, 4, 7])(
      'of the table is whole whichever of its parts are disturbed: the first %i',
      async (count) => {
        const { kernel, client } = await start(immediate);
        await client.batch(adds(3));
        await client.addDestination(service(2), {
          address: '10.1.2.3',
          port: 80,
          weight: 1,
          forwardingMethod: 'masquerade',
        });
        kernel.faults = { interruptDumps: count };
        const table = await client.listTable();
        expect(table.map(({ destinations }) => destinations.length)).toEqual([0, 1, 0]);
      },
    );

    test('of the services that is disturbed is asked for once more, and nothing else with it', async () => {
      const { kernel, client } = await start(immediate);
      await client.batch(adds(3));
      const dumps = async (interruptDumps: number) => {
        kernel.requests = [];
        kernel.faults = { interruptDumps };
        await client.listTable();
        return kernel.requests.map(({ command }) => command).sort();
      };
      const undisturbed = await dumps(0);
      expect(await dumps(1)).toEqual([...undisturbed, 'GET_SERVICE'].sort());
    });

    test('that is disturbed without end is given up', async () => {
      const { kernel, client } = await start(immediate);
      kernel.faults = { interruptDumps: 1_000 };
      await expect(client.listServices()).rejects.toMatchObject({
        code: 'interrupted',
        message: 'list services: dump was interrupted 8 times by other writers',
      });
      kernel.faults = {};
      expect(await client.listServices()).toEqual([]);
    });

    test('that fails in its last message is no short list', async () => {
      const { kernel, client } = await start(immediate);
      await client.batch(adds(3));
      kernel.faults = { failDumps: 12 };
      expect(await code(client.listServices())).toBe('rejected');
      expect(await code(client.listTable())).toBe('rejected');
    });

    /** A client of a kernel with three services, in which another client makes changes just before the nth such command. */
    async function disturbed(
      command: 'GET_DEST' | 'GET_SERVICE',
      disturbances: Readonly<Record<number, readonly Change[]>>,
    ) {
      const { kernel, client } = await start(immediate);
      const other = await IpvsClient.open({ transport: kernel.transport() });
      clients.push(other);
      await client.batch(adds(3));
      const seen = { commands: 0 };
      kernel.faults = {
        before: (request) => {
          if (request.command !== command) return;
          seen.commands += 1;
          const changes = disturbances[seen.commands];
          if (changes !== undefined) void other.batch(changes);
        },
      };
      return { client, seen };
    }
    const ONE_FOR_ANOTHER: readonly Change[] = [
      { op: 'remove-service', service: service(1) },
      { op: 'add-service', service: service(9) },
      { op: 'add-destination', service: service(9), destination: DESTINATION },
    ];

    test('of the table is made again when services come or go meanwhile', async () => {
      const { client, seen } = await disturbed('GET_DEST', { 2: ONE_FOR_ANOTHER });
      const table = await client.listTable();
      expect(
        table.map(({ service: entry, destinations }) => ['port' in entry && entry.port, destinations.length]),
      ).toEqual([
        [2, 0],
        [3, 0],
        [9, 1],
      ]);
      // What was read before the change is not read again.
      expect(seen.commands).toBe(4);
    });

    test('of the table has each entry taken once, though a service comes and one goes meanwhile', async () => {
      const { client } = await disturbed('GET_DEST', { 2: ONE_FOR_ANOTHER });
      const given: number[] = [];
      const taken = await client.listTable(({ service: entry }) => {
        const port = 'port' in entry ? entry.port : 0;
        given.push(port);
        return port === 2 ? null : port;
      });
      expect(taken).toEqual([null, 3, 9]);
      expect(given.sort()).toEqual([1, 2, 3, 9]);
    });

    test('of the table reads a service again that went and came back while it was made again', async () => {
      // Lists of services at the begin and the end of each read: gone at the end of the first, back at that of the second.
      const { client } = await disturbed('GET_SERVICE', {
        2: [{ op: 'remove-service', service: service(1) }],
        4: [
          { op: 'add-service', service: service(1) },
          { op: 'add-destination', service: service(1), destination: DESTINATION },
        ],
      });
      const counts = await client.listTable(({ destinations }) => destinations.length);
      expect(counts.toSorted()).toEqual([0, 0, 1]);
    });

    test('of the table rejects with what the taking of an entry throws, and the next request works', async () => {
      const { client } = await start(immediate);
      await client.batch(adds(3));
      const taken = client.listTable(() => {
        throw new Error('not wanted');
      });
      await expect(taken).rejects.toThrow('not wanted');
      expect(await client.listTable()).toHaveLength(3);
    });

    test('of the table leaves the processor to others where it is to rest', async () => {
      const { kernel, client } = await start(immediate);
      await client.batch(adds(200));
      let busy = 0;
      kernel.faults = {
        before: () => {
          const until = performance.now() + 0.2;
          while (performance.now() < until) busy += 1;
        },
      };
      const resting = await IpvsClient.open({ transport: kernel.transport(), restMs: 5 });
      clients.push(resting);
      let turns = 0;
      const timer = setInterval(() => {
        turns += 1;
      }, 1);
      const timers = jest.spyOn(globalThis, 'setTimeout');
      expect(await resting.listTable()).toHaveLength(200);
      clearInterval(timer);
      const rests = timers.mock.calls.filter(([, ms]) => ms === 5).length;
      timers.mockRestore();
      expect(busy).toBeGreaterThan(0);
      // The clock is read after each 64 KiB, 31 requests, which take 6 ms here: too long for a turn, so a rest follows. Replies
      // that come as events leave the loop its turns anyway.
      if (immediate) expect(rests).toBeGreaterThanOrEqual(6);
      expect(turns).toBeGreaterThan(5);
    });

    test('of the table ends with an error where services come and go without end', async () => {
      const { kernel, client } = await start(immediate);
      const other = await IpvsClient.open({ transport: kernel.transport() });
      clients.push(other);
      await client.batch(adds(3));
      let dumps = 0;
      kernel.faults = {
        before: ({ command }) => {
          if (command === 'GET_SERVICE' && ++dumps % 2 === 0) void other.addService(service(dumps + 10));
        },
      };
      expect(await code(client.listTable())).toBe('interrupted');
    });
  });

  describe('a reply', () => {
    test('that is lost is a timeout, and the next request works', async () => {
      const { kernel, client } = await start(immediate);
      kernel.faults = { replies: () => [] };
      await expect(client.getInfo()).rejects.toMatchObject({
        code: 'timeout',
        op: 'get-info',
        message: 'get info: no reply within 60 ms',
      });
      kernel.faults = {};
      expect(await client.getInfo()).toMatchObject({ version: '1.2.1' });
    });

    test('to a request that was given up is not taken for the answer to the next', async () => {
      const { kernel, client } = await start(immediate);
      let held: readonly Uint8Array[] = [];
      kernel.faults = {
        replies: (datagrams) => {
          held = datagrams;
          return [];
        },
      };
      expect(await code(client.getTimeouts())).toBe('timeout');
      kernel.faults = { replies: (datagrams) => [...held, ...datagrams] };
      expect(await client.getInfo()).toEqual({ version: '1.2.1', connectionTableSize: 4096 });
    });

    test.each([
      [1, 'timeout'],
      [15, 'timeout'],
      [16, 'malformed-reply'],
      [19, 'malformed-reply'],
      [20, 'malformed-reply'],
      [40, 'malformed-reply'],
    ])('cut off after %i bytes is no answer (%s), and the next request works', async (length, expected) => {
      const { kernel, client } = await start(immediate);
      await client.batch(adds(2));
      kernel.faults = { replies: (datagrams) => datagrams.map((bytes) => bytes.slice(0, length)) };
      expect(await code(client.listServices())).toBe(expected);
      kernel.faults = {};
      expect(await client.listServices()).toHaveLength(2);
    });

    test('that another process sent before the request answers nothing', async () => {
      const { kernel, client } = await start(immediate);
      await client.batch(adds(2));
      const forged = Array.from({ length: 1_000 }, (_bytes, index) => [
        message(NLMSG.ERROR, 0, 1 + index, Uint8Array.of(0xff, 0xff, 0xff, 0xff)),
        message(NLMSG.DONE, NLM_F.MULTI, 1 + index, new Uint8Array(4)),
        message(NLMSG.ERROR, 0, 1 + index, new Uint8Array(4)).fill(0xff, 0, 4),
      ]).flat();
      forged.push(new Uint8Array(65_536));
      kernel.faults = { replies: (datagrams) => [...forged, ...datagrams] };
      expect(await client.listServices()).toHaveLength(2);
      expect(await client.batch(adds(3))).toMatchObject([{ index: 0 }, { index: 1 }]);
      expect(await client.getTimeouts()).toBeDefined();
    });

    test('that is empty is waited past', async () => {
      const { kernel, client } = await start(false);
      kernel.faults = { replies: (datagrams) => [new Uint8Array(), ...datagrams] };
      expect(await client.getInfo()).toMatchObject({ version: '1.2.1' });
    });

    test('of damaged bytes gives an answer or an IpvsError, and the next request works', async () => {
      const { kernel, client } = await start(immediate);
      await client.batch(adds(2));
      const damage = fc.record({ part: fc.nat(3), at: fc.nat(400), to: fc.nat(255) });
      await fc.assert(
        fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
          kernel.faults = {
            replies: (datagrams) =>
              datagrams.map((bytes, part) => {
                const copy = bytes.slice();
                for (const each of damages)
                  if (each.part === part && each.at < copy.length) copy[each.at] = each.to;
                return copy;
              }),
          };
          const outcome = await code(client.listTable());
          expect(outcome).not.toMatch(/^foreign/);
          kernel.faults = {};
          expect(await client.listServices()).toHaveLength(2);
        }),
        { numRuns: 60 },
      );
    });
  });

  test('a send that the socket refuses is an error of that request only', async () => {
    const { kernel, client } = await start(immediate);
    kernel.faults = { send: Object.assign(new Error('no buffer space'), { code: 'ENOBUFS' }) };
    await expect(client.getInfo()).rejects.toThrow('no buffer space');
    kernel.faults = {};
    expect(await client.getInfo()).toMatchObject({ version: '1.2.1' });
  });

  test('requests made at the same time are answered each by its own reply', async () => {
    const { client } = await start(immediate);
    await client.batch(adds(5));
    const [info, services, timeouts, failures] = await Promise.all([
      client.getInfo(),
      client.listServices(),
      client.getTimeouts(),
      client.batch(adds(2)),
    ]);
    expect(info.version).toBe('1.2.1');
    expect(services).toHaveLength(5);
    expect(timeouts.udpSeconds).toBe(300);
    expect(failures).toHaveLength(2);
  });
});

describe('close', () => {
  test('rejects what is pending and what comes after, and may be called twice', async () => {
    const { kernel, client } = await start(false);
    kernel.faults = { replies: () => [] };
    const pending = [client.getInfo(), client.listTable(), client.batch(adds(2))].map(code);
    client.close();
    client.close();
    expect(await Promise.all(pending)).toEqual(['closed', 'closed', 'closed']);
    expect(await code(client.getInfo())).toBe('closed');
    expect(await code(client.batch(adds(1)))).toBe('closed');
  });

  test('inside the reply to another request harms nothing', async () => {
    const { client } = await start(false);
    const first = client.getInfo().then(() => client.close());
    const second = code(client.getTimeouts());
    await first;
    expect(['closed', 'no error']).toContain(await second);
  });
});
