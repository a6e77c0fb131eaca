/** One RecordIO record: the length of the JSON in bytes, a newline, the JSON. */
export function record(json: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(json));
  return Buffer.concat([Buffer.from(`${body.length}\n`), body]);
}

/** Cuts bytes into pieces of these sizes, over and over. */
export function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = Math.max(1, sizes[pieces.length % sizes.length] ?? bytes.length);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
