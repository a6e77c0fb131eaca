/** `marathon-ipvs health` as a probe runs it. */

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../../../controller/cli/command-line.ts';
import { openController } from '../../../../controller/cli/commands/controller.ts';
import { health } from '../../../../controller/cli/commands/health.ts';
import type { Config } from '../../../../controller/config/config.ts';
import { canMakeCertificates } from '../../../support/certificate.ts';
import { Certificates, READ_TOKEN, Secure } from '../../api/access/secure.ts';
import { Serving } from '../../api/serving.ts';

async function answering(answer: (response: ServerResponse) => void) {
  const server = createServer((_, response) => answer(response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function configOf(argv: readonly string[], environment = {}): Config {
  const asked = parseCommandLine(['health', ...argv], environment);
  if (!('config' in asked)) throw new Error('no command');
  return asked.config;
}

async function probe(argv: readonly string[], environment = {}): Promise<readonly [number, string]> {
  const config = configOf(argv, environment);
  let printed = '';
  const print = (text: string) => {
    printed += text;
  };
  const status = await health(config, { print }, new AbortController().signal);
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

  test('another program on the port is not alive, even if it answers with status 200', async () => {
    serving = await Serving.start();
    for (const body of ['', '<html>It works!</html>', '{}']) {
      await using other = await answering((response) => response.end(body));
      expect(await probe(['--listen', `127.0.0.1:${other.port}`])).toEqual([
        1,
        expect.stringMatching(/^http:\S+ answers, but not as a controller does: [^\n]*\n$/),
      ]);
    }
  });

  test('an answer without end is refused at the size limit', async () => {
    serving = await Serving.start();
    await using other = await answering((response) => {
      response.on('error', () => undefined);
      response.write(Buffer.alloc(2 ** 21, ' '));
    });
    const config = configOf(['--server', `http://127.0.0.1:${other.port}`]);
    const { get } = await openController(config, 2 ** 20);
    await expect(get('/livez', new AbortController().signal)).rejects.toThrow(
      /^http:\S+\/livez answers with more than 1 MiB, which no controller does$/,
    );
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
