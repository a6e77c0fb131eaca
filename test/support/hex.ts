/** Bytes as hex, in groups of four, which is how netlink aligns everything: `06000200 00500000`. */
export function hex(bytes: Uint8Array): string {
  return (
    Buffer.from(bytes)
      .toString('hex')
      .match(/.{1,8}/g) ?? []
  ).join(' ');
}

/** The bytes of a hex text; blanks are ignored. */
export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}
