/** `ipvs-netlink-ts decode`: netlink messages of other programs in words. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import {
  type Decoded,
  type DecodedAttribute,
  decode,
  formatDecoded,
  jsonOf,
} from '../../ipvs/src/decode/decode.ts';
import { ipvsSets } from '../../ipvs/src/decode/fields.ts';
import { message } from '../../ipvs/src/message.ts';
import { fromHex, hex } from '../support/hex.ts';

const strace = readFileSync(new URL('captures/strace.txt', import.meta.url), 'latin1');

function decodeText(text: string, family?: number): Decoded {
  return decode(Buffer.from(text, 'latin1'), { family });
}

/** The messages with this command, as they are printed. */
function shown(decoded: Decoded, command: string): string[] {
  const messages = decoded.messages.filter((each) => each.command === command);
  return messages.map((each) => formatDecoded({ messages: [each], notes: [] }));
}

/** As hexdump writes a dump without -v: `*` for lines like the one before. */
function squeeze(dump: string): string {
  const contentOf = (line = '') => line.slice(8);
  return dump
    .split('\n')
    .map((line, at, all) =>
      at > 0 && line.length > 8 && contentOf(line) === contentOf(all[at - 1]) ? '*' : line,
    )
    .filter((line, at, all) => line !== '*' || all[at - 1] !== '*')
    .join('\n');
}

/** The first message of the trace that changes the table. */
const ADD_SERVICE = fromHex(
  '680000001c00050009ae0b6b55023afb' +
    '0101000054000180060001000200000006000200060000001400030' +
    '00a6004080000000000000000000000000600040001bb000007000600736800000c00070019000000ffffffff080008002c01000008000900ffffff00',
);

const PERSISTENT = `
    service
      af: AF_INET
      protocol: IPPROTO_TCP
      addr: 10.96.4.8
      port: 443
      sched-name: sh
      flags: persistent|sched1|sched2 (mask 0xffffffff)
      timeout: 300 s
      netmask: 255.255.255.0 (/24)
`;

