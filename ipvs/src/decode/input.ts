import { type Direction, Finds, type Origin } from './found.ts';
import { type DumpLine, dumpLine, HexDump, roomForSqueezed } from './hex-dump.ts';
import { isCapture, readCapture } from './pcap.ts';
import { addCall } from './strace.ts';

/** Limit for the input, in bytes. For a table of 11,000 entries strace prints half as much. */
export const MAX_INPUT = 64 * 1024 * 1024;

const CALL =
  /(?:^|[\s\]]|<\.\.\. )(sendto|sendmsg|sendmmsg|writev?|recvfrom|recvmsg|recvmmsg|readv?)(?:\(| resumed>)/;
/** A line of `strace -e write=all -e read=all`. */
const STRACE_DUMP = /^ \| [0-9a-f]{5,} {2}((?:[0-9a-f]{2}(?: {1,2}|$)){1,16})/i;
/** Finds the netlink messages in the output of strace, a hex dump or a packet capture of an nlmon device. */
export function findMessages(input: Uint8Array): Finds {
  const finds = new Finds();
  if (input.length > MAX_INPUT) finds.note(`only the first ${MAX_INPUT >> 20} MiB of the input are read`);
  const bytes = input.subarray(0, MAX_INPUT);
  if (isCapture(bytes)) readCapture(bytes, finds);
  else readText(Buffer.from(bytes).toString('latin1'), finds);
  return finds;
}

/** A system call, and the dump of its data if strace prints one. */
interface Call {
  readonly origin: Origin;
  readonly text: string;
  /** Whether the call only peeks (MSG_PEEK): a later call reads the same data. */
  readonly isPeek: boolean;
  readonly data: HexDump;
}

function readText(text: string, finds: Finds): void {
  const reader = new TextReader(finds);
  for (const row of rowsOf(text)) reader.read(row);
  reader.close();
}

/** Reads text line by line, and distinguishes system calls, their dumps and other dumps. */
class TextReader {
  readonly #finds: Finds;
  readonly #room = roomForSqueezed();
  #line = 0;
  #call: Call | undefined;
  /** The current dump that does not belong to a call. */
  #dump: { readonly origin: Origin; readonly data: HexDump } | undefined;

  constructor(finds: Finds) {
    this.#finds = finds;
  }

  read(row: string): void {
    this.#line++;
    if (row === '') {
      this.close();
      return;
    }
    const name = CALL.exec(row)?.[1];
    if (name === undefined) {
      this.#readData(row);
      return;
    }
    this.close();
    const origin = { line: this.#line, call: name, direction: directionOf(name) };
    const isPeek = row.includes('MSG_PEEK');
    this.#call = { origin, text: row, isPeek, data: new HexDump(this.#room) };
  }

  #readData(row: string): void {
    const hex = STRACE_DUMP.exec(row)?.[1];
    if (hex !== undefined && this.#call !== undefined) this.#call.data.add({ hex });
    else if (this.#dump !== undefined && row.trimEnd() === '*') this.#dump.data.squeeze();
    else {
      const line = dumpLine(row, this.#dump?.data);
      if (line !== undefined) this.#addToDump(line);
      // strace prints the length of a dump before it, in a line that starts with ` * `.
      else if (!row.startsWith(' * ')) this.close();
    }
  }

  #addToDump(line: DumpLine): void {
    if (line.offset === 0 || this.#call !== undefined) this.close();
    this.#dump ??= { origin: { line: this.#line }, data: new HexDump(this.#room) };
    this.#dump.data.add(line);
  }

  /** Ends the current call and dump, and adds their messages. */
  close(): void {
    if (this.#call !== undefined && !this.#call.isPeek) addCallOf(this.#call, this.#finds);
    if (this.#dump !== undefined) this.#finds.addDatagram(this.#dump.data.bytes, this.#dump.origin, false);
    this.#call = undefined;
    this.#dump = undefined;
  }
}

/** Iterates over the lines of a text. An array of all lines could take gigabytes, for megabytes of line breaks. */
function* rowsOf(text: string): Generator<string> {
  let at = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', at)) {
    yield text.slice(at, end);
    at = end + 1;
  }
  yield text.slice(at);
}

function directionOf(call: string): Direction {
  return /^(?:send|write)/.test(call) ? 'to-kernel' : 'from-kernel';
}

function addCallOf({ origin, text, data }: Call, finds: Finds): void {
  const { bytes } = data;
  if (bytes.length > 0) finds.addDatagram(bytes, origin, false);
  else addCall(text, origin, finds);
}
