import { describe, expect, test } from '@jest/globals';
import { createMarathonWriter } from '../../../../controller/source/marathon/writer.ts';
import { SIMULATED, start } from '../../../support/marathon-harness.ts';
import { sendJson } from '../support.ts';
import { client, never, refused, serve, useServers } from './client-setup.ts';

useServers();

const WEB = { kind: 'app', id: '/my-service' } as const;
const signal = never;
const text = (fields: object = {}) => JSON.stringify({ ...SIMULATED, ...fields });
const writing = (marathon: { urls: readonly string[] }) =>
  createMarathonWriter(client(marathon.urls.join(',')));

describe('a write that Marathon accepts', () => {
  test('names the deployment, which can be followed to its end', async () => {
    const marathon = await start({ startMs: 60_000 });
    const writer = writing(marathon);
    const added = await writer.add('app', text(), { signal });
    expect(added).toMatchObject({ result: 'accepted', deployment: expect.any(String) });
    const id = added.result === 'accepted' ? (added.deployment ?? '') : '';
    expect(await writer.deployment(id, signal)).toEqual({
      id,
      step: 2,
      steps: 2,
      actions: ['ScaleApplication /my-service'],
    });
    const forced = await writer.remove(WEB, { signal, force: true });
    expect(forced.result).toBe('accepted');
    await marathon.deployed();
    expect(await writer.deployment(id, signal)).toBeNull();
    expect(await writer.show(WEB, signal)).toBeNull();
  });

  test('is sent byte for byte', async () => {
    const bodies: string[] = [];
    const server = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (chunk: string) => bodies.push(chunk));
      request.on('end', () => sendJson(response, { version: 'v', deployments: [{ id: 'd' }] }, 201));
    });
    const json = '{ "id":"/a",\t"cpus": 0.10, "x-field-to-come": [1e2, "ü"] }\n';
    expect(await createMarathonWriter(client([server])).add('app', json, { signal })).toEqual({
      result: 'accepted',
      version: 'v',
      deployment: 'd',
    });
    expect(bodies.join('')).toBe(json);
    expect(server.requests).toEqual(['POST /v2/apps']);
  });

  test('changes some fields of an app, all of a pod, and removes both', async () => {
    const marathon = await start();
    const writer = writing(marathon);
    await writer.add('app', text(), { signal });
    await marathon.deployed();
    await writer.update(WEB, '{"instances":2}', { signal });
    await marathon.deployed();
    expect(await writer.show(WEB, signal)).toMatchObject({ instances: 2, tasks: [{}, {}] });
    expect(await writer.listApps(signal)).toMatchObject([{ id: '/my-service', tasksRunning: 2 }]);

    const pod = { id: '/pod', containers: [{ name: 'c', resources: { cpus: 0.1, mem: 32 } }] };
    await writer.add('pod', JSON.stringify(pod), { signal });
    await marathon.deployed();
    const ref = { kind: 'pod', id: '/pod' } as const;
    expect(await writer.show(ref, signal)).toMatchObject({ id: '/pod', instances: [{}] });
    expect(await writer.remove(ref, { signal })).toMatchObject({ deployment: expect.any(String) });
    await marathon.deployed();
    expect(await writer.show(ref, signal)).toBeNull();
  });
});

