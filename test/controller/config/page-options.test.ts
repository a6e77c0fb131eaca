import { describe, expect, test } from '@jest/globals';
import { tokenIn } from '../../../controller/config/token.ts';
import { refusalOf, resolve, yaml } from './resolving.ts';

describe('access to the server', () => {
  const file = yaml('whatever');
  const tls = { tlsCertFile: file, tlsKeyFile: file };

  test.each(['0.0.0.0:61421', '10.0.0.1:61421', '[::]:61421'])(
    'the page and the API are refused to others where nothing guards them: %s',
    (listen) => {
      expect(refusalOf({ flags: { listen } })).toMatch(
        /^--listen .*: beyond this host .* missing: --tls-cert-file and --tls-key-file, and --read-token-file .*--metrics-listen.*ssh -L/,
      );
    },
  );

  test.each([
    [
      'a token alone, which could be read on the way',
      { readTokenFile: file },
      /missing: --tls-cert-file and --tls-key-file\. /,
    ],
    [
      'TLS alone',
      tls,
      /missing: --read-token-file \(or --tls-client-ca-file, for clients with certificates\)\. /,
    ],
  ])('beyond loopback %s is not enough', (_, flags, missing) => {
    expect(refusalOf({ flags: { listen: '10.0.0.1:61421', ...flags } })).toMatch(missing);
  });

  test.each([
    { readTokenFile: file },
    { tlsClientCaFile: file },
    { readTokenFile: file, tlsClientCaFile: file },
  ])('TLS and a token or certificates are: %j', (flags) => {
    expect(resolve({ flags: { listen: '10.0.0.1:61421', ...tls, ...flags } }).listen?.port).toBe(61_421);
  });

  test.each([
    [{ tlsCertFile: file }, /^--tls-cert-file is given without --tls-key-file/],
    [{ tlsKeyFile: file }, /^--tls-key-file is given without --tls-cert-file/],
    [{ tlsClientCaFile: file }, /^--tls-client-ca-file is given without --tls-cert-file/],
    [{ ...tls, tlsClientNames: 'operator' }, /^--tls-client-names is given without --tls-client-ca-file/],
    [{ readTokenFile: '/nowhere' }, /^--read-token-file .*there is no such file/],
    [{ tlsCertFile: '/nowhere', tlsKeyFile: file }, /^--tls-cert-file .*there is no such file/],
  ])('%j is refused, on loopback too', (flags, message) => {
    expect(refusalOf({ flags })).toMatch(message);
  });

  test('client certificates may be restricted to some names', () => {
    const certificates = { ...tls, tlsClientCaFile: file };
    const names = (tlsClientNames: string) => ({ flags: { ...certificates, tlsClientNames } });
    expect(resolve({ flags: certificates }).tlsClientNames).toBeUndefined();
    expect(resolve(names('operator,Jane Doe,spiffe://a.example/ci')).tlsClientNames).toEqual([
      'operator',
      'Jane Doe',
      'spiffe://a.example/ci',
    ]);
    for (const text of ['', 'a,', ',a', 'a,,b', 'a, b', 'a,a', 'a\nb']) {
      expect(refusalOf(names(text))).toMatch(/^--tls-client-names .*expected names joined by commas/);
    }
  });

  test('loopback is this host, and metrics may be anywhere', () => {
    const config = resolve({ flags: { listen: '[::1]:61421', metricsListen: '0.0.0.0:61422' } });
    expect([config.listen?.address, config.metricsListen?.address]).toEqual(['::1', '0.0.0.0']);
  });
});

describe('writing apps', () => {
  const writeTokenFile = yaml('a-token-of-some-length');

  test('needs a token and exactly one Marathon', () => {
    const source = ['marathon=http://10.0.0.1:8080'];
    expect(refusalOf({ flags: { allowWrites: 'true', source } })).toMatch(/--write-token-file/);
    expect(refusalOf({ flags: { allowWrites: 'true', writeTokenFile } })).toMatch(
      /needs exactly one --source marathon=URL/,
    );
    expect(resolve({ flags: { allowWrites: 'true', writeTokenFile, source } }).allowWrites).toBe(true);
    expect(resolve({}).allowWrites).toBe(false);
  });

  test('client certificates replace the token', () => {
    const source = ['marathon=http://10.0.0.1:8080'];
    const tls = { tlsCertFile: writeTokenFile, tlsKeyFile: writeTokenFile, tlsClientCaFile: writeTokenFile };
    expect(resolve({ flags: { allowWrites: 'true', source, ...tls } }).allowWrites).toBe(true);
  });

  test('the token is the contents of the file, without the line break', () => {
    expect(tokenIn('a-token-of-some-length\n', '--write-token-file', '/token')).toBe(
      'a-token-of-some-length',
    );
  });

  test.each([
    '',
    'short',
    'two words in one line',
    'schlüssel-für-den-zugriff',
    'random\u0000bytes\u0007of-a-file',
  ])('%j is no token, and stays out of the message', (text) => {
    let refused = '';
    try {
      tokenIn(text, '--read-token-file', '/token');
    } catch (error) {
      refused = String(error);
    }
    expect(refused).toMatch(/--read-token-file \/token: expected a token of at least 16 characters/);
    if (text !== '') expect(refused).not.toContain(text);
  });
});

describe('where names are answered', () => {
  test.each([
    [
      '198.51.100.4:53',
      { poolIpv4: '198.51.100.0/28' },
      /^--dns-listen 198\.51\.100\.4:53 lies in --pool-ipv4 198/,
    ],
    [
      '[fd01:c::5]:53',
      {},
      /^--dns-listen \[fd01:c::5\]:53 lies in --pool-ipv6 fd01:c::\/64, expected an address/,
    ],
    ['127.0.0.1:61421', {}, /^--dns-listen 127\.0\.0\.1:61421 and --listen are the same address and port/],
  ])('%s is refused where a VIP or the API has it', (dnsListen, flags, reason) => {
    expect(refusalOf({ flags: { dnsListen, ...flags } })).toMatch(reason);
  });

  test('an address outside the pools is accepted', () => {
    expect(resolve({ flags: { dnsListen: '198.51.100.4:53' } }).dnsListen).toHaveLength(1);
  });
});
