/** `/v1/apps` and `/v1/deployments` as they are described, and as the server answers at the test Marathon. */

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { z } from 'zod';
import {
  appDefinition,
  appDocument,
  appListDocument,
  deploymentDocument,
  problemDocument,
  writeAcceptedDocument,
  writeRefusedDocument,
} from '../../../controller/api/documents.ts';
import { openapi } from '../../../controller/api/openapi.ts';
import { ControllerError } from '../../../controller/errors.ts';
import type { AppWriter } from '../../../controller/ports.ts';
import { createMarathonClient } from '../../../controller/source/marathon/client.ts';
import { createMarathonWriter } from '../../../controller/source/marathon/writer.ts';
import { systemClock } from '../../../controller/time.ts';
import { startMarathon, type TestMarathon } from '../../support/marathon/start-marathon.ts';
import { accessOf, Serving, tokenOf } from './serving.ts';

const WRITE_TOKEN = 'a-token-of-some-length';
const READ_TOKEN = 'another-token-of-some-length';
const LOG = { debug() {}, info() {}, warn() {}, error() {} };
const WEB = { id: '/shop/web', cmd: 'sleep 1000', cpus: 0.1, mem: 32, instances: 1 };

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  App: appDocument,
  AppDefinition: appDefinition,
  AppList: appListDocument,
  Deployment: deploymentDocument,
  Problem: problemDocument,
  WriteAccepted: writeAcceptedDocument,
  WriteRefused: writeRefusedDocument,
};