describe('a write that Marathon refuses', () => {
  test('an app that exists, one that does not, and one that a deployment locks are distinguished', async () => {
    const marathon = await start({ startMs: 60_000 });
    const writer = writing(marathon);
    expect(await writer.remove(WEB, { signal })).toMatchObject({
      why: 'absent',
      message: "App '/my-service' does not exist",
    });
    const added = await writer.add('app', text(), { signal });
    expect(await writer.add('app', text(), { signal })).toMatchObject({
      why: 'exists',
      message: 'An app with id [/my-service] already exists.',
      deployments: [],
    });
    const id = added.result === 'accepted' ? added.deployment : '';
    expect(await writer.update(WEB, '{"instances":2}', { signal })).toMatchObject({
      why: 'locked',
      deployments: [id],
    });
    expect(await writer.update(WEB, '{"instances":2}', { signal, force: true })).toMatchObject({
      result: 'accepted',
    });
  });

  test('its messages name the field as our own do', async () => {
    const writer = writing(await start());
    const bad = { ...SIMULATED, id: '/Bad_Id' };
    expect(await writer.add('app', JSON.stringify(bad), { signal })).toMatchObject({
      result: 'refused',
      why: 'invalid',
      message: 'Object is not valid',
      details: [{ at: 'id', errors: [expect.stringContaining('regular expression')] }],
    });
    expect(await writer.add('app', '{', { signal })).toMatchObject({
      why: 'invalid',
      details: [{ at: '', errors: [expect.any(String)] }],
    });
    const server = await serve((_request, response) =>
      sendJson(
        response,
        {
          message: 'Object is not valid',
          details: [{ path: '/container/portMappings(3)/name', errors: ['x'] }],
        },
        422,
      ),
    );
    expect(await createMarathonWriter(client([server])).add('app', '{}', { signal })).toMatchObject({
      details: [{ at: 'container.portMappings[3].name', errors: ['x'] }],
    });
  });

  test('too many deployments are not a matter of permissions', async () => {
    const message = 'Max number (100) of running deployments is achieved.';
    let answer = message;
    const server = await serve((_request, response) => sendJson(response, { message: answer }, 403));
    const writer = createMarathonWriter(client([server]));
    expect(await writer.add('app', '{}', { signal })).toMatchObject({ why: 'busy', message });
    answer = 'Not authorized';
    expect(await writer.add('app', '{}', { signal })).toMatchObject({ why: 'forbidden' });
  });
});

describe('masters', () => {
  test('the next master is tried if nothing listens, or if there is no leader', async () => {
    const marathon = await start({ masters: 2 });
    const writer = createMarathonWriter(client([refused, ...marathon.urls].join(',')));
    expect(await writer.add('app', text(), { signal })).toMatchObject({ result: 'accepted' });
    await marathon.deployed();

    const without = await serve((_request, response) =>
      response.writeHead(502).end('Could not determine the current leader'),
    );
    const other = createMarathonWriter(client([without.url, ...marathon.urls].join(',')));
    expect(await other.update(WEB, '{"instances":0}', { signal })).toMatchObject({ result: 'accepted' });
    expect(without.requests).toEqual(['PUT /v2/apps/my-service']);
  });

  test('a write that may have been carried out is not made once more', async () => {
    const broken = await serve((_request, response) => response.destroy());
    const good = await serve((_request, response) => sendJson(response, {}));
    const writer = createMarathonWriter(client([broken, good]));
    await expect(writer.add('app', '{}', { signal })).rejects.toThrow(
      /^POST http:.*\/v2\/apps: .*; it may have been carried out: look at it before asking again$/,
    );
    expect(good.requests).toEqual([]);
  });

  test('a write follows no redirect', async () => {
    const other = await serve((_request, response) => sendJson(response, {}));
    const server = await serve((_request, response) =>
      response.writeHead(302, { location: `${other.url}/v2/apps?token=secret` }).end(),
    );
    const writer = createMarathonWriter(client([server]));
    await expect(writer.add('app', '{}', { signal })).rejects.toThrow(
      /redirected to http:[^?]*\/v2\/apps; redirects of writes are not followed$/,
    );
    expect(other.requests).toEqual([]);
  });

  test('a refusal of the credentials, and of another program, is an error', async () => {
    const marathon = await start({ credentials: { basic: 'a:b' } });
    await expect(writing(marathon).add('app', text(), { signal })).rejects.toThrow(
      /401 "Invalid username or password\."; check the credentials \(--marathon-user-file/,
    );
    const nginx = await serve((_request, response) => response.writeHead(404).end('<html>'));
    const writer = createMarathonWriter(client([nginx]));
    await expect(writer.remove(WEB, { signal })).rejects.toThrow(/404 "<html>"; is this the address/);
  });
});
