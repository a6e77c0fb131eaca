import { writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { createMarathonWriter } from '../../../../controller/source/marathon/writer.ts';
import { sendJson } from '../support.ts';
import { client, never, ok, refused, secret, serve, useServers } from './client-setup.ts';

useServers();

test('basic credentials and tokens come from files', async () => {
  const marathon = await serve(ok);
  await client([marathon], { credentials: { kind: 'basic', path: await secret('user:pass:word\n') } }).get(
    '/',
    never,
  );
  await client([marathon], { credentials: { kind: 'token', path: await secret('abc.def\n') } }).get(
    '/',
    never,
  );
  expect(marathon.authorizations).toEqual([`Basic ${btoa('user:pass:word')}`, 'token=abc.def']);
});

test('a user in the URL is used, and is in no name and no message', async () => {
  const marathon = await serve((_request, response) => void response.writeHead(500).end());
  const one = client(marathon.url.replace('//', '//me:s%40cret@'));
  await expect(one.get('/', never)).rejects.toMatchObject({ message: expect.not.stringContaining('cret') });
  expect(marathon.authorizations).toEqual([`Basic ${btoa('me:s@cret')}`]);
  expect(one.name).toBe(marathon.url);
});

test('after a 401 the file is read again, once', async () => {
  const path = await secret('old');
  const marathon = await serve((request, response) => {
    if (request.headers.authorization === 'token=new') return sendJson(response, {});
    void writeFile(path, 'new').then(() => response.writeHead(401).end());
  });
  const one = client([marathon], { credentials: { kind: 'token', path } });
  await one.get('/', never);
  await one.get('/', never);
  expect(marathon.authorizations).toEqual(['token=old', 'token=new', 'token=new']);
});

test('after a 401 with credentials that are still the same nothing is tried again', async () => {
  const marathon = await serve((_request, response) => void response.writeHead(401).end());
  const one = client([marathon], { credentials: { kind: 'token', path: await secret('old') } });
  await expect(one.get('/', never)).rejects.toThrow('answered 401; check the credentials');
  expect(marathon.requests).toHaveLength(1);
});

test.each([
  ['basic', 'no colon', /^--marathon-user-file: expected user:password on one line in .*secret$/],
  ['token', 'two words', /^--marathon-token-file: expected a DC\/OS token in ASCII on one line in .*secret$/],
  ['token', '', /expected a DC\/OS token/],
  ['token', 'abc€', /expected a DC\/OS token in ASCII/],
] as const)(
  'a file for %s credentials with %j is refused without showing it',
  async (kind, text, message) => {
    const one = client(refused, { credentials: { kind, path: await secret(text) } });
    await expect(one.get('/', never)).rejects.toThrow(message);
    await expect(one.get('/', never)).rejects.toMatchObject({ code: 'usage' });
  },
);

test('a credentials file that is not there is published by name', async () => {
  const one = client(refused, { credentials: { kind: 'token', path: '/no/such/file' } });
  await expect(one.get('/', never)).rejects.toThrow(
    /^--marathon-token-file: \/no\/such\/file cannot be read: there is no such file or directory$/,
  );
});

test('a redirect to another master carries the credentials', async () => {
  const leader = await serve(ok);
  const standby = await serve(
    (request, response) => void response.writeHead(302, { location: `${leader.url}${request.url}` }).end(),
  );
  await client([standby, leader], { credentials: { kind: 'token', path: await secret('t') } }).get(
    '/v2/info',
    never,
  );
  expect(leader.authorizations).toEqual(['token=t']);
});

test('a redirect to an unknown host is followed without credentials, and a refusal there mentions this', async () => {
  const stranger = await serve((_request, response) => void response.writeHead(401).end());
  const standby = await serve(
    (_request, response) => void response.writeHead(302, { location: `${stranger.url}/x` }).end(),
  );
  const one = client([standby], { credentials: { kind: 'token', path: await secret('t') } });
  await expect(one.get('/', never)).rejects.toThrow('the credentials were not sent');
  expect(stranger.authorizations).toEqual([undefined]);
});

test.each([
  [500, 'SECRET of another service'],
  [404, '{"message":"SECRET"}'],
  [200, 'SECRET is no JSON'],
  [200, '{"apps":"SECRET"}'],
])('the message of a host to which a redirect led are not quoted: %i %s', async (status, body) => {
  const stranger = await serve((_request, response) => void response.writeHead(status).end(body));
  const standby = await serve(
    (_request, response) => void response.writeHead(302, { location: `${stranger.url}/x` }).end(),
  );
  const one = client([standby]);
  const reads = [
    one.get('/v2/info', never),
    createMarathonWriter(one).listApps(never),
    one.stream('/v2/events', never),
  ];
  for (const read of reads) {
    const listener = await read.then(
      () => 'no error',
      (error: Error) => `${error.message} ${String(error.cause)}`,
    );
    expect(listener).not.toContain('SECRET');
    if (status === 500) expect(listener).toContain(`answered ${status}, redirected to ${stranger.url}`);
  }
});

test('the leader that a master names may see the credentials', async () => {
  const leader = await serve(ok);
  const standby = await serve((request, response) => {
    if (request.url === '/v2/info')
      return void response.writeHead(200, { 'x-marathon-leader': leader.url }).end('{}');
    response.writeHead(302, { location: `${leader.url}${request.url}` }).end();
  });
  const one = client([standby], { credentials: { kind: 'token', path: await secret('t') } });
  await one.get('/v2/info', never);
  await one.get('/v2/apps', never);
  expect(leader.authorizations).toEqual(['token=t']);
});

test.each<[string, (leader: string) => string]>([
  ['over another scheme', (leader) => leader.replace('http:', 'https:')],
  ['that is no URL', () => 'leader'],
])('a leader %s is not trusted', async (_name, named) => {
  const leader = await serve(ok);
  const standby = await serve((_request, response) => {
    response.writeHead(302, { location: `${leader.url}/`, 'x-marathon-leader': named(leader.url) }).end();
  });
  await client([standby], { credentials: { kind: 'token', path: await secret('t') } }).get('/', never);
  expect(leader.authorizations).toEqual([undefined]);
});

test('a leader that a stranger names is not trusted', async () => {
  const other = await serve(ok);
  const stranger = await serve((_request, response) => {
    response.writeHead(302, { location: other.url, 'x-marathon-leader': other.url }).end();
  });
  const standby = await serve(
    (_request, response) => void response.writeHead(302, { location: stranger.url }).end(),
  );
  await client([standby], { credentials: { kind: 'token', path: await secret('t') } }).get('/', never);
  expect(other.authorizations).toEqual([undefined]);
});
