import { type Direction, Finds, type Origin } from './found.ts';
import { isPcap, readPcap } from './pcap.ts';
import { addCall } from './strace.ts';

/** What is read of the input; with 11,000 entries of a table strace writes half as much. */
export const MAX_INPUT = 64 * 1024 * 1024;

const CALL =
  /(?:^|[\s\]]|<\.\.\. )(sendto|sendmsg|sendmmsg|writev?|recvfrom|recvmsg|recvmmsg|readv?)(?:\(| resumed>)/;
/** A line of `strace -e write=all -e read=all`. */
const STRACE_DUMP = /^ \| [0-9a-f]{5,} {2}((?:[0-9a-f]{2}(?: {1,2}|$)){1,16})/i;
/** A line of xxd, tcpdump -x (both with a colon) or hexdump -C (with two blanks): the offset, and the rest. */
const OFFSET_DUMP = /^\s*(?:0x)?([0-9a-f]{4,8})(?:: | {2})\s*(.*)$/i;
/** What may stand before hex digits, as an arrow for the direction. */
const ARROW = /^\s*[<>] /;

/** Finds the netlink messages of strace's output, of a hex dump, or of a packet capture of an nlmon device. */
export function findMessages(input: Uint8Array): Finds {
  const finds = new Finds();
  if (input.length > MAX_INPUT) finds.note(`only the first ${MAX_INPUT >> 20} MiB of the input are read`);
  const bytes = input.subarray(0, MAX_INPUT);
  if (isPcap(bytes)) readPcap(bytes, finds);
  else readText(Buffer.from(bytes).toString('latin1'), finds);
  return finds;
}

/** What the lines since the last call, or since the last other line, come to. */
interface Block {
  readonly origin: Origin;
  /** The line of the call; absent for a hex dump. */
  readonly text?: string;
  /** A look at what is read again afterwards. */
  readonly isPeek: boolean;
  hex: string;
}

function readText(text: string, finds: Finds): void {
  let block: Block | undefined;
  const close = () => {
    if (block && !block.isPeek) addBlock(block, finds);
    block = undefined;
  };
  let line = 0;
  for (const row of text.split('\n')) {
    line++;
    const call = CALL.exec(row)?.[1];
    if (call !== undefined) {
      close();
      const origin = { line, call, direction: directionOf(call) };
      block = { origin, text: row, isPeek: row.includes('MSG_PEEK'), hex: '' };
      continue;
    }
    const dump = STRACE_DUMP.exec(row)?.[1];
    if (dump !== undefined && block?.text !== undefined) {
      block.hex += dump;
      continue;
    }
    const { hex, begins } = hexOf(row);
    if (hex === undefined) {
      // strace says how long its dump is before it.
      if (!row.startsWith(' * ')) close();
      continue;
    }
    if (begins || block?.text !== undefined) close();
    block ??= { origin: { line }, isPeek: false, hex: '' };
    block.hex += hex;
  }
  close();
}

function directionOf(call: string): Direction {
  return /^(?:send|write)/.test(call) ? 'to-kernel' : 'from-kernel';
}

/** The hex digits of a line, and whether it is the first of a dump; undefined where it has none. */
function hexOf(row: string): { readonly hex?: string; readonly begins?: boolean } {
  const [, offset, rest] = OFFSET_DUMP.exec(row) ?? [];
  if (offset !== undefined && rest !== undefined) {
    // What the bytes are as text comes after a bar, or after two blanks.
    const [bytes = ''] = rest.includes('|') ? rest.split('|', 1) : rest.split('  ', 1);
    return isHex(bytes, BLANKS) ? { hex: bytes, begins: Number.parseInt(offset, 16) === 0 } : {};
  }
  const plain = row.replace(ARROW, '').replaceAll(/0x/gi, ' ');
  return isHex(plain, `${BLANKS}:,`) ? { hex: plain } : {};
}

const BLANKS = ' \t\r';
const HEX_DIGITS = '0123456789abcdefABCDEF';

/**
 * Whether a text is whole bytes in hex, in any groups. Not a regular expression: one that repeats a group runs out of stack
 * on a line of some megabytes.
 */
function isHex(text: string, separators: string): boolean {
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    if (separators.includes(text.charAt(at))) at++;
    else if (!HEX_DIGITS.includes(text[at] ?? ' ') || !HEX_DIGITS.includes(text[at + 1] ?? ' ')) return false;
    else {
      bytes++;
      at += 2;
    }
  }
  return bytes > 0;
}

function addBlock({ origin, text, hex }: Block, finds: Finds): void {
  if (hex !== '') finds.addDatagram(Buffer.from(hex.replaceAll(/[^0-9a-f]/gi, ''), 'hex'), origin, false);
  else if (text !== undefined) addCall(text, origin, finds);
}
