import { describe, expect, test } from '@jest/globals';
import { fromHex } from '../../support/hex.ts';
import { corpus } from './corpus.ts';
import { Fuzzer } from './fuzz.ts';
import { readReply } from './target.ts';

describe('changed replies', () => {
  test('are read to a result or an IpvsError, and nothing else; a client goes on after them', async () => {
    const fuzzer = new Fuzzer(20_261_123);
    await fuzzer.run(10_000);
    expect(fuzzer.sessions).toBe(2);
    // What it reaches shrinks when the mutators no longer understand the replies.
    expect(fuzzer.reached.outcomes).toBeGreaterThan(150);
  });

  test.each([
    [
      'an error whose request says that it is longer than 2 GiB',
      '2c000000 02000002 07000000 00000000 eaffffff eaeaeaea 0980180000000000 08801400 00000000 00000000',
    ],
  ])('that once gave another error: %s', (_, bytes) => {
    expect(() => readReply(fromHex(bytes))).not.toThrow();
  });

  test('come from replies to every command, which are read without an error', () => {
    const said = new Set(corpus().flatMap(readReply));
    for (const what of ['service', 'destination', 'info', 'timeouts', 'daemon', 'family', 'error'])
      expect([...said]).toContain(what);
  });
});
