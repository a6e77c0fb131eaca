import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { refusalOf } from '../../../../controller/source/marathon/refusal.ts';
import { createMarathonWriter } from '../../../../controller/source/marathon/writer.ts';
import { sendJson } from '../support.ts';
import { client, never, serve, useServers } from './client-setup.ts';

useServers();

const INVALID = 'Object is not valid';

describe('each version of Marathon has its own format for errors', () => {
  test.each<[string, unknown, string, readonly (readonly [string, readonly string[]])[]]>([
    [
      '1.x: a path with several messages',
      { message: INVALID, details: [{ path: '/portDefinitions(0)/port', errors: ['too large', 'taken'] }] },
      INVALID,
      [['portDefinitions[0].port', ['too large', 'taken']]],
    ],
    [
      '0.14: an attribute with its error',
      { message: INVALID, details: [{ attribute: 'apps[43].value', error: 'must address an element' }] },
      INVALID,
      [['apps[43].value', ['must address an element']]],
    ],
    ['texts', { message: INVALID, details: ['one', 'two'] }, INVALID, [['', ['one', 'two']]]],
    [
      'one text',
      { message: INVALID, details: 'Unexpected end-of-input' },
      INVALID,
      [['', ['Unexpected end-of-input']]],
    ],
    ['a number', { message: INVALID, details: [7] }, INVALID, [['', ['7']]]],
    [
      'one message without a list',
      { message: INVALID, details: { path: '/id', errors: 'must not be empty' } },
      INVALID,
      [['id', ['must not be empty']]],
    ],
    [
      'fields as keys',
      { message: INVALID, details: { id: ['must not be empty'], 'container.image': 'is missing' } },
      INVALID,
      [
        ['id', ['must not be empty']],
        ['container.image', ['is missing']],
      ],
    ],
    [
      'fields as keys, nested in one another',
      { message: INVALID, details: { portDefinitions: { 0: { labels: { VIP_0: ['is no VIP'] } } } } },
      INVALID,
      [['portDefinitions[0].labels.VIP_0', ['is no VIP']]],
    ],
    [
      'messages within a message',
      { message: INVALID, details: [{ path: '/apps', errors: [{ path: '(0)/id', errors: ['is taken'] }] }] },
      INVALID,
      [['apps[0].id', ['is taken']]],
    ],
    [
      '0.7: errors without a message',
      { errors: [{ attribute: 'id', error: 'path contains invalid characters' }] },
      'answered 422',
      [['id', ['path contains invalid characters']]],
    ],
    ['1.4: a message that is null', { message: null }, 'answered 422 without a message', []],
    ['an empty message', { message: ' ', details: [] }, 'answered 422 without a message', []],
    ['a message of several parts', { message: { id: ['is taken'] } }, 'answered 422', [['id', ['is taken']]]],
    ['nothing', null, 'answered 422 without a message', []],
    ['bare text', 'no such thing', 'no such thing', []],
    [
      'a bare list',
      ['one', { path: '/id', errors: ['two'] }],
      'answered 422',
      [
        ['', ['one']],
        ['id', ['two']],
      ],
    ],
    [
      'keys of its own',
      { error: 'bad', code: 3 },
      'answered 422',
      [
        ['error', ['bad']],
        ['code', ['3']],
      ],
    ],
  ])('%s', (_name, json, message, details) => {
    expect(refusalOf(422, json)).toEqual({
      result: 'refused',
      why: 'invalid',
      message,
      deployments: [],
      details: details.map(([at, errors]) => ({ at, errors })),
    });
  });
});

test('what lacks, exists or is locked is reported without a message too', () => {
  expect(refusalOf(404, { message: null })).toMatchObject({
    why: 'absent',
    message: 'answered 404 without a message',
  });
  expect(refusalOf(409, { message: null })).toMatchObject({ why: 'exists' });
  expect(refusalOf(409, { message: null, deployments: [{ id: 'd' }] })).toMatchObject({ why: 'locked' });
});

test('an answer that is not Marathon’s own is no refusal', () => {
  expect(refusalOf(404, null)).toBeNull();
  expect(refusalOf(404, { error: 'not found' })).toBeNull();
  expect(refusalOf(413, { message: 'too large' })).toBeNull();
});

test('for any JSON, the messages are text of readable length', () => {
  const deep = JSON.parse(`${'[{"errors":'.repeat(3_000)}1${'}]'.repeat(3_000)}`);
  expect(refusalOf(422, { message: 'x', details: deep })?.details).toHaveLength(1);
  fc.assert(
    fc.property(
      fc.constantFrom(400, 403, 404, 409, 422),
      fc.jsonValue(),
      fc.jsonValue(),
      (status, details, message) => {
        for (const json of [details, { message, details }, { errors: details }]) {
          const { details: listener = [], message: words = '' } = refusalOf(status, json) ?? {};
          expect(typeof words).toBe('string');
          expect(listener.length).toBeLessThanOrEqual(100);
          for (const { at, errors } of listener)
            expect([at, ...errors].every((text) => typeof text === 'string')).toBe(true);
        }
      },
    ),
  );
});

test('a write that a proxy refuses has not been carried out, and is made at the next master', async () => {
  const html = '<html><body>413 Request Entity Too Large</body></html>';
  const proxy = await serve((_request, response) => void response.writeHead(413).end(html));
  const alone = createMarathonWriter(client([proxy])).add('app', '{}', { signal: never });
  await expect(alone).rejects.toThrow(`POST ${proxy.url}/v2/apps: answered 413 "${html}"`);
  await expect(alone).rejects.not.toThrow('may have been carried out');
  const good = await serve((_request, response) => sendJson(response, {}, 201));
  const both = createMarathonWriter(client([proxy, good])).add('app', '{}', { signal: never });
  expect(await both).toMatchObject({ result: 'accepted' });
});
