import { describe, expect, test } from '@jest/globals';
import { readToken } from '../../../controller/config/token.ts';
import { refusalOf, resolve, yaml } from './resolving.ts';

describe('who is served', () => {
  test.each(['0.0.0.0:61421', '10.0.0.1:61421', '[::]:61421'])(
    'the page and the API are refused to others: %s',
    (listen) => {
      expect(refusalOf({ flags: { listen } })).toMatch(
        /^--listen .*: the page and the API are for this host alone.*--metrics-listen.*ssh -L/,
      );
    },
  );

  test('loopback is this host, and metrics may be anywhere', () => {
    const config = resolve({ flags: { listen: '[::1]:61421', metricsListen: '0.0.0.0:61422' } });
    expect([config.listen?.address, config.metricsListen?.address]).toEqual(['::1', '0.0.0.0']);
  });
});

describe('writing apps', () => {
  const writeTokenFile = yaml('a-token-of-some-length');

  test('needs a token and one Marathon to write to', () => {
    const source = ['marathon=http://10.0.0.1:8080'];
    expect(refusalOf({ flags: { allowWrites: 'true', source } })).toMatch(/--write-token-file/);
    expect(refusalOf({ flags: { allowWrites: 'true', writeTokenFile } })).toMatch(
      /needs one --source marathon=URL/,
    );
    expect(resolve({ flags: { allowWrites: 'true', writeTokenFile, source } }).allowWrites).toBe(true);
    expect(resolve({}).allowWrites).toBe(false);
  });

  test('the token is what the file holds, without the end of the line', async () => {
    expect(await readToken(yaml('a-token-of-some-length\n'))).toBe('a-token-of-some-length');
  });

  test.each(['', 'short', 'two words in one line'])(
    '%j is no token, and stays out of the message',
    async (text) => {
      const refused = await readToken(yaml(text)).catch((error: Error) => error.message);
      expect(refused).toMatch(/expected a token of at least 16 characters/);
      if (text !== '') expect(refused).not.toContain(text);
    },
  );
});
