/** `/v1/deployments` over the real writer, at the test Marathon. */

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { deploymentDocument } from '../../../controller/api/documents.ts';
import { ControllerError } from '../../../controller/errors.ts';
import type { AppWriter } from '../../../controller/ports.ts';
import { createMarathonClient } from '../../../controller/source/marathon/client.ts';
import { createMarathonWriter } from '../../../controller/source/marathon/writer.ts';
import { systemClock } from '../../../controller/time.ts';
import { backend, service } from '../../support/builders.ts';
import { startMarathon, type TestMarathon } from '../../support/marathon/start-marathon.ts';
import { desiredOf } from '../../support/observed.ts';
import { HANG_MS } from '../../support/waiting.ts';
import { passOf } from '../status/passes.ts';
import { accessOf, Serving, tokenOf } from './serving.ts';

const TOKEN = 'a-token-of-some-length';
const LOG = { debug() {}, info() {}, warn() {}, error() {} };
const WEB = { id: '/web', cmd: 'sleep 1000', cpus: 0.1, mem: 32, instances: 1 };

let marathon: TestMarathon;
let serving: Serving;
let writer: AppWriter;
beforeEach(async () => {
  marathon = await startMarathon({ processes: false, startMs: 60_000 });
  writer = createMarathonWriter(createMarathonClient({ where: marathon.url, clock: systemClock }));
  serving = await serve(writer);
});
afterEach(async () => {
  await serving.close();
  await marathon.close();
});

function serve(using: AppWriter): Promise<Serving> {
  const access = accessOf({ writeToken: tokenOf(TOKEN) });
  return Serving.start({ writing: { writer: using, log: LOG }, access });
}

/** Closes the one there is and serves with a writer that differs. */
async function serveWith(over: Partial<AppWriter>): Promise<void> {
  await serving.close();
  serving = await serve({ ...writer, ...over });
}

async function ask(path: string, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) {
  const { status, body } = await serving.get(`/v1/deployments${path}`, headers);
  return { status, body: JSON.parse(body) };
}

async function add(): Promise<string> {
  const options = { signal: AbortSignal.timeout(HANG_MS) };
  const result = await writer.add('app', JSON.stringify(WEB), options);
  if (result.result !== 'accepted' || result.deployment === null) throw new Error('a deployment');
  return result.deployment;
}

const waitASecond = () => {
  serving.world.now += 1_000;
};

test('shows step, instances and backends on this host while it runs, and that it is over', async () => {
  const ours = backend('10.0.0.1', 31_000, { app: '/web' });
  const others = backend('10.0.0.2', 31_000, { app: '/other' });
  serving.converge(passOf({ desired: desiredOf(service('11.0.0.1', 80, [ours, others], { name: 'web' })) }));
  const id = await add();
  const { status, body } = await ask(`/${id}?app=/web`);
  expect(deploymentDocument.parse(body)).toEqual(body);
  expect([status, body]).toEqual([
    200,
    {
      deployment: id,
      app: '/web',
      progress: { step: 2, steps: 2, actions: ['ScaleApplication /web'] },
      instances: { wanted: 1, running: 0, ready: 0, checked: false },
      others: [],
      failure: null,
      backendsInRotation: 1,
    },
  ]);
  const [task] = marathon.tasks('/web');
  marathon.setTaskState(String(task?.['id']), 'TASK_RUNNING');
  await marathon.deployed();
  // However often it is asked for, Marathon is asked now and then.
  expect((await ask(`/${id}?app=/web`)).body).toEqual(body);
  waitASecond();
  expect((await ask(`/${id}?app=/web`)).body).toMatchObject({
    progress: null,
    instances: { running: 1, ready: 1 },
  });
});

test('a cancelled deployment names the one that changes the app now', async () => {
  const id = await add();
  const options = { signal: AbortSignal.timeout(HANG_MS), force: true };
  await writer.update({ kind: 'app', id: '/web' }, '{"instances":2}', options);
  const { body } = await ask(`/${id}?app=/web`);
  expect(body).toMatchObject({ progress: null, instances: { wanted: 2 }, others: [expect.any(String)] });
  expect(body.others).not.toContain(id);
});

test('a failed task is reported if it had the current definition', async () => {
  const lastTaskFailure = { state: 'TASK_FAILED', message: 'exit 1', version: 'v1' };
  let version = 'v1';
  await serveWith({ show: async () => ({ ...WEB, version, lastTaskFailure }) });
  expect((await ask('/d?app=/web')).body).toMatchObject({ failure: 'TASK_FAILED: exit 1' });
  version = 'v2';
  waitASecond();
  expect((await ask('/d?app=/web')).body).toMatchObject({ failure: null });
});

test.each([
  [{}, 401],
  [{ authorization: 'Bearer wrong' }, 401],
  [{ authorization: `Bearer ${TOKEN}`, origin: 'https://evil.example' }, 403],
  [{ authorization: `Bearer ${TOKEN}`, 'sec-fetch-site': 'cross-site' }, 403],
])('with %j it is %d', async (headers: Record<string, string>, expected) => {
  expect((await ask('/d?app=/web', headers)).status).toBe(expected);
});

test.each(['', '/', '/d', '/d?app=', '/d?app=web', '/d?app=/../info', '/d/e?app=/web', '/%2e%2e?app=/web'])(
  'd%s is no deployment',
  async (path) => {
    expect((await ask(path)).status).toBe(404);
    expect(marathon.requests).toEqual([]);
  },
);

test('only GET is allowed', async () => {
  const headers = { authorization: `Bearer ${TOKEN}` };
  expect((await serving.get('/v1/deployments/d?app=/web', headers, 'DELETE')).status).toBe(405);
});

test('following does not count towards the limit on writes', async () => {
  for (let count = 0; count < 130; count++) await ask('/d?app=/web');
  expect((await serving.get('/v1/apps', { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  expect(marathon.requests.filter(({ url }) => url.startsWith('/v2/deployments'))).toHaveLength(1);
});

test('the number of followed deployments is limited, and those no longer polled make room', async () => {
  for (let count = 0; count < 32; count++) expect((await ask(`/d${count}?app=/web`)).status).toBe(200);
  expect((await ask('/d32?app=/web')).status).toBe(503);
  expect((await ask('/d31?app=/web')).status).toBe(200);
  serving.world.now += 11_000;
  expect((await ask('/d32?app=/web')).status).toBe(200);
});

test('a Marathon that does not answer is reported, and queried again', async () => {
  let fails = true;
  await serveWith({
    deployment: async () => {
      if (fails) throw new ControllerError('source', 'no master leads', { retry: 'later' });
      return null;
    },
  });
  expect(await ask('/d?app=/web')).toEqual({ status: 502, body: { error: 'no master leads' } });
  fails = false;
  expect((await ask('/d?app=/web')).status).toBe(200);
});

test('is disabled unless writing is enabled', async () => {
  await serving.close();
  serving = await Serving.start();
  const { status, body } = await ask('/d?app=/web', {});
  expect([status, body.error]).toEqual([403, expect.stringContaining('--allow-writes')]);
});