describe('what strace recorded of ipvsadm', () => {
  const decoded = decodeText(strace);

  test('a service is shown with the names and units of the specification', () => {
    const [text] = shown(decoded, 'new-service');
    expect(text).toMatch(
      /^line 8, sendmsg\n {2}> IPVS new-service {2}104 bytes, flags request\|ack, seq \d+, pid \d+\n/,
    );
    expect(text).toContain(PERSISTENT);
  });

  test('a destination is shown with its service', () => {
    expect(shown(decoded, 'new-dest')[0]).toContain(`
      port: 443
      sched-name: ""
      flags: 0 (mask 0xffffffff)
      timeout: 0 s
      netmask: 255.255.255.255 (/32)
    dest
      addr-family: AF_INET
      addr: 10.1.2.3
      port: 31244
      fwd-method: masq
      weight: 3
`);
  });

  test('the look-up of the family and its reply are shown, and tell the number of the family', () => {
    const [request, reply] = decoded.messages;
    expect(request).toMatchObject({
      family: 'nlctrl',
      command: 'getfamily',
      direction: 'to-kernel',
      type: 16,
    });
    expect(reply).toMatchObject({ family: 'nlctrl', command: 'newfamily', direction: 'from-kernel' });
    expect(reply?.attributes?.slice(0, 3)).toEqual([
      { name: 'family-name', type: 2, value: 'IPVS' },
      { name: 'family-id', type: 1, value: 28 },
      { name: 'version', type: 3, value: 1 },
    ]);
    expect(decoded.messages.find(({ command }) => command === 'get-info')?.type).toBe(28);
  });

  test('an acknowledgement and an error are shown with the request that they are about', () => {
    const errors = decoded.messages.filter(({ command }) => command === 'error');
    expect(errors[0]).toMatchObject({ errno: 0, request: { family: 'nlctrl', direction: 'to-kernel' } });
    expect(errors.find(({ errno }) => errno === 17)).toMatchObject({
      error: 'EEXIST',
      flags: '0',
      request: {
        family: 'IPVS',
        command: 'new-service',
        flags: 'request|ack',
        attributes: [{ name: 'service' }],
      },
    });
  });

  test.each([
    ['-ENOENT', 'error 2 ENOENT'],
    ['-ESHUTDOWN', 'error 108 ESHUTDOWN'],
    ['-524', 'error 524 errno 524'],
  ])('an error that strace calls %s is never a success', (name, expected) => {
    const about = 'msg={nlmsg_len=20, nlmsg_type=IPVS, nlmsg_flags=NLM_F_REQUEST, nlmsg_seq=1, nlmsg_pid=0}';
    const header = 'nlmsg_len=36, nlmsg_type=NLMSG_ERROR, nlmsg_flags=NLM_F_CAPPED, nlmsg_seq=1, nlmsg_pid=1';
    const [text] = shown(
      decodeText(`recvfrom(3, [{${header}}, {error=${name}, ${about}}], 100) = 36`),
      'error',
    );
    expect(text).toContain(expected);
  });

  test.each([
    [
      'error',
      '{nlmsg_len=36, nlmsg_type=NLMSG_ERROR,',
      '{error=-EUSERS, msg={nlmsg_len=20, nlmsg_type=IPVS, nlmsg_flags=0, nlmsg_seq=5, nlmsg_pid=0}}',
    ],
    ['done', '{nlmsg_len=20, nlmsg_type=NLMSG_DONE,', '-EUSERS'],
  ])('of an %s that Node has no number for the name is reported', (command, header, rest) => {
    const rows = `recvfrom(3, [${header} nlmsg_flags=0, nlmsg_seq=5, nlmsg_pid=1}, ${rest}], 100) = 36`;
    const { messages } = decodeText(rows);
    const notes = expect.arrayContaining(['unknown error name -EUSERS']);
    expect(messages).toMatchObject([{ command, notes }]);
    expect(messages[0]).not.toHaveProperty('errno');
  });

  test('a dump is shown with its parts and its end', () => {
    const [service] = shown(decoded, 'new-service').filter((text) => text.includes('multi'));
    expect(service).toContain('\n      flags: persistent|hashed|sched1|sched2 (mask 0xffffffff)\n');
    expect(service).toContain('\n      stats64\n        conns: 0\n        inpkts: 0\n');
    expect(service).toContain('\n        inbps: 0/s\n');
    expect(shown(decoded, 'get-service').at(-1)).toContain('flags request|ack|dump');
    expect(shown(decoded, 'done')[0]).toMatch(/< done 0 \(success\) {2}20 bytes, flags multi, /);
  });

  test('nothing in it is unknown, and nothing is left over', () => {
    const unknown = JSON.stringify(decoded).match(/"(?:note|hex)":"[^"]*"/g);
    expect([unknown, decoded.notes]).toEqual([null, []]);
    expect(decoded.messages.flatMap(({ notes }) => notes)).toEqual([]);
  });

  test('a look at what is read again afterwards counts once', () => {
    const peek = strace.replaceAll('msg_flags=0}, 0) =', 'msg_flags=0}, MSG_PEEK|MSG_TRUNC) =');
    expect(decodeText(peek + strace).messages).toHaveLength(decoded.messages.length);
  });

  test('without its -s, what strace left out is said', () => {
    const short = strace.replaceAll(/"((?:\\x[0-9a-f]{2}){32})(?:\\x[0-9a-f]{2})+"/g, '"$1"...');
    const [text] = shown(decodeText(short), 'new-service');
    expect(text).toContain('note: 56 of 104 bytes are missing (strace shows all with -s 65535)');
    expect(text).toContain(
      '\n      protocol: IPPROTO_TCP\n      addr: 14000300 0a600408  (length 20, with 8 bytes left)\n',
    );
  });
});

