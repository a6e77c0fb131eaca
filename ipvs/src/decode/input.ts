import { type Direction, Finds, type Origin } from './found.ts';
import { type DumpLine, dumpLine, HexDump, roomForSqueezed } from './hex-dump.ts';
import { isCapture, readCapture } from './pcap.ts';
import { addCall } from './strace.ts';

/** What is read of the input; with 11,000 entries of a table strace writes half as much. */
export const MAX_INPUT = 64 * 1024 * 1024;

const CALL =
  /(?:^|[\s\]]|<\.\.\. )(sendto|sendmsg|sendmmsg|writev?|recvfrom|recvmsg|recvmmsg|readv?)(?:\(| resumed>)/;
/** A line of `strace -e write=all -e read=all`. */
const STRACE_DUMP = /^ \| [0-9a-f]{5,} {2}((?:[0-9a-f]{2}(?: {1,2}|$)){1,16})/i;
/** Finds the netlink messages of strace's output, of a hex dump, or of a packet capture of an nlmon device. */
export function findMessages(input: Uint8Array): Finds {
  const finds = new Finds();
  if (input.length > MAX_INPUT) finds.note(`only the first ${MAX_INPUT >> 20} MiB of the input are read`);
  const bytes = input.subarray(0, MAX_INPUT);
  if (isCapture(bytes)) readCapture(bytes, finds);
  else readText(Buffer.from(bytes).toString('latin1'), finds);
  return finds;
}

/** A system call, and the dump of its data where strace writes one. */
interface Call {
  readonly origin: Origin;
  readonly text: string;
  /** A look at what is read again afterwards. */
  readonly isPeek: boolean;
  readonly data: HexDump;
}

function readText(text: string, finds: Finds): void {
  const reader = new TextReader(finds);
  for (const row of rowsOf(text)) reader.read(row);
  reader.close();
}

/** Tells calls, their dumps and other dumps apart, line by line. */
class TextReader {
  readonly #finds: Finds;
  readonly #room = roomForSqueezed();
  #line = 0;
  #call: Call | undefined;
  /** One that belongs to no call. */
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
      // strace says how long its dump is before it.
      else if (!row.startsWith(' * ')) this.close();
    }
  }

  #addToDump(line: DumpLine): void {
    if (line.offset === 0 || this.#call !== undefined) this.close();
    this.#dump ??= { origin: { line: this.#line }, data: new HexDump(this.#room) };
    this.#dump.data.add(line);
  }

  /** What was read until now belongs to nothing that follows. */
  close(): void {
    if (this.#call !== undefined && !this.#call.isPeek) addCallOf(this.#call, this.#finds);
    if (this.#dump !== undefined) this.#finds.addDatagram(this.#dump.data.bytes, this.#dump.origin, false);
    this.#call = undefined;
    this.#dump = undefined;
  }
}

/** The lines of a text, one at a time: of many megabytes of line breaks all of them would need gigabytes. */
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
