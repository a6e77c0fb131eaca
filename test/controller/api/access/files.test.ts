import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openAccessFiles } from '../../../../controller/api/access/files.ts';
import { ControllerError } from '../../../../controller/errors.ts';
import { canMakeCertificates } from '../../../support/certificate.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { World } from '../../../support/world.ts';
import { Certificates, READ_TOKEN, WRITE_TOKEN } from './secure.ts';

const suite = canMakeCertificates ? describe : describe.skip;

suite('keys and tokens that cannot be used are refused at the start, in one line', () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = new Certificates();
  });
  afterAll(() => certificates.remove());

  type Options = Partial<Parameters<typeof openAccessFiles>[0]>;

  async function refusal(options: Options): Promise<string> {
    const { certFile: tlsCertFile, keyFile: tlsKeyFile } = certificates.server;
    const all = { tlsCertFile, tlsKeyFile, allowWrites: false, ...options };
    const error = await openAccessFiles(all, new World(new FakeClock())).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ControllerError);
    const message = error instanceof ControllerError ? error.message : '';
    expect(message).not.toMatch(/\n/);
    expect(message).not.toContain('PRIVATE KEY');
    return message;
  }

  test('a key that belongs to another certificate', async () => {
    const { keyFile } = certificates.client;
    expect(await refusal({ tlsKeyFile: keyFile })).toMatch(
      /^--tls-key-file .*: it is not the key of the certificate in .*server\.pem$/,
    );
  });

  test('a key with a passphrase', async () => {
    const encrypted = execFileSync('openssl', [
      ...['ec', '-aes256', '-passout', 'pass:secret', '-in', certificates.server.keyFile],
    ]);
    expect(await refusal({ tlsKeyFile: certificates.file('encrypted', encrypted) })).toMatch(
      /^--tls-key-file .*: expected a private key in PEM, without a passphrase/,
    );
  });

  test('the files the wrong way round', async () => {
    const { certFile, keyFile } = certificates.server;
    expect(await refusal({ tlsCertFile: keyFile, tlsKeyFile: certFile })).toMatch(
      /^--tls-cert-file .*: expected a certificate in PEM/,
    );
  });

  test.each(['', 'nothing of the kind'])(
    'authorities of clients that are none: %j would mean those of the system',
    async (text) => {
      expect(await refusal({ tlsClientCaFile: certificates.file('none', text) })).toMatch(
        /^--tls-client-ca-file .*: expected certificates of authorities in PEM/,
      );
    },
  );

  test('one token for reading and for writing', async () => {
    const readTokenFile = certificates.file('one', READ_TOKEN);
    const writeTokenFile = certificates.file('two', `${READ_TOKEN}\n`);
    expect(await refusal({ readTokenFile, writeTokenFile, allowWrites: true })).toMatch(
      /^--read-token-file .* and --write-token-file .* hold the same token/,
    );
  });

  test.each(['readToken', 'writeToken'] as const)(
    'one token for both after a reload: %s stays',
    async (which) => {
      const [readTokenFile, writeTokenFile] = [
        certificates.file('reader', READ_TOKEN),
        certificates.file('writer', WRITE_TOKEN),
      ];
      const world = new World(new FakeClock());
      const files = await openAccessFiles({ readTokenFile, writeTokenFile, allowWrites: true }, world);
      const before = files[which]?.current();
      if (which === 'readToken') certificates.file('reader', WRITE_TOKEN);
      else certificates.file('writer', READ_TOKEN);
      await files[which]?.reload();
      files.close();
      expect(files[which]?.current()).toBe(before);
      expect(files.warnings()).toEqual([
        expect.stringMatching(/hold the same token, .*; the previous contents stay in use$/),
      ]);
    },
  );

  test('a missing file', async () => {
    expect(await refusal({ readTokenFile: '/nowhere' })).toBe(
      '--read-token-file /nowhere cannot be read: there is no such file or directory',
    );
  });
});
