import { describe, expect, test } from '@jest/globals';
import {
  attrTable,
  be64,
  encoded,
  isIpvsError,
  list,
  openNetlink,
  type Transport,
  u8,
} from 'ipvs-netlink-ts/netlink';
import { fromHex, hex } from '../support/hex.ts';

const NFNETLINK = 12;
const NF_TABLES = 10;
const entry = attrTable('entry', { byte: { type: 1, codec: u8 } });

/** A kernel that keeps what it is sent and answers each send with these errors: sequence number within it, errno. */
function kernel(answers: (seqs: readonly number[]) => readonly (readonly [seq: number, errno: number])[]) {
  const sent: Uint8Array[] = [];
  const transport: Transport = {
    open(_protocol, events) {
      return {
        window: 200,
        send(bytes) {
          const copy = bytes.slice();
          sent.push(copy);
          const replies = answers(messages(copy).map(({ seq }) => seq)).map(([seq, errno]) =>
            reply(seq, errno),
          );
          for (const datagram of replies) setImmediate(() => events.datagram(datagram, false));
        },
        close: () => undefined,
      };
    },
  };
  return { sent, socket: openNetlink(NFNETLINK, { transport, timeoutMs: 300 }) };
}

function messages(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at, true);
    found.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      seq: view.getUint32(at + 8, true),
      payload: hex(bytes.subarray(at + 16, at + length)),
    });
    at += (length + 3) & ~3;
  }
  return found;
}

function reply(seq: number, errno: number): Uint8Array {
  const bytes = new Uint8Array(36);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 36, true);
  view.setUint16(4, 2, true); // NLMSG_ERROR
  view.setUint32(8, seq, true);
  view.setInt32(16, -errno, true);
  return bytes;
}

const three = ['first', 'second', 'third'].map((what, index) => ({
  type: 0xa00 + index,
  flags: 0x400,
  payload: fromHex('01000000'),
  what,
}));

describe('a transaction of nfnetlink', () => {
  test('is one send: BEGIN and END of the subsystem around the messages, the last of which is acknowledged', async () => {
    const { socket, sent } = kernel((seqs) => [[seqs[3] ?? 0, 0]]);
    expect(await socket.transaction(NF_TABLES, three)).toEqual([]);
    const [begin, first, second, third, end] = messages(sent[0] ?? new Uint8Array());
    expect(sent).toHaveLength(1);
    expect(begin).toMatchObject({ type: 0x10, flags: 1, payload: '0000000a' });
    expect(end).toMatchObject({ type: 0x11, flags: 1, payload: '0000000a' });
    expect([first?.flags, second?.flags, third?.flags]).toEqual([0x401, 0x401, 0x405]);
    expect([first?.type, second?.type, third?.type]).toEqual([0xa00, 0xa01, 0xa02]);
    socket.close();
  });

  test('tells which messages were refused, each with what it was to do', async () => {
    const { socket } = kernel((seqs) => [
      [seqs[1] ?? 0, 2],
      [seqs[2] ?? 0, 95],
      [seqs[3] ?? 0, 0],
    ]);
    const refusals = await socket.transaction(NF_TABLES, three);
    expect(refusals.map(({ index, error }) => [index, error.code, error.message])).toEqual([
      [0, 'not-found', 'first: ENOENT'],
      [1, 'unsupported', expect.stringMatching(/^second: E/)],
    ]);
    socket.close();
  });

  test('that is refused as a whole, by an answer to BEGIN alone, is reported at once and for its last message', async () => {
    const { socket } = kernel((seqs) => [[seqs[0] ?? 0, 1]]);
    const refusals = await socket.transaction(NF_TABLES, three);
    expect(refusals.map(({ index, error }) => [index, error.code])).toEqual([[2, 'not-permitted']]);
    socket.close();
  });

  test('without an answer rejects, since it may have been made', async () => {
    const { socket } = kernel(() => []);
    const error: unknown = await socket.transaction(NF_TABLES, three).catch((cause: unknown) => cause);
    expect(isIpvsError(error, 'timeout')).toBe(true);
    socket.close();
  });

  test('of no messages asks nothing', async () => {
    const { socket, sent } = kernel(() => []);
    expect(await socket.transaction(NF_TABLES, [])).toEqual([]);
    expect(sent).toEqual([]);
    socket.close();
  });
});

describe('lists of attributes', () => {
  const same = attrTable('sample', { entries: { type: 4, codec: list(entry, 1) } });
  const counted = attrTable('sample', { entries: { type: 4, codec: list(entry, 'counted') } });

  test('entries have one number, or are counted from one, as the list has it', () => {
    const entries = [{ byte: 7 }, { byte: 8 }];
    expect(hex(same.write({ entries }))).toBe(
      '1c000480 0c000180 05000100 07000000 0c000180 05000100 08000000',
    );
    expect(hex(counted.write({ entries }))).toBe(
      '1c000480 0c000180 05000100 07000000 0c000280 05000100 08000000',
    );
    for (const table of [same, counted]) expect(table.read(table.write({ entries }))).toEqual({ entries });
    expect(counted.read(counted.write({ entries: [] }))).toEqual({ entries: [] });
  });

  test('an entry that is longer than its list is malformed', () => {
    expect(() => same.read(fromHex('0c000480 0d000180 05000100'))).toThrow(
      expect.objectContaining({ code: 'malformed-reply' }),
    );
  });

  test('attributes that are encoded already are nested as they are', () => {
    const table = attrTable('sample', { data: { type: 2, codec: encoded } });
    const data = entry.write({ byte: 9 });
    expect(hex(table.write({ data }))).toBe('0c000280 05000100 09000000');
    expect(table.read(table.write({ data }))).toEqual({ data });
  });
});

test('a 64-bit integer of netfilter is big-endian, and has bounds', () => {
  const table = attrTable('sample', { time: { type: 11, codec: be64 } });
  expect(hex(table.write({ time: 86_400_000n }))).toBe('0c000b00 00000000 05265c00');
  expect(table.read(table.write({ time: 86_400_000n }))).toEqual({ time: 86_400_000n });
  expect(() => table.write({ time: 1n << 64n })).toThrow(expect.objectContaining({ code: 'invalid' }));
});
