/** `--listen` as other hosts reach it: real TLS, real certificates. */

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AppWriter } from '../../../../controller/ports.ts';
import { systemClock } from '../../../../controller/time.ts';
import { canMakeCertificates } from '../../../support/certificate.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { Certificates, READ_TOKEN, Secure, WRITE_TOKEN } from './secure.ts';

const suite = canMakeCertificates ? describe : describe.skip;

suite('over TLS', () => {
  let certificates: Certificates;
  let secure: Secure;
  beforeAll(() => {
    certificates = new Certificates();
  });
  afterEach(() => secure.close());
  afterAll(() => certificates.remove());

  const ownCertificate = () => ({ cert: certificates.client.cert, key: certificates.client.key });
  const strangeCertificate = () => ({
    cert: certificates.wrongClient.cert,
    key: certificates.wrongClient.key,
  });

  describe('with a read token', () => {
    test('reading requires it', async () => {
      secure = await Secure.start(certificates);
      expect(secure.serving.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      expect((await secure.as(READ_TOKEN)).status).toBe(200);
      const refused = await secure.get('/v1/status');
      expect([refused.status, refused.headers['www-authenticate'], refused.headers.connection]).toEqual([
        401,
        'Bearer realm="marathon-ipvs"',
        'close',
      ]);
      expect(JSON.parse(refused.body).error).toBe(
        'this needs the token of --read-token-file, as the header `Authorization: Bearer TOKEN`',
      );
    });

    test.each([
      '/v1/status',
      '/v1/vips',
      '/v1/diff',
      '/v1/doctor',
      '/v1/history',
      '/v1/events',
      '/v1/apps',
      '/metrics',
      '/nowhere',
    ])('%s is refused without the token or with a wrong one', async (path) => {
      secure = await Secure.start(certificates);
      for (const headers of [
        {},
        { authorization: 'Bearer wrong' },
        { authorization: `Basic ${READ_TOKEN}` },
        { authorization: `Bearer ${READ_TOKEN}x` },
        { authorization: `Bearer ${READ_TOKEN.slice(0, -1)}` },
      ]) {
        const { status, body } = await secure.get(path, { headers });
        expect([status, Object.keys(JSON.parse(body))]).toEqual([401, ['error']]);
      }
    });

    test('a probe without a token gets the verdict, but no reasons', async () => {
      secure = await Secure.start(certificates);
      expect(await secure.get('/livez?verbose')).toMatchObject({ status: 200, body: 'ok\n' });
      expect(await secure.get('/readyz?verbose')).toMatchObject({
        status: 503,
        body: 'readyz check failed; reasons need a token\n',
      });
      expect((await secure.as(READ_TOKEN, '/readyz')).body).toContain('[-]kernel failed: no pass yet');
      expect((await secure.as('wrong', '/readyz')).body).not.toContain('kernel');
    });

    test('the page is served without a token, and prompts for it', async () => {
      secure = await Secure.start(certificates);
      const shell = await secure.get('/');
      expect([shell.status, shell.headers['cache-control']]).toEqual([200, 'no-store']);
      const [, script = ''] = /<script type="module" src="([^"]+)"/.exec(shell.body) ?? [];
      expect((await secure.get(script)).status).toBe(200);
    });

    test('requests from pages of other sites are refused, even with the token', async () => {
      secure = await Secure.start(certificates);
      for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
        expect((await secure.as(READ_TOKEN, '/v1/status', { headers })).status).toBe(403);
      }
    });

    test('after thirty wrong tokens in a minute the right one is accepted, and wrong ones are answered with 429', async () => {
      secure = await Secure.start(certificates);
      for (let count = 0; count < 30; count++) expect((await secure.as('wrong')).status).toBe(401);
      const { status, headers } = await secure.as('wrong');
      expect([status, headers['retry-after']]).toEqual([429, '60']);
      expect((await secure.as(READ_TOKEN)).status).toBe(200);
      expect((await secure.get('/livez')).status).toBe(200);
      const { logged } = secure.serving.world;
      expect(logged).toEqual([
        { level: 'warn', message: 'client sent a wrong token', fields: { client: '127.0.0.1' } },
      ]);
      secure.serving.world.now += 60_000;
      expect((await secure.as('wrong')).status).toBe(401);
    });

    test('a wrong token beyond the thirtieth is answered late, and no other request is', async () => {
      const clock = new FakeClock();
      secure = await Secure.start(certificates, {}, { clock });
      for (let count = 0; count < 30; count++) await secure.as('wrong');
      let answered = false;
      const wrong = secure.as('wrong').then(({ status }) => {
        answered = true;
        return status;
      });
      expect((await secure.as(READ_TOKEN)).status).toBe(200);
      expect((await secure.get('/livez')).status).toBe(200);
      expect(answered).toBe(false);
      // Until the request is there to wait.
      while (!answered) await clock.advance(1_000);
      expect(await wrong).toBe(429);
    });
  });

  describe('connections that are not valid requests', () => {
    test('plain HTTP is not answered', async () => {
      secure = await Secure.start(certificates);
      const said = await secure.serving.raw('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
      expect(said).not.toMatch(/HTTP|ok/);
      expect((await secure.get('/livez')).status).toBe(200);
    });

    test('TLS 1.1 is refused, 1.2 and 1.3 are accepted', async () => {
      secure = await Secure.start(certificates);
      const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
      await expect(secure.connected(old)).rejects.toThrow(/alert|version/i);
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const socket = await secure.connected({ minVersion: version, maxVersion: version });
        expect(socket.getProtocol()).toBe(version);
        expect(socket.getCipher().standardName).toMatch(/GCM|POLY1305/);
        socket.destroy();
      }
    });

    test('a cipher without forward secrecy or authenticated encryption is not used', async () => {
      secure = await Secure.start(certificates);
      for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384']) {
        await expect(secure.connected({ ciphers, maxVersion: 'TLSv1.2' })).rejects.toThrow();
      }
    });

    test('clients that open connections and send nothing, or send slowly, are disconnected; others are served', async () => {
      secure = await Secure.start(certificates);
      const { port } = secure.serving;
      const silent = Array.from({ length: 20 }, () => connect(port, '127.0.0.1').on('error', () => {}));
      const slow = await secure.connected();
      slow.write('GET /livez HTTP/1.1\r\nHost:');
      const ended = [...silent, slow].map((socket) => once(socket.resume(), 'close'));
      expect((await secure.get('/livez')).status).toBe(200);
      await Promise.all(ended);
    });

    test('headers beyond 8 KiB are refused', async () => {
      secure = await Secure.start(certificates);
      expect((await secure.get('/livez', { headers: { x: 'x'.repeat(9_000) } })).status).toBe(431);
    });
  });

  describe('with client certificates', () => {
    test('a certificate signed by our authority allows reading without a token', async () => {
      secure = await Secure.start(certificates, { readToken: false, clientCa: true });
      expect((await secure.get('/v1/status', ownCertificate())).status).toBe(200);
      const { status, body } = await secure.get('/v1/status');
      expect([status, JSON.parse(body).error]).toEqual([
        401,
        'this needs a client certificate signed by an authority in --tls-client-ca-file',
      ]);
      expect((await secure.get('/livez')).body).toBe('ok\n');
    });

    test('a certificate signed by another authority does not, and the answer says why', async () => {
      secure = await Secure.start(certificates, { readToken: false, clientCa: true });
      const { status, body } = await secure.get('/v1/status', strangeCertificate());
      expect([status, JSON.parse(body).error]).toEqual([
        401,
        expect.stringMatching(/the client certificate is not accepted: UNABLE_TO_\w+$/),
      ]);
    });

    test('token or certificate suffices if both are accepted', async () => {
      secure = await Secure.start(certificates, { clientCa: true });
      expect((await secure.as(READ_TOKEN)).status).toBe(200);
      expect((await secure.get('/v1/status', ownCertificate())).status).toBe(200);
      expect((await secure.as(READ_TOKEN, '/v1/status', strangeCertificate())).status).toBe(200);
      expect((await secure.get('/v1/status', strangeCertificate())).status).toBe(401);
    });

    test('resuming a session without a certificate does not grant the rights of its certificate', async () => {
      secure = await Secure.start(certificates, { readToken: false, clientCa: true });
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const first = await secure.connected({ maxVersion });
        const tickets: Buffer[] = [];
        first.on('session', (session) => tickets.push(session));
        first.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await once(first, 'data');
        const session = tickets.at(-1) ?? first.getSession();
        first.destroy();
        const again = await secure.connected({ maxVersion, ...(session && { session }) });
        expect(again.isSessionReused()).toBe(false);
        again.write('GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n');
        const [answer] = await once(again, 'data');
        expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
        again.destroy();
      }
    });

    test('requests from other sites do not benefit from it', async () => {
      secure = await Secure.start(certificates, { readToken: false, clientCa: true });
      const foreign = { ...ownCertificate(), headers: { 'sec-fetch-site': 'cross-site' } };
      expect((await secure.get('/v1/status', foreign)).status).toBe(403);
      expect((await secure.get('/readyz', foreign)).body).not.toContain('kernel');
    });
  });

  describe('writing', () => {
    const writer = {
      name: 'http://marathon',
      listApps: async () => [{ id: '/web' }],
    } as unknown as AppWriter;
    const writing = { writer, log: { debug() {}, info() {}, warn() {}, error() {} } };

    test('requires its own token, which also allows reading', async () => {
      secure = await Secure.start(certificates, { writeToken: true }, { writing });
      expect((await secure.as(WRITE_TOKEN, '/v1/apps')).body).toBe('{"apps":["/web"]}\n');
      expect((await secure.as(WRITE_TOKEN)).status).toBe(200);
      const { status, body } = await secure.as(READ_TOKEN, '/v1/apps');
      expect([status, JSON.parse(body).error]).toEqual([
        403,
        'this token only allows reading; writing needs the token of --write-token-file, as the header `Authorization: Bearer TOKEN`',
      ]);
      expect((await secure.get('/v1/apps')).status).toBe(401);
    });

    test('is allowed with a certificate too', async () => {
      secure = await Secure.start(certificates, { readToken: false, clientCa: true }, { writing });
      expect((await secure.get('/v1/apps', ownCertificate())).status).toBe(200);
      expect((await secure.get('/v1/apps', strangeCertificate())).status).toBe(401);
    });

    test('is disabled without --allow-writes, whatever the credentials', async () => {
      secure = await Secure.start(certificates, { clientCa: true });
      expect((await secure.get('/v1/apps', ownCertificate())).body).toContain('--allow-writes');
      expect((await secure.as(READ_TOKEN, '/v1/apps')).status).toBe(403);
    });

    test('the page knows that the browser needs no token', async () => {
      secure = await Secure.start(certificates, { clientCa: true }, { writing });
      expect((await secure.get('/', ownCertificate())).body).toContain('&quot;certified&quot;:true');
      expect((await secure.get('/')).body).toContain('&quot;certified&quot;:false');
    });
  });

  describe('files that change', () => {
    const shownName = async () => {
      const socket = await secure.connected();
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return subject.CN;
    };
    const put = (path: string, content: string | Buffer) =>
      certificates.file(path.slice(path.lastIndexOf('/') + 1), content);

    test('new connections get a reloaded certificate', async () => {
      secure = await Secure.start(certificates);
      expect(await shownName()).toBe('server');
      const next = certificates.authority.sign('renewed');
      put(secure.paths.cert, next.cert);
      put(secure.paths.key, next.key);
      await secure.reload();
      expect(await shownName()).toBe('renewed');
      expect(secure.world.logged).toMatchObject([{ message: 'changed files reloaded' }]);
    });

    test('a new certificate without its key changes nothing, and log and status say so', async () => {
      secure = await Secure.start(certificates);
      const next = certificates.authority.sign('next');
      put(secure.paths.cert, next.cert);
      await secure.reload();
      await secure.reload();
      expect(await shownName()).toBe('server');
      const told =
        /^--tls-key-file .*: it is not the key of the certificate in .*tls\.crt; the previous contents stay in use$/;
      expect(secure.world.logged).toMatchObject([{ level: 'warn', message: 'changed files cannot be used' }]);
      secure.serving.converge();
      const status = JSON.parse((await secure.as(READ_TOKEN)).body);
      expect(status.host.advice).toEqual([expect.stringMatching(told)]);
      put(secure.paths.key, next.key);
      await secure.reload();
      expect(await shownName()).toBe('next');
      expect(secure.files.warnings()).toEqual([]);
    });

    test.each([
      ['is gone', (path: string) => execFileSync('rm', [path]), /cannot be read: there is no such file/],
      ['is garbage', (path: string) => put(path, 'x'), /expected a certificate in PEM/],
      ['is empty', (path: string) => put(path, ''), /expected a certificate in PEM/],
      [
        'is far too long',
        (path: string) => put(path, Buffer.alloc(2_000_000)),
        /expected at most 1048576 bytes, got more/,
      ],
    ])('a certificate that %s leaves the old one in use', async (_, spoil, reason) => {
      secure = await Secure.start(certificates);
      spoil(secure.paths.cert);
      await secure.reload();
      expect(await shownName()).toBe('server');
      expect(secure.files.warnings()).toEqual([expect.stringMatching(reason)]);
    });

    test('a reloaded token replaces the old one at once, and streams end', async () => {
      secure = await Secure.start(certificates, {}, { clock: systemClock });
      const stream = await secure.connected();
      stream.write(
        `GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${READ_TOKEN}\r\n\r\n`,
      );
      expect(String((await once(stream, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
      const ended = once(stream.resume(), 'end');
      put(secure.paths.readToken, 'another-token-for-reading');
      await secure.reload();
      await ended;
      expect((await secure.as(READ_TOKEN)).status).toBe(401);
      expect((await secure.as('another-token-for-reading')).status).toBe(200);
    });

    test('connections lose their rights when the authority of their client is removed', async () => {
      secure = await Secure.start(certificates, { readToken: false, clientCa: true });
      const kept = await secure.connected(ownCertificate());
      const ask = async () => {
        kept.write('GET /v1/history HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HTTP/1.1\r\nHost:');
        return String((await once(kept, 'data'))[0]);
      };
      // What follows the question keeps the connection from being idle.
      expect(await ask()).toMatch(/^HTTP\/1\.1 200 /);
      put(secure.paths.clientCa, execFileSync('cat', [certificates.stranger.caFile]));
      await secure.reload();
      kept.write(' localhost\r\n\r\n');
      await once(kept, 'data');
      kept.write('GET /v1/history HTTP/1.1\r\nHost: localhost\r\n\r\n');
      expect(String((await once(kept, 'data'))[0])).toMatch(/^HTTP\/1\.1 401 /);
      expect((await secure.get('/v1/history', ownCertificate())).status).toBe(401);
      expect((await secure.get('/v1/history', strangeCertificate())).status).toBe(200);
    });

    test('log and status warn that the certificate expires soon, and that it has expired', async () => {
      secure = await Secure.start(certificates);
      expect(secure.files.warnings()).toEqual([]);
      const { validToDate } = new X509Certificate(certificates.server.cert);
      const warning = (verb: string) =>
        `--tls-cert-file ${secure.paths.cert}: the certificate ${verb} at ${validToDate.toISOString()}; replace the file, it is reloaded at once`;
      await secure.clock.advance(validToDate.getTime() - 3_600_000 - secure.clock.epoch());
      expect(secure.files.warnings()).toEqual([warning('expires')]);
      await secure.reload();
      await secure.clock.advance(3_600_000);
      expect(secure.files.warnings()).toEqual([warning('expired')]);
      await secure.reload();
      expect(secure.world.logged).toEqual([
        { level: 'warn', message: 'certificate is due for renewal', fields: { reason: warning('expires') } },
        { level: 'warn', message: 'certificate is due for renewal', fields: { reason: warning('expired') } },
      ]);
    });

    test('metrics show when the certificate expires, and that its replacement cannot be used', async () => {
      secure = await Secure.start(certificates);
      const metrics = async () => {
        const { body } = await secure.as(READ_TOKEN, '/metrics');
        const lines = body.split('\n').filter((line) => /^marathon_ipvs_(certificate|access)_/.test(line));
        return Object.fromEntries(lines.map((line) => line.split(' ')));
      };
      const expiryOf = ({ certFile }: { readonly certFile: string }) => {
        const said = execFileSync('openssl', ['x509', '-noout', '-enddate', '-in', certFile], {
          encoding: 'utf8',
        });
        return String(Date.parse(said.replace('notAfter=', '')) / 1_000);
      };
      const expiry = 'marathon_ipvs_certificate_expiry_timestamp_seconds';
      const reload = (kind: string) => `marathon_ipvs_access_reload_successful{kind="${kind}"}`;
      const usable = { [reload('certificate')]: '1', [reload('read-token')]: '1' };
      expect(await metrics()).toEqual({ [expiry]: expiryOf(certificates.server), ...usable });

      const next = certificates.authority.sign('long-lived', { days: 90 });
      put(secure.paths.cert, next.cert);
      await secure.reload();
      expect(await metrics()).toEqual({
        [expiry]: expiryOf(certificates.server),
        ...usable,
        [reload('certificate')]: '0',
      });
      put(secure.paths.key, next.key);
      put(secure.paths.readToken, 'short');
      await secure.reload();
      expect(await metrics()).toEqual({ [expiry]: expiryOf(next), ...usable, [reload('read-token')]: '0' });
      expect(expiryOf(next)).not.toBe(expiryOf(certificates.server));
    });
  });
});
