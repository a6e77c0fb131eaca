/** `marathon-ipvs health` as a probe runs it. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../../../controller/cli/command-line.ts';
import { health } from '../../../../controller/cli/commands/health.ts';
import { canMakeCertificates } from '../../../support/certificate.ts';
import { Certificates, READ_TOKEN, Secure } from '../../api/access/secure.ts';
import { Serving } from '../../api/serving.ts';

async function probe(argv: readonly string[], environment = {}): Promise<readonly [number, string]> {
  const asked = parseCommandLine(['health', ...argv], environment);
  if (!('config' in asked)) throw new Error('no command');
  let printed = '';
  const print = (text: string) => {
    printed += text;
  };
  const status = await health(asked.config, { print }, new AbortController().signal);
  return [status, printed];
}

describe('without TLS', () => {
  let serving: Serving;
  const listen = () => ['--listen', `127.0.0.1:${serving.port}`];
  afterEach(() => serving.close());

  test('a controller is alive before it is ready', async () => {
    serving = await Serving.start();
    serving.board.moved();
    expect(await probe(listen())).toEqual([0, 'ok\n']);
    expect(await probe([...listen(), '--live'])).toEqual([0, 'ok\n']);
    expect(await probe([...listen(), '--ready'])).toEqual([1, expect.stringMatching(/readyz check failed/)]);
    expect((await probe([...listen(), '--live', '--ready']))[0]).toBe(1);
    serving.converge();
    expect(await probe([...listen(), '--ready'])).toEqual([0, 'ok\n']);
    expect(await probe([...listen(), '--live', '--ready'])).toEqual([0, 'ok\nok\n']);
  });

  test('no answer means not alive, with a one-line message', async () => {
    serving = await Serving.start();
    const at = listen();
    await serving.close();
    expect(await probe(at)).toEqual([
      1,
      expect.stringMatching(/^no controller answers at http:[^\n]*ECONNREFUSED[^\n]*\n$/),
    ]);
  });

  test('a controller with --listen off is not queried', async () => {
    serving = await Serving.start();
    expect(await probe(['--listen', 'off'])).toEqual([0, 'not checked: --listen is off\n']);
  });
});

(canMakeCertificates ? describe : describe.skip)('with TLS', () => {
  let certificates: Certificates;
  let secure: Secure;
  beforeAll(async () => {
    certificates = new Certificates();
    secure = await Secure.start(certificates);
    secure.serving.converge();
    secure.serving.board.moved();
  });
  afterAll(async () => {
    await secure.close();
    certificates.remove();
  });

  test('the controller of this host is verified by its own certificate, named in the configuration file', async () => {
    const config = certificates.file(
      'config.yaml',
      [
        `listen: 127.0.0.1:${secure.serving.port}`,
        `tls-cert-file: ${secure.paths.cert}`,
        `tls-key-file: ${secure.paths.key}`,
        `read-token-file: ${secure.paths.readToken}`,
        'source: file=apps.json',
      ].join('\n'),
    );
    expect(await probe(['--config', config])).toEqual([0, 'ok\n']);
    expect(await probe(['--ready'], { MARATHON_IPVS_CONFIG: config })).toEqual([0, 'ok\n']);
  });

  test('another controller is verified by its authority, with and without a token', async () => {
    const at = ['--server', secure.serving.url, '--server-ca-file', certificates.authority.caFile];
    expect(await probe([...at, '--ready'])).toEqual([0, 'ok\n']);
    expect(await probe([...at, '--ready', '--server-token-file', secure.paths.readToken])).toEqual([
      0,
      'ok\n',
    ]);
  });

  test('the error for a file that cannot be used does not show its contents', async () => {
    const at = ['--server', secure.serving.url, '--server-token-file', '/no/such/file'];
    const [status, said] = await probe(at);
    expect([status, said]).toEqual([
      1,
      expect.stringMatching(/^--server-token-file \/no\/such\/file cannot be read/),
    ]);
    expect(said).not.toContain(READ_TOKEN);
  });
});
