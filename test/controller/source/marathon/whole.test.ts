import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  createMarathonSource,
  type MarathonSourceOptions,
} from '../../../../controller/source/marathon/source.ts';
import { canMakeCertificates, makeCertificate } from '../../../support/certificate.ts';
import {
  type MarathonOptions,
  startMarathon,
  type TestMarathon,
} from '../../../support/marathon/start-marathon.ts';
import { namesOf, silent, TestListener, until } from '../support.ts';

/** The source against a Marathon that lives: deployments, events, elections. */

let marathon: TestMarathon;
let stop: AbortController;
let directory: string;
let following: Promise<void>;
let listener: TestListener;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'whole-marathon-'));
  stop = new AbortController();
  following = Promise.resolve();
  listener = new TestListener();
});

afterEach(async () => {
  stop.abort();
  await following;
  await marathon.close();
  rmSync(directory, { recursive: true });
});

const example = (instances: number, fields: object = {}) => ({
  id: '/my-service',
  cmd: 'sleep 1000',
  instances,
  portDefinitions: [{ port: 5555, protocol: 'tcp', labels: { VIP_0: '/my-service:5555' } }],
  ...fields,
});

async function follow(options: MarathonOptions = {}, source: Partial<MarathonSourceOptions> = {}) {
  marathon = await startMarathon(options);
  const where = marathon.urls.join(',');
  following = createMarathonSource({
    where,
    resolver: namesOf(),
    log: silent,
    spreadMs: 0,
    ...source,
  }).follow(listener, stop.signal);
  await until('everything is read', () => listener.snapshots.length > 0);
}

const running = () => listener.app('/my-service')?.tasks.filter(({ state }) => state === 'running') ?? [];
const labels = () => running().map(({ ports }) => ports[0]?.labels['VIP_0']);

test('an app is published from its creation to its end', async () => {
  await follow({ frameworkName: 'dev' });
  await marathon.addApp(example(2));
  await until('two tasks run', () => running().length === 2);
  expect(listener.app('/my-service')).toMatchObject({
    framework: 'dev',
    ports: [{ labels: { VIP_0: '/my-service:5555' } }],
  });
  for (const task of running()) expect(task.ports[0]?.endpoints).toMatchObject([{ address: '127.0.0.1' }]);

  await marathon.updateApp('/my-service', { instances: 3 });
  await until('three tasks run', () => running().length === 3);
  await marathon.updateApp(
    '/my-service',
    example(3, { portDefinitions: [{ port: 0, labels: { VIP_0: 'other:1' } }] }),
  );
  await until('all have the new label', () => labels().join() === 'other:1,other:1,other:1');
  await marathon.removeApp('/my-service');
  await until('it is gone', () => listener.app('/my-service') === undefined);
  expect(listener.errors).toEqual([]);
  expect(marathon.requests.filter(({ url }) => url.startsWith('/v2/apps?'))).toHaveLength(1);
});

test('a pod is published, container by container', async () => {
  await follow();
  await marathon.addPod({
    id: '/pod',
    networks: [{ mode: 'host' }],
    scaling: { kind: 'fixed', instances: 1 },
    containers: ['c1', 'c2'].map((name) => ({
      name,
      exec: { command: { shell: 'sleep 1000' } },
      resources: { cpus: 0.1, mem: 32 },
      endpoints: [{ name: 'h', hostPort: 0, protocol: ['tcp'], labels: { VIP_0: `${name}:80` } }],
    })),
  });
  await until(
    'both containers run',
    () => listener.app('/pod')?.tasks.filter(({ state }) => state === 'running').length === 2,
  );
  const ports = listener.app('/pod')?.tasks.map((task) => task.ports[0]);
  expect(ports?.map((port) => [port?.labels['VIP_0'], port?.endpoints.length])).toEqual([
    ['c1:80', 1],
    ['c2:80', 1],
  ]);
  await marathon.removePod('/pod');
  await until('it is gone', () => listener.app('/pod') === undefined);
});

test('a change of leader costs no health and no app, with credentials', async () => {
  const secret = join(directory, 'secret');
  writeFileSync(secret, 'user:password');
  await follow(
    { masters: 3, credentials: { basic: 'user:password' } },
    { credentials: { kind: 'basic', path: secret } },
  );
  await marathon.addApp(
    example(1, { healthChecks: [{ protocol: 'COMMAND', command: { value: 'true' }, intervalSeconds: 300 }] }),
  );
  await until('it is healthy', () => running()[0]?.health === 'healthy');
  const before = listener.app('/my-service');
  const reads = listener.snapshots.length;
  marathon.elect(200);
  await until(
    'everything is read from the new leader',
    () => listener.snapshots.length > reads && marathon.listenerCount > 0,
  );
  expect(listener.app('/my-service')).toBe(before);
});

(canMakeCertificates ? test : test.skip)(
  'TLS is trusted through the CA file, and refused with a hint without it (skipped without openssl)',
  async () => {
    const { caFile, ...tls } = makeCertificate(directory, 'marathon');
    await follow({ tls }, { caFile });
    expect(listener.errors).toEqual([]);

    const untrusting = createMarathonSource({ where: marathon.url, resolver: namesOf(), log: silent });
    await expect(untrusting.read(stop.signal)).rejects.toMatchObject({
      code: 'source',
      retry: 'never',
      message: expect.stringMatching(
        /self-signed certificate.*; give the CA that signed Marathon's certificate/,
      ),
    });
  },
);
