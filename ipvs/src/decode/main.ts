/** The command line of the library: `ipvs-netlink-ts decode`. */

import { createReadStream, fstatSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { decode, formatDecoded, jsonOf } from './decode.ts';
import { MAX_INPUT } from './input.ts';

const USAGE = `Usage: ipvs-netlink-ts decode [options] [FILE]

Decodes the netlink messages of IPVS in FILE, or in standard input: command, flags, sequence number and attributes,
with the names of the kernel's netlink specification.

FILE is one of
  the output of strace, for example of: strace -xx -s 65535 -e trace=network -o FILE ipvsadm -Ln
  a hex dump, plain or of xxd, hexdump -C or tcpdump -xx
  a capture (pcap) of an nlmon device, as tcpdump -s 0 -w writes it

Options:
  -o, --output FORMAT  text (default) or json
  --family NUMBER      number of the IPVS family in that kernel; needed only if the input does not show it
  -h, --help           show this help

Exit status: 0 if a message was found, 1 if none was, 2 if the arguments or FILE cannot be used.
`;

/** Runs the command and resolves with its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
    if (parsed.values.help) return print(USAGE, 0);
    return await run(parsed);
  } catch (error) {
    process.stderr.write(`ipvs-netlink-ts: ${(error as Error).message}\n`);
    return 2;
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o', default: 'text' },
      family: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
}

async function run({ values, positionals }: ReturnType<typeof parse>): Promise<number> {
  const [command, file, ...more] = positionals;
  if (command !== 'decode' || more.length > 0) {
    const what = command === undefined ? 'no command' : JSON.stringify(positionals.join(' '));
    throw new Error(`${what}: expected decode [FILE]; --help shows more`);
  }
  const { output, family } = values;
  if (output !== 'text' && output !== 'json')
    throw new Error(`--output ${JSON.stringify(output)}: expected text or json`);
  if (family !== undefined && !(/^\d{2,5}$/.test(family) && Number(family) > 16 && Number(family) < 65536))
    throw new Error(`--family ${JSON.stringify(family)}: expected a number from 17 to 65535`);

  const decoded = decode(await read(file), { family: family === undefined ? undefined : Number(family) });
  const text = output === 'json' ? `${jsonOf(decoded)}\n` : formatDecoded(decoded);
  if (decoded.messages.length > 0) return print(text, 0);
  process.stderr.write('ipvs-netlink-ts: no netlink message found; --help lists the formats\n');
  return print(text, 1);
}

/** Reads the file or standard input, up to the limit of the decoder: either may be endless. */
async function read(file: string | undefined): Promise<Uint8Array> {
  if (file === undefined && process.stdin.isTTY)
    throw new Error('nothing to decode: name a FILE, or pipe the input in; --help shows more');
  const parts: Buffer[] = [];
  let size = 0;
  try {
    // Node treats standard input that is not a file, pipe, socket or terminal as empty.
    if (file === undefined && fstatSync(0).isDirectory())
      throw Object.assign(new Error(), { code: 'EISDIR' });
    // One byte past the limit shows that there is more.
    for await (const part of file === undefined ? process.stdin : createReadStream(file)) {
      parts.push(part);
      size += part.length;
      if (size > MAX_INPUT) break;
    }
  } catch (error) {
    throw new Error(`decode ${file ?? 'standard input'}: ${reasonOf(error)}; --help lists the formats`);
  }
  return Buffer.concat(parts).subarray(0, MAX_INPUT + 1);
}

/** Why reading failed, without the name of the system call. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message.split(', ')[0] ?? message;
}

const REASONS: Readonly<Record<string, string>> = {
  EISDIR: 'it is a directory, expected a file',
  ENOENT: 'there is no such file or directory',
  EACCES: 'access denied',
};

function print(text: string, status: number): number {
  // The reader may close the pipe early, as `head` does.
  process.stdout.on('error', () => {});
  process.stdout.write(text);
  return status;
}
