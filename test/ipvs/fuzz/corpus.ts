/** What kernels really answered: every command of ipvsadm, from the captures. */

import { readdirSync, readFileSync } from 'node:fs';
import { findMessages } from '../../../ipvs/src/decode/input.ts';
import { message } from '../../../ipvs/src/message.ts';
import { NLM_F, NLMSG } from '../../../ipvs/src/uapi.ts';
import { fromHex } from '../../support/hex.ts';

const FAMILY = 28;
const SEQ = 7;
const captures = new URL('../captures/', import.meta.url);

/** Replies, each a whole message, none of them twice. */
export function corpus(): readonly Uint8Array[] {
  const replies = readdirSync(captures)
    .filter((name) => name.endsWith('.txt') && name !== 'strace.txt')
    .flatMap((name) => recorded(readFileSync(new URL(name, captures), 'utf8')));
  const traced = findMessages(readFileSync(new URL('strace.txt', captures)))
    .messages.filter(({ direction }) => direction === 'from-kernel')
    .map(({ bytes }) => bytes);
  const all = [...replies, ...traced, ...constructed];
  return [...new Map(all.map((bytes) => [Buffer.from(bytes).toString('hex'), bytes])).values()];
}

/** Captures are without the netlink header; a number before a colon is a type other than the family's. */
function recorded(text: string): Uint8Array[] {
  return [...text.matchAll(/^< (?:(\d+): )?(.*)$/gm)].map(([, type, payload = '']) =>
    message(type === undefined ? FAMILY : Number(type), NLM_F.MULTI, SEQ, fromHex(payload)),
  );
}

/** What ipvsadm does not get to see: sync daemons, the kernel's words, a dump that others disturbed, lost replies. */
const constructed: readonly Uint8Array[] = [
  message(
    FAMILY,
    NLM_F.MULTI,
    SEQ,
    fromHex(
      '09010000 40000380 08000100 01000000 09000200 65746830 00000000 08000300 05000000 06000400 dc050000 08000500 e0000051 06000700 90220000 05000800 01000000',
    ),
  ),
  message(
    NLMSG.ERROR,
    NLM_F.CAPPED | NLM_F.ACK_TLVS,
    SEQ,
    fromHex('eaffffff 24000000 1c000500 07000000 00000000 0c000100 6e6f2073 75636800 08000200 14000000'),
  ),
  message(NLMSG.DONE, NLM_F.MULTI | NLM_F.DUMP_INTR, SEQ, fromHex('00000000')),
  message(NLMSG.DONE, NLM_F.MULTI, SEQ, new Uint8Array()),
  message(NLMSG.OVERRUN, 0, SEQ, new Uint8Array()),
];
