/** `--tls-client-names`: real TLS, real certificates. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AppWriter } from '../../../../controller/ports.ts';
import { type Authority, canMakeCertificates, type SigningOptions } from '../../../support/certificate.ts';
import { Certificates, type Guarded, READ_TOKEN, Secure, WRITE_TOKEN } from './secure.ts';

const suite = canMakeCertificates ? describe : describe.skip;

const LISTED = ['operator', 'CI.example', 'spiffe://a.example/ci'];
const MAY = 'this needs a client certificate signed by an authority in --tls-client-ca-file';

suite('where names of clients are listed', () => {
  let certificates: Certificates;
  let secure: Secure;
  let made = 0;
  beforeAll(() => {
    certificates = new Certificates();
  });
  afterEach(() => secure.close());
  afterAll(() => certificates.remove());

  async function start(guarded: Guarded = {}): Promise<void> {
    const writer = { name: 'http://marathon', listApps: async () => [] } as unknown as AppWriter;
    const writing = { writer, log: { debug() {}, info() {}, warn() {}, error() {} } };
    const all = { readToken: false, clientCa: true, clientNames: LISTED, ...guarded };
    secure = await Secure.start(certificates, all, { writing });
  }

  /** Shows a certificate of these names. */
  function shown(of: SigningOptions, by: Authority = certificates.authority) {
    const { cert, key } = by.sign(`client-${made++}`, of);
    return { cert, key };
  }

  async function answer(certificate: object, path = '/v1/status', headers: Record<string, string> = {}) {
    const { status, body } = await secure.get(path, { ...certificate, headers });
    return { status, error: status === 200 ? null : String(JSON.parse(body).error) };
  }

  test.each<[string, SigningOptions]>([
    ['its common name', { commonNames: ['operator'], names: [] }],
    ['the last of several common names', { commonNames: ['someone', 'operator'], names: [] }],
    ['a DNS name, in whatever case', { commonNames: ['x'], names: ['DNS:other.example', 'DNS:ci.EXAMPLE'] }],
    ['a URI', { commonNames: ['x'], names: ['IP:127.0.0.1', 'URI:spiffe://a.example/ci'] }],
  ])('a certificate listed by %s allows reading and writing', async (_, of) => {
    await start();
    const certificate = shown(of);
    expect(await answer(certificate)).toEqual({ status: 200, error: null });
    expect(await answer(certificate, '/v1/apps')).toEqual({ status: 200, error: null });
    expect((await secure.get('/', certificate)).body).toContain('&quot;certified&quot;:true');
  });

  test.each<[string, SigningOptions, string]>([
    [
      'other names',
      { commonNames: ['someone'], names: ['DNS:x.example', 'URI:spiffe://a.example/ci/x'] },
      'CN "someone", DNS "x.example", URI "spiffe://a.example/ci/x"',
    ],
    ['a common name in another case', { commonNames: ['Operator'], names: [] }, 'CN "Operator"'],
    [
      'a URI in another case',
      { commonNames: ['x'], names: ['URI:spiffe://A.example/ci'] },
      'CN "x", URI "spiffe://A.example/ci"',
    ],
    [
      'a name above a listed one',
      { commonNames: ['x'], names: ['DNS:*.example'] },
      'CN "x", DNS "*.example"',
    ],
    [
      'a listed name of a kind that is not compared',
      { commonNames: ['x'], names: ['email:operator'] },
      'CN "x"',
    ],
    [
      'an alternative name that looks like two',
      { commonNames: ['x'], names: ['DNS:a.example, DNS:operator', 'DNS:b.example'] },
      'CN "x", DNS "a.example, DNS:operator", DNS "b.example"',
    ],
    [
      'a common name that looks like two',
      { commonNames: ['x\nCN=operator'], names: [] },
      'CN "x\\nCN=operator"',
    ],
    ['no name', { commonNames: [], names: ['email:a@b.example'] }, 'no name of a kind that is compared'],
    [
      'more names than a message has room for',
      { commonNames: ['x'], names: Array.from({ length: 20 }, (_, at) => `DNS:${at}.example`) },
      'CN "x", DNS "0.example", DNS "1.example", DNS "2.example", DNS "3.example", DNS "4.example", DNS "5.example", DNS "6.example", and 13 more',
    ],
  ])('a certificate with %s allows neither, and the answer names what it is for', async (_, of, names) => {
    await start();
    const certificate = shown(of);
    const error = `${MAY} for a name in --tls-client-names; the client certificate is for ${names}`;
    expect(await answer(certificate)).toEqual({ status: 403, error });
    expect(await answer(certificate, '/v1/apps')).toEqual({ status: 403, error });
    expect(await answer(certificate, '/metrics')).toEqual({ status: 403, error });
  });

  test('it gets only what is open to everyone: the verdict of a probe, and the shell of the page', async () => {
    await start();
    const certificate = shown({ commonNames: ['someone'] });
    expect(await secure.get('/livez?verbose', certificate)).toMatchObject({ status: 200, body: 'ok\n' });
    expect((await secure.get('/readyz', certificate)).body).not.toContain('kernel');
    expect((await secure.get('/', certificate)).body).toContain('&quot;certified&quot;:false');
  });

  test('a token sent with it still counts', async () => {
    await start({ readToken: true, writeToken: true });
    const certificate = shown({ commonNames: ['someone'] });
    const as = (token: string) => ({ authorization: `Bearer ${token}` });
    expect((await answer(certificate, '/v1/status', as(READ_TOKEN))).status).toBe(200);
    expect((await answer(certificate, '/v1/apps', as(WRITE_TOKEN))).status).toBe(200);
    expect((await answer(certificate, '/v1/apps', as(READ_TOKEN))).error).toMatch(
      /token only allows reading/,
    );
    expect(await answer(certificate, '/v1/status', as('wrong'))).toEqual({
      status: 401,
      error: expect.stringMatching(
        /^this needs the token of .*; the client certificate is for CN "someone"$/,
      ),
    });
  });

  test('a listed name in a certificate of another authority does not count', async () => {
    await start();
    const certificate = shown({ commonNames: ['operator'] }, certificates.stranger);
    expect(await answer(certificate)).toEqual({
      status: 401,
      error: expect.stringMatching(/is not accepted: UNABLE_TO_\w+$/),
    });
    expect((await answer({})).status).toBe(401);
  });
});
