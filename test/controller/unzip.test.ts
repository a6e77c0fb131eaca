import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { unzip } from '../../controller/unzip.ts';

/** Texts of which the zipped form is small, so that they are unzipped at once, and large, so that they are beside. */
const LETTERS = Array.from({ length: 200_000 }, (_, i) => ((i * 7_919) % 99_991).toString(36)).join('');
const TEXTS = { small: LETTERS.slice(0, 2_000), large: LETTERS };

test.each(Object.entries(TEXTS))('a %s body is unzipped', async (size, text) => {
  const zipped = gzipSync(text);
  expect(zipped.length > 16_384).toBe(size === 'large');
  expect((await unzip(zipped, 10_000_000)).toString()).toBe(text);
});

test.each(Object.entries(TEXTS))(
  'a %s body rejects where it is more than the limit, or no gzip',
  async (_, text) => {
    await expect(unzip(gzipSync(text), text.length - 1)).rejects.toMatchObject({
      code: 'ERR_BUFFER_TOO_LARGE',
    });
    await expect(unzip(Buffer.from(text), 10_000_000)).rejects.toMatchObject({ code: 'Z_DATA_ERROR' });
  },
);
