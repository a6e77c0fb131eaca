/** Commands that ask a controller over TLS. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../../../controller/cli/command-line.ts';
import { openController } from '../../../../controller/cli/commands/controller.ts';
import { status } from '../../../../controller/cli/commands/status.ts';
import { messageOf } from '../../../../controller/errors.ts';
import { painter } from '../../../../controller/text/table.ts';
import { canMakeCertificates } from '../../../support/certificate.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { startMarathon } from '../../../support/marathon/start-marathon.ts';
import { SIMULATED } from '../../../support/marathon-harness.ts';
import { Certificates, READ_TOKEN, Secure } from '../../api/access/secure.ts';
import { type } from './apps/commanding.ts';

const suite = canMakeCertificates ? describe : describe.skip;

/** What `status ARGV` prints, or complains of. */
async function run(...argv: string[]): Promise<string> {
  let printed = '';
  try {
    const asked = parseCommandLine(['status', '-o', 'json', ...argv], {});
    if (!('config' in asked)) throw new Error('no command');
    const print = (text: string) => {
      printed += text;
    };
    const to = { print, printError: print, redraw: print };
    const ports = { ...to, layout: () => ({ width: null, paint: painter(false) }), clock: new FakeClock() };
    await status(asked.config, null, ports, new AbortController().signal);
    return JSON.parse(printed).apiVersion;
  } catch (error) {
    expect(printed).toBe('');
    const message = messageOf(error);
    expect(message).not.toMatch(/\n/);
    expect(message).not.toContain(READ_TOKEN);
    return message;
  }
}

suite('status --server https://…', () => {
  let certificates: Certificates;
  let secure: Secure;
  let url: string;
  beforeAll(async () => {
    certificates = new Certificates();
    secure = await Secure.start(certificates, { clientCa: true });
    secure.serving.converge();
    url = secure.serving.url;
  });
  afterAll(async () => {
    await secure.close();
    certificates.remove();
  });

  const server = () => ['--server', url];
  const ca = () => ['--server-ca-file', certificates.authority.caFile];
  const token = () => ['--server-token-file', secure.paths.readToken];
  const ANSWERED = 'marathon-ipvs/v1';

  test('sends its token', async () => {
    expect(await run(...server(), ...ca(), ...token())).toBe(ANSWERED);
  });

  test('or its certificate', async () => {
    const { certFile, keyFile } = certificates.client;
    const own = ['--server-cert-file', certFile, '--server-key-file', keyFile];
    expect(await run(...server(), ...ca(), ...own)).toBe(ANSWERED);
    expect(await run(...server(), ...ca(), '--server-cert-file', certFile)).toMatch(/belong together/);
  });

  test('errors name the missing option', async () => {
    expect(await run(...server(), ...ca())).toMatch(/denies access \(401\): .*--server-token-file/);
    expect(await run(...server(), ...token())).toMatch(
      /: self-signed certificate .*; give the authority .* with --server-ca-file$/,
    );
    const { certFile, keyFile } = certificates.wrongClient;
    expect(
      await run(...server(), ...ca(), '--server-cert-file', certFile, '--server-key-file', keyFile),
    ).toMatch(/the client certificate is not accepted/);
    const wrong = certificates.file('wrong', 'a-token-that-is-wrong');
    expect(await run(...server(), ...ca(), '--server-token-file', wrong)).toMatch(/\(401\)/);
    expect(await run(...server(), ...ca(), '--server-token-file', '/nowhere')).toMatch(
      /--server-token-file .*there is no such file/,
    );
    const other = url.replace('127.0.0.1', 'localhost');
    expect(await run('--server', other, ...ca(), ...token())).toMatch(
      /its certificate is for other names: use one of them/,
    );
  });

  test('commands that follow a deployment query the controller too, and report if access is denied', async () => {
    const marathon = await startMarathon({ startMs: 50 });
    const input = JSON.stringify({ ...SIMULATED, id: '/web' });
    const words = ['app', 'add', '--server-ca-file', certificates.authority.caFile];
    try {
      const followed = await type(marathon.url, [...words, ...token()], { input, server: url });
      expect(followed.complaints).toEqual([]);
      expect(followed.out).toMatch(/\d+ backends? in rotation on this host\n$/);
      await type(marathon.url, ['app', 'remove', '/web'], { server: url });
      const refused = await type(marathon.url, words, { input, server: url });
      expect(refused.complaints).toContainEqual(expect.stringMatching(/denies access \(401\)/));
      expect(refused.out).toMatch(/is deployed: 1 of 1 instance running\n$/);
    } finally {
      await marathon.close();
    }
  });

  test('plain HTTP to TLS and TLS to plain HTTP have their own messages', async () => {
    expect(await run('--server', url.replace('https:', 'http:'))).toMatch(
      /does it use TLS\? then use .*https/,
    );
    const plain = createServer((_, response) => response.end('{}'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const address = plain.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const message = await run('--server', `https://127.0.0.1:${port}`, ...ca());
    plain.close();
    expect(message).toMatch(/wrong version number; does it use TLS\?/);
  });

  test('a token is not sent in the clear to another host', async () => {
    expect(await run('--server', 'http://192.0.2.1:61421', ...token())).toMatch(
      /--server-token-file is not sent to http:\/\/192\.0\.2\.1:61421.*https/,
    );
  });

  test('the controller of this host is located by its own options, and verified by its exact certificate', async () => {
    const listen = ['--listen', `0.0.0.0:${secure.serving.port}`];
    const { cert, readToken } = secure.paths;
    expect(await run(...listen, '--tls-cert-file', cert, '--read-token-file', readToken)).toBe(ANSWERED);
    // Signed by the same authority, and another one.
    expect(
      await run(...listen, '--tls-cert-file', certificates.client.certFile, '--read-token-file', readToken),
    ).toMatch(/^no controller answers at https:\/\/127\.0\.0\.1/);
  });
});

describe('without TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-token-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  let close = () => {};
  afterEach(() => close());

  test('a token of this host is sent over loopback', async () => {
    let shown: string | undefined;
    const server = createServer((request, response) => {
      shown = request.headers.authorization;
      response.end();
    });
    close = () => server.close();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const readTokenFile = join(directory, 'token');
    writeFileSync(readTokenFile, READ_TOKEN);
    const controller = await openController({ listen: { address: '127.0.0.1', port }, readTokenFile });
    await controller.get('/', new AbortController().signal);
    expect(shown).toBe(`Bearer ${READ_TOKEN}`);
  });
});
