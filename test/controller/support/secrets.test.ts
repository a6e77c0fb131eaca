import { describe, expect, test } from '@jest/globals';
import { secretRemover, secretsIn, withoutForeignLabels } from '../../../controller/support/secrets.ts';

describe('what looks like a secret is blanked out', () => {
  const clean = secretRemover([]);

  test.each([
    ['http://user:pa55word@marathon.example:8080/v2', 'http://***@marathon.example:8080/v2'],
    ['{"url":"http://u:p@h/","app":"a@b"}', '{"url":"http://***@h/","app":"a@b"}'],
    ['authorization: Bearer abcdefgh12345', 'authorization: Bearer ***'],
    ['Authorization: token=abcdefgh12345', 'Authorization: token= ***'],
    ['{"password":"a \\"b\\" c","user":"me"}', '{"password":***,"user":"me"}'],
    ['DB_PASSWORD=hunter2 next', 'DB_PASSWORD=*** next'],
    ['api_key: abc', 'api_key: ***'],
    ['eyJhbGciOiJSUzI1NiJ9.eyJ1aWQiOiJib290In0.c2ln', '***'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE\nvQ==\n-----END PRIVATE KEY-----\n', '***\n'],
    ['-----BEGIN EC PRIVATE KEY-----\nMIIE', '***'],
  ])('%s', (text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  test.each([
    '-A -t 11.0.0.1:80 -s wlc',
    '"read-token-file": { "value": "/etc/marathon-ipvs/read-token", "from": "file" }',
    'inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0',
    'marathon_ipvs_services{protocol="tcp"} 3',
    '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n',
  ])('and nothing of %j', (text) => {
    expect(clean(text)).toBe(text);
  });
});

test.each(['eyJaaaaaaaa-', '/', 'http://aaaa'])('much text such as %j takes time in proportion', (text) => {
  secretRemover([])(text.repeat(100_000));
});

test('a known secret is blanked out however it is written', () => {
  const secret = 'p"ä/55 word';
  const clean = secretRemover([secret, '', 'abc']);
  const forms = [secret, JSON.stringify(secret), encodeURIComponent(secret), btoa64(secret)];
  for (const form of forms) expect(clean(`a ${form} b`)).toMatch(/^a "?\*\*\*"? b$/);
  expect(clean('abc')).toBe('abc');
});

test('of user:password both the pair and the password are secrets', () => {
  expect(secretsIn('marathon:s3cret:x\n')).toEqual(['marathon:s3cret:x', 's3cret:x']);
  expect(secretsIn('token\n')).toEqual(['token']);
});

test('labels of other programs keep their names alone', () => {
  const app = { id: '/web', labels: { VIP_0: '/web:80', AUTH: 'me:{"}pass', IPVS_SCHEDULER: 'rr' } };
  expect(JSON.parse(withoutForeignLabels(JSON.stringify([app, { labels: {} }])))).toEqual([
    { ...app, labels: { ...app.labels, AUTH: '***' } },
    { labels: {} },
  ]);
});

function btoa64(text: string): string {
  return Buffer.from(text).toString('base64');
}