interface Referring {
  readonly $ref?: string;
  readonly anyOf?: readonly Referring[];
}
interface Content {
  readonly content?: { readonly 'application/json'?: { readonly schema: Referring } };
}
interface Operation {
  readonly security?: readonly object[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

const { paths } = openapi() as {
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
const METHODS = ['get', 'post', 'put', 'delete', 'patch'];

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
  const access = accessOf({ readToken: tokenOf(READ_TOKEN), writeToken: tokenOf(WRITE_TOKEN) });
  return Serving.start({ writing: { writer: using, log: LOG }, access });
}

interface Asking {
  readonly id?: string;
  readonly query?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Asks the server for the operation, checks that its answer is one of those that are described, to the last key, and
 * gives back `200 App`: the status and the first schema that it is one of.
 */
async function answered(
  method: string,
  template: string,
  { id = '', query = '', body, headers = {} }: Asking = {},
) {
  const response = await fetch(serving.url + template.replace('{id}', id) + query, {
    method: method.toUpperCase(),
    headers: { authorization: `Bearer ${WRITE_TOKEN}`, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  });
  const given: unknown = await response.json();
  const described = paths[template]?.[method]?.responses[response.status];
  const names = namesIn(described?.content?.['application/json']?.schema ?? {});
  // The one that says the most first: what Marathon refuses is a problem too.
  const name = names.reverse().find((one) => SCHEMAS[one]?.safeParse(given).success);
  if (name === undefined) {
    throw new Error(`${method} ${template}: ${response.status} ${JSON.stringify(given)} is none of ${names}`);
  }
  expect(SCHEMAS[name]?.parse(given)).toEqual(given);
  return { told: `${response.status} ${name}`, body: given as Readonly<Record<string, unknown>> };
}

function namesIn({ $ref, anyOf = [] }: Referring): string[] {
  return $ref === undefined ? anyOf.flatMap(namesIn) : [$ref.replace('#/components/schemas/', '')];
}

const told = async (...asking: Parameters<typeof answered>) => (await answered(...asking)).told;

test('every path of /v1 has exactly the described methods', async () => {
  const headers = { authorization: `Bearer ${WRITE_TOKEN}` };
  for (const [path, operations] of Object.entries(paths)) {
    if (path === '/v1/events') continue; // A stream, which does not end by itself.
    const possible = [];
    for (const method of METHODS) {
      const { status } = await serving.get(path.replace('{id}', 'none'), headers, method.toUpperCase());
      if (status !== 405) possible.push(method);
    }
    expect([path, possible]).toEqual([path, METHODS.filter((method) => method in operations)]);
  }
});

test('an app is created, listed, read, replaced, followed and removed with answers as described', async () => {
  expect(await told('get', '/v1/apps')).toBe('200 AppList');
  const created = await answered('post', '/v1/apps', { body: JSON.stringify(WEB) });
  expect(created.told).toBe('200 WriteAccepted');
  expect((await answered('get', '/v1/apps')).body).toEqual({ apps: ['/shop/web'] });

  const read = await answered('get', '/v1/apps/{id}', { id: 'shop/web' });
  expect([read.told, read.body]).toMatchObject(['200 App', { app: WEB }]);
  expect((await answered('get', '/v1/apps/{id}', { id: 'shop%2Fweb' })).body).toEqual(read.body);

  const deployment = { id: String(created.body['deployment']), query: '?app=/shop/web' };
  expect(await told('get', '/v1/deployments/{id}', deployment)).toBe('200 Deployment');
  const [task] = marathon.tasks('/shop/web');
  marathon.setTaskState(String(task?.['id']), 'TASK_RUNNING');
  await marathon.deployed();

  const body = JSON.stringify({ ...WEB, instances: 2 });
  expect(await told('put', '/v1/apps/{id}', { id: 'shop/web', body })).toBe('200 WriteAccepted');
  expect(await told('delete', '/v1/apps/{id}', { id: 'shop/web', query: '?force=true' })).toBe(
    '200 WriteAccepted',
  );
});

test('refusals of Marathon are described with their reason', async () => {
  const body = JSON.stringify(WEB);
  const id = 'shop/web';
  expect(await told('delete', '/v1/apps/{id}', { id })).toBe('404 WriteRefused');
  const bad = JSON.stringify({ ...WEB, portDefinitions: [{ port: 70_000 }] });
  expect(await told('post', '/v1/apps', { body: bad })).toBe('422 WriteRefused');
  await answered('post', '/v1/apps', { body });
  expect(await told('post', '/v1/apps', { body })).toBe('409 WriteRefused');
  const locked = await answered('put', '/v1/apps/{id}', { id, body });
  expect([locked.told, locked.body]).toMatchObject([
    '409 WriteRefused',
    { why: 'locked', deployments: [expect.any(String)] },
  ]);
  expect(await told('delete', '/v1/apps/{id}', { id })).toBe('409 WriteRefused');
});

test.each([
  ['busy', '503 WriteRefused'],
  ['forbidden', '403 WriteRefused'],
] as const)('a write that is refused as %s is %s, whichever it is', async (why, expected) => {
  const refused = { result: 'refused', why, message: 'not now', deployments: [], details: [] } as const;
  const refuses = async () => refused;
  await serving.close();
  serving = await serve({ ...writer, add: refuses, update: refuses, remove: refuses });
  const body = JSON.stringify(WEB);
  expect(await told('post', '/v1/apps', { body })).toBe(expected);
  expect(await told('put', '/v1/apps/{id}', { id: 'web', body })).toBe(expected);
  expect(await told('delete', '/v1/apps/{id}', { id: 'web' })).toBe(expected);
});

test('refusals of the controller itself are described', async () => {
  const reading = { headers: { authorization: `Bearer ${READ_TOKEN}` } };
  const wrong = { headers: { authorization: 'Bearer wrong' } };
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { security, requestBody }] of Object.entries(operations)) {
      if (security === undefined) continue;
      const body = requestBody === undefined ? {} : { body: '[]' };
      const id = 'web';
      expect(await told(method, path, { id, ...body, ...wrong })).toBe('401 Problem');
      expect(await told(method, path, { id, ...body, ...reading })).toBe('403 Problem');
      if (requestBody === undefined) continue;
      const text = { 'content-type': 'text/plain' };
      expect(namesIn(requestBody.content?.['application/json']?.schema ?? {})).toEqual(['AppDefinition']);
      expect(await told(method, path, { id, ...body })).toBe('400 Problem');
      expect(await told(method, path, { id, ...body, headers: text })).toBe('415 Problem');
      expect(await told(method, path, { id, body: `"${'x'.repeat(1_048_576)}"` })).toBe('413 Problem');
    }
  }
  expect(await told('get', '/v1/apps/{id}', { id: 'none' })).toBe('404 Problem');
  for (const method of ['get', 'put', 'delete']) {
    expect(await told(method, '/v1/apps/{id}', { id: 'a%3Fb' })).toBe('404 Problem');
  }
  expect(await told('get', '/v1/deployments/{id}', { id: 'd' })).toBe('404 Problem');
});

test('the answers for an unreachable Marathon and for too many requests are described', async () => {
  const fails = async () => {
    throw new ControllerError('source', 'no master leads', { retry: 'later' });
  };
  await serving.close();
  serving = await serve({ ...writer, listApps: fails, show: fails, add: fails, deployment: fails });
  expect(await told('get', '/v1/apps')).toBe('502 Problem');
  expect(await told('get', '/v1/apps/{id}', { id: 'web' })).toBe('502 Problem');
  expect(await told('post', '/v1/apps', { body: '{}' })).toBe('502 Problem');
  expect(await told('get', '/v1/deployments/{id}', { id: 'd', query: '?app=/web' })).toBe('502 Problem');
  for (let count = 0; count < 120; count++) await answered('get', '/v1/apps');
  expect(await told('delete', '/v1/apps/{id}', { id: 'web' })).toBe('429 Problem');
});
