import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { unzip } from '../../../controller/http/unzip.ts';

/**
 * Texts of which the zipped form is small, so that they are unzipped at once; large; and small though the text is larger
 * than what is unzipped at once.
 */
const LETTERS = Array.from({ length: 200_000 }, (_, i) => ((i * 7_919) % 99_991).toString(36)).join('');
const TEXTS = { small: LETTERS.slice(0, 2_000), large: LETTERS, swelling: 'x'.repeat(3_000_000) };

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function whole(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const read: Uint8Array[] = [];
  for await (const piece of pieces) read.push(piece);
  return Buffer.concat(read).toString();
}

test.each(Object.entries(TEXTS))('a %s body is unzipped, in whatever pieces it comes', async (name, text) => {
  const zipped = gzipSync(text);
  expect(zipped.length > 16_384).toBe(name === 'large');
  for (const size of [zipped.length, 5_000, 7]) expect(await whole(unzip(inPieces(zipped, size)))).toBe(text);
});

test.each(Object.entries(TEXTS))('a %s body that is no gzip, or breaks off, is told', async (_, text) => {
  await expect(whole(unzip(inPieces(Buffer.from(text), 5_000)))).rejects.toMatchObject({
    code: 'Z_DATA_ERROR',
  });
  const zipped = gzipSync(text);
  await expect(whole(unzip(inPieces(zipped.subarray(0, -9), 5_000)))).rejects.toThrow(
    'unexpected end of file',
  );
});

test.each([10, 20_000])('what the connection fails with is told, after %i bytes too', async (length) => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield gzipSync(LETTERS).subarray(0, length);
    throw new Error('other side closed');
  }
  await expect(whole(unzip(failing()))).rejects.toThrow('other side closed');
});
