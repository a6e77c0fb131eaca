import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { openAccess } from '../../../../controller/kubernetes/access.ts';
import { kubernetesSource } from '../../../../controller/source/kubernetes/source.ts';
import { until } from '../support.ts';
import { clientOf, clock, follow, never, startServer, writeApp } from './setup.ts';

const source = async (client: Awaited<ReturnType<typeof clientOf>>) =>
  kubernetesSource(client, { context: '', clock });

afterEach(() => {
  delete process.env['KUBECONFIG'];
});

test('the token of the kubeconfig file is sent, and a wrong one is reported without being shown', async () => {
  const server = await startServer({ tokens: new Map([['secret', 'everything']]) });
  await expect((await source(await clientOf(server, 'secret'))).read(never)).resolves.toBeDefined();
  const refused = (await source(await clientOf(server, 'guess'))).read(never);
  await expect(refused).rejects.toThrow(/answered 401 .*credentials are not accepted/);
  await expect(refused).rejects.not.toThrow(/guess/);
});

test('what RBAC does not allow is reported with the fix', async () => {
  const rules = [
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ];
  const server = await startServer({ tokens: new Map([['weak', rules]]) });
  await expect((await source(await clientOf(server, 'weak'))).read(never)).rejects.toThrow(
    /403 .*rbac\.yaml/,
  );
});

test('over TLS with the CA of the file, by HTTP/1.1 although the server would rather speak HTTP/2', async () => {
  const server = await startServer({ tls: certificate(), tokens: new Map([['secret', 'everything']]) });
  const listener = await follow(await clientOf(server, 'secret'));
  writeApp(server, 'web');
  await until('it is reported', () => listener.app('/web') !== undefined);
  expect(new Set(server.requests.map(({ httpVersion }) => httpVersion))).toEqual(new Set(['1.1']));
});

test('a context that there is not, and a file that there is not, are mistakes of the operator', async () => {
  const server = await startServer();
  await clientOf(server);
  const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-kubeconfig-'));
  process.env['KUBECONFIG'] = join(directory, 'config');
  server.writeKubeconfig(process.env['KUBECONFIG']);
  await expect(openAccess('prod')).rejects.toThrow(/no context prod: expected one of test/);
  process.env['KUBECONFIG'] = join(directory, 'missing');
  await expect(openAccess(null)).rejects.toThrow(/KUBECONFIG .*missing cannot be used/);
  rmSync(directory, { recursive: true });
});

test('calls that come at once share one renewal of the connections, and none is cut off by the other', async () => {
  const server = await startServer({ tls: certificate(), tokens: new Map([['secret', 'everything']]) });
  await clientOf(server, 'secret');
  const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-kubeconfig-'));
  process.env['KUBECONFIG'] = join(directory, 'config');
  server.writeKubeconfig(process.env['KUBECONFIG'], 'secret');
  const access = await openAccess('test');
  rmSync(directory, { recursive: true });
  for (const last of [null, 'unreachable', 'refused'] as const) {
    const both = await Promise.all([access.authorize(last), access.authorize(last)]);
    expect(new Set(both.map(({ dispatcher }) => dispatcher)).size).toBe(1);
  }

  const client = await clientOf(server, 'secret');
  const call = () => client.call('GET', '/api/v1/namespaces', {}, never);
  for (let round = 0; round < 3; round += 1) {
    server.faults.next(() => true, 'hang up');
    await expect(call()).rejects.toThrow();
    const answers = await Promise.allSettled(Array.from({ length: 8 }, call));
    expect(answers.filter(({ status }) => status === 'rejected')).toEqual([]);
  }
});

function certificate(): { key: string; cert: string } {
  const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-tls-'));
  try {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=stand-in', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
    ];
    execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
