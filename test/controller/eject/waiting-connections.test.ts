import { expect, test } from '@jest/globals';
import { type Netlink, NLM_F } from 'ipvs-netlink-ts/netlink';
import { createWaitingConnections } from '../../../controller/eject/waiting-connections.ts';

// As Linux 6.1 gives them: 11.0.0.1:80 and [fd11::1]:80 are VIPs whose backends drop everything; the third is answered.
const STATS = '00000000 08000100 00000003 08000200 00002000';
const WAITS = `
  02000000 34000180 14000180 08000100 0b000001 08000200 0b000001 1c000280 05000100 06000000 06000200 92500000 06000300 00500000
  34000280 14000180 08000100 0a090009 08000200 0b000001 1c000280 05000100 06000000 06000200 1f900000 06000300 92500000
  08000300 00000008 08000800 00000000 08000c00 aa427410 08000b00 00000001 08000700 00000703
  30000480 2c000180 05000100 01000000 05000200 07000000 05000300 00000000 06000400 03000000 06000500 00000000`;
const WAITS_V6 = `
  0a000000 4c000180 2c000180 14000300 fd090000000000000000000000000001 14000400 fd110000000000000000000000000001
  1c000280 05000100 06000000 06000200 ac540000 06000300 00500000
  4c000280 2c000180 14000300 fd090000000000000000000000000009 14000400 fd090000000000000000000000000001
  1c000280 05000100 06000000 06000200 1f900000 06000300 ac540000
  08000300 00000008 08000800 00000000 08000c00 2d4f122c 08000b00 00000001 08000700 00000713
  30000480 2c000180 05000100 01000000 05000200 07000000 05000300 00000000 06000400 03000000 06000500 00000000`;
const ANSWERED = `
  02000000 34000180 14000180 08000100 0a090001 08000200 0a090001 1c000280 05000100 06000000 06000200 9d0a0000 06000300 1fa30000
  34000280 14000180 08000100 0a090001 08000200 0a090001 1c000280 05000100 06000000 06000200 1fa30000 06000300 9d0a0000
  08000300 0000000e 08000800 00000000 08000c00 21b305fe 08000b00 00000001 08000700 00000733
  30000480 2c000180 05000100 07000000 05000200 07000000 05000300 07000000 06000400 23000000 06000500 27000000`;
/** IPS_SEEN_REPLY is to be 0. */
const FILTER = '00000000 08000300 00000000 08001a00 00000002';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

/** Connection tracking that answers a dump with these. */
function tracking(replies: readonly string[] | Error) {
  const asked: string[] = [];
  let isClosed = false;
  const netlink: Netlink = {
    async request(type, flags, payload) {
      const isDump = flags === NLM_F.DUMP;
      asked.push(`${type.toString(16)} ${Buffer.from(payload).toString('hex')}`);
      if (replies instanceof Error) throw replies;
      return isDump ? replies.map(bytes) : [bytes(STATS)];
    },
    transaction: async () => [],
    close: () => {
      isClosed = true;
    },
  };
  return { waiting: createWaitingConnections(() => netlink), asked, isClosed: () => isClosed };
}

test('connections without an answer are named as the table of IPVS names them', async () => {
  const { waiting, asked, isClosed } = tracking([WAITS, WAITS_V6]);
  expect(await waiting.read(3)).toEqual([
    'TCP 0B000001 9250 0B000001 0050 0A090009 1F90',
    'TCP fd09:0000:0000:0000:0000:0000:0000:0001 AC54 fd11:0000:0000:0000:0000:0000:0000:0001 0050 fd09:0000:0000:0000:0000:0000:0000:0009 1F90',
  ]);
  expect(asked).toEqual(['105 00000000', `101 ${FILTER.replaceAll(' ', '')}`]);
  waiting.close();
  expect(isClosed()).toBe(true);
});

test('a kernel that knows no such filter is asked once', async () => {
  const { waiting, asked } = tracking([WAITS, ANSWERED]);
  expect(await waiting.read(3)).toBeNull();
  for (let read = 0; read < 1_000; read += 1) expect(await waiting.read(3)).toBeNull();
  expect(asked).toHaveLength(2);
});

test.each([
  ['that has too few connections, as one that nobody uses', tracking([]), 7, 1],
  ['that refuses', tracking(new Error('EINVAL')), 3, 1],
] as const)(
  'connection tracking %s is asked again some time later',
  async (_, { waiting, asked }, connections, each) => {
    expect(await waiting.read(connections)).toBeNull();
    for (let read = 0; read < 300; read += 1) expect(await waiting.read(connections)).toBeNull();
    expect(asked).toHaveLength(each);
    await waiting.read(connections);
    expect(asked).toHaveLength(2 * each);
  },
);

test('nor are connections counted that have begun otherwise than with a SYN', async () => {
  // What goes on without a reply since before connection tracking began is ESTABLISHED.
  const goesOn = WAITS.replace('2c000180 05000100 01000000', '2c000180 05000100 03000000');
  expect(goesOn).not.toBe(WAITS);
  expect(await tracking([goesOn, WAITS]).waiting.read(3)).toHaveLength(1);
});
