/** `run` as a process: what it serves of its own keys and tokens. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { createInterface } from 'node:readline';
import { text as readAll } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Certificate, canMakeCertificates } from '../../../support/certificate.ts';
import { Certificates, READ_TOKEN } from '../../api/access/secure.ts';

const MAIN = fileURLToPath(new URL('../../../../controller/main.ts', import.meta.url));

const suite = canMakeCertificates ? describe : describe.skip;

suite('run', () => {
  let certificates: Certificates;
  let controller: ChildProcess;
  beforeAll(() => {
    certificates = new Certificates();
  });
  afterEach(async () => {
    const ended = once(controller, 'exit');
    if (controller.exitCode === null && controller.kill()) await ended;
  });
  afterAll(() => certificates.remove());

  /** Starts it; resolves with what its log says where it serves. */
  async function start(...options: readonly string[]): Promise<string> {
    const source = `file=${certificates.file('apps.json', '{"apps":[]}')}`;
    const dry = [
      'run',
      '--dry-run',
      '--against',
      'none',
      '--source',
      source,
      '--state-dir',
      certificates.directory,
    ];
    const words = ['--conditions=ipvs-source', MAIN, ...dry, '--listen', '127.0.0.1:0', ...options];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    controller = child;
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      const [, url] = /"url":"(https[^"]+)","msg":"serving"/.exec(line) ?? [];
      if (url !== undefined) return url;
    }
    throw new Error(`it ended: ${said.join('\n')}`);
  }

  test('has metrics of its certificate and tokens', async () => {
    const { certFile, keyFile } = certificates.server;
    const token = certificates.file('read-token', READ_TOKEN);
    const url = await start(
      '--tls-cert-file',
      certFile,
      '--tls-key-file',
      keyFile,
      '--read-token-file',
      token,
    );
    const ca = readFileSync(certificates.authority.caFile);
    const [response] = await once(
      get(`${url}/metrics`, { ca, headers: { authorization: `Bearer ${READ_TOKEN}` } }),
      'response',
    );
    const told = (await readAll(response)).split('\n');
    expect(told).toContainEqual(
      expect.stringMatching(/^marathon_ipvs_certificate_expiry_timestamp_seconds \d{10}$/),
    );
    expect(told.filter((line) => line.startsWith('marathon_ipvs_access_'))).toEqual([
      'marathon_ipvs_access_reload_successful{kind="certificate"} 1',
      'marathon_ipvs_access_reload_successful{kind="read-token"} 1',
    ]);
  });

  test('accepts only clients whose names are listed', async () => {
    const { certFile, keyFile } = certificates.server;
    const own = ['--tls-cert-file', certFile, '--tls-key-file', keyFile];
    const { caFile } = certificates.authority;
    const url = await start(
      ...own,
      '--tls-client-ca-file',
      caFile,
      '--tls-client-names',
      'ci.example,client',
    );
    const statusFor = async ({ cert, key }: Pick<Certificate, 'cert' | 'key'>) => {
      const asking = get(`${url}/v1/status`, { ca: readFileSync(caFile), cert, key, agent: false });
      const [response] = await once(asking, 'response');
      return [response.statusCode, JSON.parse(await readAll(response)).error];
    };
    expect(await statusFor(certificates.client)).toEqual([200, undefined]);
    const other = certificates.authority.sign('someone');
    expect(await statusFor(other)).toEqual([403, expect.stringMatching(/ is for CN "someone"$/)]);
  });
});
