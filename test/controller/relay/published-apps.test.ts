import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { KubernetesClient } from '../../../controller/kubernetes/client.ts';
import type { Log, SavedApps } from '../../../controller/ports.ts';
import { createRelayHealth } from '../../../controller/relay/health.ts';
import { publishedAsSaved } from '../../../controller/relay/published-apps.ts';
import { runRelay } from '../../../controller/relay/relay.ts';
import { createFileSource } from '../../../controller/source/file/source.ts';
import { clientOf, clock, inBackground, never, startServer } from '../source/kubernetes/setup.ts';
import { namesOf, reached, silent, until } from '../source/support.ts';

let path: string;
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'published-')), 'web.json');
});
afterEach(() => rm(join(path, '..'), { recursive: true }));

const task = (id: string, change: object = {}) => ({
  id,
  host: '10.0.0.1',
  state: 'TASK_RUNNING',
  ports: [31_000],
  ...change,
});

async function sourceOf(tasks: readonly object[], saved?: SavedApps) {
  const portDefinitions = [{ port: 0, labels: { VIP_0: '/web:80' } }];
  await writeFile(path, JSON.stringify({ id: '/web', cmd: 'x', portDefinitions, tasks }));
  return createFileSource({ path, resolver: namesOf(), log: silent, saved });
}

const identity = (client: KubernetesClient, name: string) => ({
  ...{ client, clock, random: Math.random, namespace: 'default', name },
});

async function publish(client: KubernetesClient, name: string, tasks: readonly object[]): Promise<void> {
  const source = await sourceOf(tasks);
  const { observer } = createRelayHealth([source.name], clock, 60_000);
  const told: string[] = [];
  const log: Log = { ...silent, info: (message) => told.push(message) };
  const options = { ...identity(client, name), sources: [source], log, observer };
  inBackground((signal) => runRelay({ ...options, identity: name, settleMs: 1 }, signal));
  await until('it is published', () => told.includes('published'));
}

test('what a source of a relay cannot read at its start is what an earlier relay published', async () => {
  const server = await startServer();
  const client = await clientOf(server);
  await publish(client, 'a', [task('web.1'), task('web.2')]);
  const served = async (relay: string) => {
    const saved = publishedAsSaved({ ...identity(client, relay), log: silent }, never);
    const source = await sourceOf([task('web.1', { host: 7 }), task('web.3')], saved);
    const { apps } = await source.read(never);
    return apps.flatMap(({ tasks }) => tasks.map((each) => `${each.id} ${reached(each)}`)).sort();
  };
  expect(await served('a')).toEqual(['web.1 10.0.0.1:31000', 'web.3 10.0.0.1:31000']);
  // Another relay has published nothing.
  expect(await served('b')).toEqual(['web.3 10.0.0.1:31000']);
});

test('a cluster that cannot be read is reported, and nothing is known of what was published', async () => {
  const server = await startServer();
  const client = await clientOf(server);
  const failed = { status: 500, body: { kind: 'Status', message: 'broken' } };
  server.faults.next(({ path: asked }) => asked.includes('/marathonapps'), failed, 1_000);
  const told: unknown[] = [];
  const log: Log = { ...silent, warn: (message, fields) => told.push(message, fields) };
  const saved = publishedAsSaved({ ...identity(client, 'a'), log }, never);
  expect(await saved('file=web')).toBeNull();
  expect(told).toEqual([
    'cannot read the published apps: what a source cannot read now is left out',
    { error: expect.stringContaining('answered 500') },
  ]);
});