/** The bytes as strace writes them where it does not know that they are netlink. */
const octal = (bytes: Uint8Array) =>
  [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
const hexEscapes = (bytes: Uint8Array) =>
  [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
const sendto = (text: string) => `sendto(3, "${text}", 104, 0, {sa_family=AF_NETLINK}, 12) = 104`;

function xxd(bytes: Uint8Array): string {
  const rows = Array.from({ length: Math.ceil(bytes.length / 16) }, (_, row) => {
    const part = bytes.subarray(16 * row, 16 * row + 16);
    const pairs = Buffer.from(part)
      .toString('hex')
      .replaceAll(/(.{4})/g, '$1 ');
    return `${(16 * row).toString(16).padStart(8, '0')}: ${pairs.padEnd(41)} ab cd`;
  });
  return rows.join('\n');
}

function hexdump(bytes: Uint8Array): string {
  const rows = Array.from({ length: Math.ceil(bytes.length / 16) }, (_, row) => {
    const pairs = [...bytes.subarray(16 * row, 16 * row + 16)].map((byte) =>
      byte.toString(16).padStart(2, '0'),
    );
    const halves = `${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}`;
    return `${(16 * row).toString(16).padStart(8, '0')}  ${halves.padEnd(49)} |..ab|`;
  });
  return rows.join('\n');
}

/** A capture as tcpdump writes it; an nlmon device is not in every kernel, so this one is made by hand. */
function pcap(packets: readonly Uint8Array[], protocol = 16, linkType = 253): Uint8Array {
  const header = fromHex('d4c3b2a1 0200 0400 00000000 00000000 00000400');
  const parts = packets.map((packet) => {
    const size = Uint32Array.of(0, 0, packet.length + 16, packet.length + 16);
    return Buffer.concat([
      Buffer.from(size.buffer),
      fromHex('0004 0338 00000000000000000000'),
      Buffer.from([0, protocol]),
      packet,
    ]);
  });
  return Buffer.concat([header, Buffer.from(Uint32Array.of(linkType).buffer), ...parts]);
}

describe('the same message', () => {
  const bytes = ADD_SERVICE;
  test.each<[string, Uint8Array | string]>([
    ['in octal, as strace writes it without -xx', sendto(octal(bytes))],
    ['in hex, as with -xx', sendto(hexEscapes(bytes))],
    [
      'in pieces, as a list of buffers',
      `sendmsg(3<NETLINK:[1]>, {msg_iov=[{iov_base="${octal(bytes.subarray(0, 16))}", iov_len=16}, {iov_base="${octal(bytes.subarray(16))}", iov_len=88}], msg_iovlen=2}, 0) = 104`,
    ],
    [
      'of a call that was interrupted',
      `17 <... recvfrom resumed>"${octal(bytes)}", 16384, 0, NULL, NULL) = 104`.replace('>"', '>(3, "'),
    ],
    ['with process and time before it', `[pid 813] 23:08:05.606 ${sendto(hexEscapes(bytes))}`],
    [
      'in the dump of strace -e write=all',
      `${sendto('...')}\n * 104 bytes in buffer 0\n${hexdump(bytes)
        .replaceAll(/^(?:000)/gm, ' | ')
        .replaceAll(/\|\.\.ab\|$/gm, ' ..ab |')}`,
    ],
    ['as plain hex', hex(bytes)],
    ['as hex in one word', Buffer.from(bytes).toString('hex')],
    ['as hex with colons', [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')],
    ['of xxd', xxd(bytes)],
    ['of hexdump -C', hexdump(bytes)],
    ['of hexdump, with its last offset', `${hexdump(bytes)}\n00000068\n`],
    ['of tcpdump -xx', xxd(bytes).replaceAll(/^0000(?=.{4}:)/gm, '\t0x')],
    ['in a capture', pcap([bytes])],
  ])('%s', (_, input) => {
    const decoded = decode(typeof input === 'string' ? Buffer.from(input, 'latin1') : input, { family: 28 });
    expect(decoded.notes).toEqual([]);
    expect(formatDecoded(decoded)).toContain(PERSISTENT);
    expect(decoded.messages).toMatchObject([
      { length: 104, flags: 'request|ack', direction: expect.anything() },
    ]);
  });

  test('is whole where hexdump writes * for lines like the one before', () => {
    const zeros = message(28, 5, 7, new Uint8Array(108));
    const squeezed = squeeze(hexdump(zeros));
    expect(squeezed).toContain('\n*\n');
    const decoded = decodeText(squeezed, 28);
    expect(decoded.notes).toEqual([]);
    expect(decoded.messages).toEqual(decodeText(hexdump(zeros), 28).messages);
  });

  test('is whole where hexdump squeezes its end', () => {
    const zeros = message(28, 5, 7, new Uint8Array(144));
    const squeezed = squeeze(`${hexdump(zeros)}\n000000a0\n`);
    expect(squeezed).toMatch(/\*\n000000a0\n$/);
    const decoded = decodeText(squeezed, 28);
    expect(decoded.notes).toEqual([]);
    expect(decoded.messages).toEqual(decodeText(hexdump(zeros), 28).messages);
  });

  test.each([
    ['no line stands before it', '*\n00000010  00 00'],
    ['the next offset is too far', `${hexdump(bytes.subarray(0, 16))}\n*\nfffffff0  00 00\n`],
    ['the next offset lies before it', `${hexdump(bytes.subarray(0, 32))}\n*\n00000010  00 00\n`],
    ['nothing stands after it', `${hexdump(bytes.subarray(0, 16))}\n*\n`],
  ])('is as much as there is after a * where %s', (_, input) => {
    decodeText(input, 28);
  });

  test('is taken for IPVS by its attributes where nothing tells the family, and that is said', () => {
    expect(formatDecoded(decodeText(hex(bytes)))).toContain(
      'note: type 28 is probably IPVS: the input does not show the names of families',
    );
  });

  test('is shown as bytes where it has what IPVS lacks and nothing tells the family', () => {
    const other = hex(bytes).replace('06000100', '06004d00');
    const [first] = decodeText(other).messages;
    expect(first).toMatchObject({
      notes: ['unknown family: give the number of the IPVS family with --family'],
    });
    expect(first?.hex).toBe(other.split(' ').slice(4).join(' '));
    expect(formatDecoded(decodeText(other, 28))).toContain('attribute 77: 0200  (unknown attribute)');
  });
});

const HEADER_ONLY = message(28, 5, 7, new Uint8Array());

describe('what is not understood', () => {
  const service = (attributes: string) => {
    const payload = fromHex(attributes);
    const nest = Buffer.concat([Buffer.from(Uint16Array.of(payload.length + 4, 0x8001).buffer), payload]);
    return hex(message(28, 1, 7, Buffer.concat([fromHex('01010000'), nest])));
  };
  const attributesOf = (text: string) =>
    (decodeText(text, 28).messages[0]?.attributes?.[0]?.value ?? []) as DecodedAttribute[];

  test.each([
    ['a value too short', '05000100 02000000', { name: 'af', hex: '02', note: 'u16 needs 2 bytes, got 1' }],
    [
      'a length that cannot be',
      '02000100',
      { name: 'af', hex: '02000100', note: 'length 2, with 4 bytes left' },
    ],
    ['a length past the end', 'ff000100 02000000', { name: 'af', note: 'length 255, with 8 bytes left' }],
    ['a number without a name', '06000200 2f000000', { name: 'protocol', value: 47, note: 'unknown value' }],
    ['an address too short', '05000300 0a000000', { name: 'addr', hex: '0a', note: 'unknown value' }],
    ['an unknown attribute', '0500ff00 2a000000', { type: 255, hex: '2a', note: 'unknown attribute' }],
  ])('%s is bytes or a number with a note', (_, text, expected) => {
    expect(attributesOf(service(text))).toMatchObject([expected]);
  });

  test.each([
    [
      'another family',
      hex(message(40, 1, 7, fromHex('01010000 ffff0000'))),
      'unknown family: give the number of the IPVS family with --family',
    ],
    ['an unknown command', hex(message(28, 1, 7, fromHex('63010000'))), 'unknown command 99'],
    ['an unknown type', hex(message(9, 0, 7, fromHex('01020304'))), 'unknown type'],
    ['a message without a command', hex(message(28, 0, 7, fromHex('01'))), 'no command'],
  ])('%s is reported', (_, text, note) => {
    expect(decodeText(text, 28).messages[0]?.notes).toEqual([note]);
  });

  test('another netlink protocol in a capture is reported', () => {
    const { messages } = decode(pcap([HEADER_ONLY], 0));
    expect(messages[0]?.notes).toEqual(['netlink protocol 0, not generic netlink']);
  });

  test.each(['toString', 'constructor', '__proto__'])('a type or flag called %s is a name', (name) => {
    const [first] = decodeText(
      `sendto(3, [{nlmsg_len=16, nlmsg_type=${name}, nlmsg_flags=${name}, nlmsg_seq=1, nlmsg_pid=0}], 16, 0, NULL, 0) = 16`,
    ).messages;
    expect(first).toMatchObject({ family: name, flags: '0' });
  });

  test.each<[string, Uint8Array, string]>([
    [
      'in the format pcapng',
      fromHex('0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffffffffffff 1c000000'),
      'the capture is in pcapng format, expected pcap: convert it with editcap -F pcap',
    ],
    ['that ends in its header', pcap([HEADER_ONLY]).subarray(0, 20), 'the capture ends within its header'],
    [
      "that ends in a packet's header",
      Buffer.concat([pcap([HEADER_ONLY]), Buffer.alloc(9)]),
      'packet 2: the capture ends within its header',
    ],
  ])('a capture %s is reported', (_, input, note) => {
    expect(decode(input).notes).toEqual([note]);
  });

  test('what is missing of a message is reported with what would show it, where something would', () => {
    const cut = ADD_SERVICE.subarray(0, 100);
    const noteOf = (input: Uint8Array) => decode(input, { family: 28 }).messages[0]?.notes;
    expect(noteOf(Buffer.from(sendto(octal(cut))))).toEqual([
      '4 of 104 bytes are missing (strace shows all with -s 65535)',
    ]);
    expect(noteOf(pcap([cut]))).toEqual(['4 of 104 bytes are missing (tcpdump keeps all with -s 0)']);
    expect(noteOf(Buffer.from(hex(cut)))).toEqual(['4 of 104 bytes are missing']);
  });

  test('a family that the input names otherwise is reported', () => {
    const [first] = decodeText(
      'sendto(3, [{nlmsg_len=20, nlmsg_type=nl80211, nlmsg_flags=NLM_F_REQUEST, nlmsg_seq=1, nlmsg_pid=0}, "\\x05\\x00\\x00\\x00"], 20, 0, NULL, 0) = 20',
    ).messages;
    expect(first).toMatchObject({
      family: 'nl80211',
      hex: '05000000',
      notes: ['family nl80211 is not decoded'],
    });
  });

  test('what is no message is reported with its place', () => {
    expect(decodeText('sendto(3, "GET / HTTP/1.1\\r\\n\\r\\n", 18, 0, NULL, 0) = 18').notes).toEqual([
      'line 1, sendto: 18 bytes are not a netlink message',
    ]);
    expect(decodeText('0102').notes).toEqual(['line 1: 2 bytes are not a netlink message']);
    expect(decode(pcap([], 16, 1)).notes[0]).toMatch(/link type 1: expected 253/);
    expect(decodeText('')).toEqual({ messages: [], notes: [] });
  });

  test('what a terminal would obey is not printed as it is', () => {
    const text = service('0b000600 1b5d303b 780700 00');
    expect(attributesOf(text)).toMatchObject([{ name: 'sched-name', value: '\u001b]0;x\u0007' }]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not be there
    expect(formatDecoded(decodeText(text, 28))).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  test.each(['\u202e', '\u200b', '\u2028', '\u009b'])(
    'nor is %j, which a reader would not see',
    (character) => {
      const name = Buffer.from(`w${character}x\0`);
      const length = (4 + name.length).toString(16).padStart(2, '0');
      const text = service(`${length}000600 ${name.toString('hex').padEnd(16, '0').slice(0, 16)}`);
      const decoded = decodeText(text, 28);
      expect(JSON.stringify(decoded)).toContain(character);
      expect(formatDecoded(decoded)).not.toContain(character);
      expect(jsonOf(decoded)).not.toContain(character);
      expect(JSON.parse(jsonOf(decoded))).toEqual(JSON.parse(JSON.stringify(decoded)));
    },
  );
});

describe("the kernel's own words", () => {
  test('about an error are shown (extended acknowledgement), after the request or its header alone', () => {
    const request = message(28, 5, 7, fromHex('01010000'));
    const words = fromHex('0c000100 6e6f2073 756368 00 08000200 14000000');
    const capped = message(2, 0x300, 7, Buffer.concat([fromHex('eaffffff'), request.subarray(0, 16), words]));
    const whole = message(2, 0x200, 7, Buffer.concat([fromHex('eaffffff'), request, words]));
    for (const bytes of [capped, whole]) {
      expect(decodeText(hex(bytes), 28).messages).toMatchObject([
        {
          errno: 22,
          error: 'EINVAL',
          request: { family: 'IPVS' },
          attributes: [
            { name: 'msg', value: 'no such' },
            { name: 'offs', value: 20 },
          ],
        },
      ]);
    }
  });
});

test('fields have the names, and nests and lists the sets, of the specification', () => {
  const text = readFileSync(new URL('../../ipvs/spec/ipvs.yaml', import.meta.url), 'utf8');
  interface Attribute {
    readonly name: string;
    readonly 'nested-attributes'?: string;
    readonly enum?: string;
    readonly struct?: string;
  }
  const spec = parse(text) as { 'attribute-sets': { name: string; attributes: Attribute[] }[] };
  const inSpec = spec['attribute-sets'].map(({ name, attributes }) => [
    name,
    attributes.map((each, index) => [index + 1, each.name, each['nested-attributes']]),
  ]);
  const shownSets = Object.entries(ipvsSets).map(([name, set]) => [
    name,
    [...set.fields].sort(([a], [b]) => a - b).map(([type, field]) => [type, field.name, field.nest?.name]),
  ]);
  expect(Object.fromEntries(shownSets)).toEqual(Object.fromEntries(inSpec));
  const coded = spec['attribute-sets'].flatMap(({ name, attributes }) =>
    attributes.filter((each) => each.enum ?? each.struct).map((each) => [name, each.name] as const),
  );
  for (const [set, name] of coded) {
    const field = [...(ipvsSets[set]?.fields.values() ?? [])].find((each) => each.name === name);
    expect([name, typeof field?.format]).toEqual([name, 'function']);
  }
});

describe('any input', () => {
  const pieces = fc.constantFrom(
    ...strace.split('\n'),
    hex(ADD_SERVICE),
    xxd(ADD_SERVICE),
    sendto(octal(ADD_SERVICE)),
  );

  test('is decoded without an error: random bytes, and every cut of what was recorded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const input of [
          bytes,
          pcap([bytes]),
          Buffer.from(hex(bytes)),
          Buffer.from(sendto(octal(bytes))),
        ])
          formatDecoded(decode(input));
      }),
    );
    fc.assert(
      fc.property(
        pieces,
        fc.nat(),
        fc.nat(),
        fc.string({ unit: 'binary', maxLength: 4 }),
        (piece, at, skip, other) => {
          const from = at % (piece.length + 1);
          formatDecoded(decodeText(piece.slice(0, from) + other + piece.slice(from + (skip % 8))));
        },
      ),
    );
  });

  test.each([
    ['calls without an end', '(1<'.repeat(300_000)],
    ['headers without an end', `sendto(3, ${'{nlmsg_len='.repeat(100_000)}`],
    [
      'headers in one line',
      `sendto(3, ${'{nlmsg_len=20, nlmsg_type=IPVS, nlmsg_flags=0, nlmsg_seq=1, nlmsg_pid=0}, "a'.repeat(8_000)}`,
    ],
    ['strings that are not closed', `sendto(3, ${'(3, "'.repeat(100_000)}`],
    ['hex without an end', `${'00'.repeat(500_000)}Z`],
    ['hex of a line that is longer than any message', '00 '.repeat(8_000_000)],
    ['an offset before blanks', `00000000: ${' 00'.repeat(300_000)}Z`],
    ['an offset before a line that is longer than any message', `00000000: ${' 00'.repeat(8_000_000)}Z`],
    ["a line of strace's dump that does not end", `sendto(3, "")\n | 00000  ${'00 '.repeat(8_000_000)}`],
    ['attributes of no bytes', hex(message(28, 0, 1, fromHex(`01010000${'04006300'.repeat(20_000)}`)))],
    ['lines', '\n'.repeat(1_000_000)],
  ])('of many %s takes time in proportion', (_, text) => {
    decodeText(text, 28);
  });

  test('is decoded as far as there is room', () => {
    const many = Buffer.alloc(16 * 150_000);
    for (let at = 0; at < many.length; at += 16) many.set(HEADER_ONLY, at);
    const decoded = decode(pcap([many]), { family: 28 });
    expect(decoded.messages).toHaveLength(100_000);
    expect(decoded.notes).toEqual(['only the first 100000 messages are decoded']);
  });
});
