import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withoutSecrets } from '../../../controller/support/free-text.ts';

/** A secret as people and programs make them, with a digit, as each of them has. */
const secrets = fc
  .tuple(
    fc.constantFrom('abcdef', 'ABCDEFabcdef+/', 'xyzXYZ_-.~', "äö'$,&?#:;!/"),
    fc.array(fc.nat(), { minLength: 10, maxLength: 40 }),
  )
  .map(([letters, picks]) => `7${picks.map((pick) => [...letters][pick % [...letters].length]).join('')}`);
/** The same with nothing in it that ends a word. */
const words = fc.stringMatching(/^[a-f0-9]{8,20}7[A-Za-z0-9_-]{4,20}$/);
const phrases = fc.array(words, { minLength: 2, maxLength: 4 }).map((some) => some.join(' '));

/** Each way in which the whole secret can be anything. */
const ANY: Readonly<Record<string, (secret: string) => string>> = {
  'basic header': (secret) => `Authorization: Basic ${secret}`,
  'digest header': (secret) => `Authorization: Digest username="me", response="${secret}", uri="/"`,
  'bare header': (secret) => `authorization: ${secret}`,
  'header as JSON': (secret) => JSON.stringify({ 'X-Auth-Token': secret, next: 1 }),
  'proxy header': (secret) => `> Proxy-Authorization: ${secret}`,
  cookie: (secret) => `Cookie: a=b; SID=${secret}`,
  'set cookie': (secret) => `Set-Cookie: dcos-acs-auth-cookie=${secret}; Path=/`,
  environment: (secret) => `DB_PASSWORD=${secret}`,
  'environment of a stage': (secret) => `DB_PASSWORD_PROD=${secret}`,
  'short names': (secret) => `PGPASS=${secret}\nMYSQL_PWD=${secret}\nSTRIPE_KEY=${secret}`,
  'long name': (secret) => `${'A'.repeat(300)}_TOKEN=${secret}`,
  'camel case': (secret) => `dbPassword: ${secret}`,
  'secret key': (secret) => `secret_key=${secret}\naws_secret_access_key = ${secret}`,
  'private key': (secret) => `private_key: ${secret}`,
  'client key': (secret) => `    client-key-data: ${secret}`,
  flag: (secret) => `exec: helper --password ${secret}`,
  'flag with sign': (secret) => `exec: helper --db-password=${secret} --verbose`,
  'user flag': (secret) => `curl -u me:${secret} http://marathon/`,
  'quoted user flag': (secret) => `curl --user 'me:${secret}' http://marathon/`,
  'signed URL': (secret) => `GET https://store.example/a.tgz?sig=${encodeURIComponent(secret)}&x=1`,
  'any query': (secret) => `GET https://store.example/a.tgz?k=${encodeURIComponent(secret)}&x=1`,
  'in a JSON text': (secret) => `answers 422: ${JSON.stringify({ env: { MODE: secret } })}`,
  'JSON in JSON': (secret) => JSON.stringify({ body: JSON.stringify({ password: secret, user: 'me' }) }),
  'JSON in JSON in JSON': (secret) => JSON.stringify(JSON.stringify(JSON.stringify({ token: secret }))),
  'name and value': (secret) => JSON.stringify([{ name: 'DB_PASSWORD', value: secret }]),
  'name, type and value': (secret) => JSON.stringify([{ name: 'DB_PASSWORD', type: 'VALUE', value: secret }]),
  'JSON over several lines': (secret) => JSON.stringify({ env: { MODE: secret, X: secret } }, null, 2),
  'pair of a list': (secret) => JSON.stringify(['password', secret]),
  command: (secret) => JSON.stringify({ cmd: `run ${secret}`, args: [secret], uris: [secret] }),
  'YAML below': (secret) => `password: |\n  ${secret}\n  ${secret}\nnext: 1`,
  'YAML environment': (secret) => `env:\n  MODE: ${secret}\n`,
  'YAML list that is not indented': (secret) => `env:\n- name: A\n  value: ${secret}\n`,
  'YAML list of names and values': (secret) => `env\n- name: DB_PASSWORD\n  value: ${secret}\n- name: X\n`,
  'URL encoded': (secret) => `body password%3D${encodeURIComponent(secret)}`,
  HTML: (secret) => `{&quot;password&quot;:&quot;${secret}&quot;}`,
  XML: (secret) => `<password>${secret}</password>`,
  arrow: (secret) => `{ :password => ${secret} }`,
  'value before its name': (secret) => JSON.stringify([{ value: secret, name: 'DB_PASSWORD' }]),
  'value, type and name': (secret) =>
    JSON.stringify([{ value: secret, type: 'VALUE', name: 'token' }], null, 2),
  'value before its name, in a JSON text': (secret) =>
    JSON.stringify({ body: JSON.stringify([{ value: secret, key: 'API_KEY' }]) }),
  'YAML value before its name': (secret) => `- value: ${secret}\n  name: DB_PASSWORD`,
  'XML value before its name': (secret) => `<property value="${secret}" name="db.password"/>`,
  'glued to an option': (secret) => `mysqldump -h db -p${secret}`,
  'glued and quoted': (secret) => JSON.stringify({ exec: `mysql -u me -p"${secret}" -h db` }),
  'behind a short option': (secret) =>
    `redis-cli -h cache -a ${secret}\nldapsearch -x -w ${secret}\nsshpass -p ${secret}`,
  'connection string': (secret) => `Server=db;User=me;Password=${secret};Encrypt=1`,
};

/** Each way in which it is one word. */
const WORD: Readonly<Record<string, (secret: string) => string>> = {
  bearer: (secret) => `refused Bearer ${secret}`,
  'DC/OS': (secret) => `refused token=${secret}`,
  'in a URL': (secret) => `GET http://me:${secret}@marathon.example:8080/v2/apps`,
  'in a URL with an apostrophe': (secret) => `http://u:pa'${secret}@h/`,
  'without scheme': (secret) => `dial me:${secret}@tcp(10.0.0.1:3306)/db`,
  netrc: (secret) => `machine h login me password ${secret}`,
  'hash of a password': (secret) => `root:$6$salt$${secret}:19000:0`,
  'glued, of any program': (secret) => `exec: backup -p${secret} db`,
  'said before its name': (secret) => `took ${secret} as the password`,
  prose: (secret) => `the password is ${secret}, not ${'x'}`,
  'broken JSON': (secret) => {
    try {
      JSON.parse(`{"MODE":"a","X":${secret}`);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  },
};

describe('a secret in free text is removed', () => {
  test.each(Object.entries(ANY))('%s', (_, place) => {
    fc.assert(
      fc.property(fc.oneof(secrets, words, phrases), (secret) => {
        expect(withoutSecrets(`before\n${place(secret)}\nafter`)).not.toContain(secret);
      }),
    );
  });
  test.each(Object.entries(ANY))('nor its last word: %s', (_, place) => {
    fc.assert(
      fc.property(words, words, (first, last) => {
        expect(withoutSecrets(place(`${first} ${last}`))).not.toContain(last);
        expect(withoutSecrets(place(`${first},${last}`))).not.toContain(last);
        expect(withoutSecrets(place(`${first};${last}`))).not.toContain(last);
      }),
    );
  });
  test.each(Object.entries(WORD))('%s', (_, place) => {
    fc.assert(
      fc.property(words, (secret) => {
        expect(withoutSecrets(`before\n${place(secret)}\nafter`)).not.toContain(secret);
      }),
    );
  });
});

describe('the lines before and after a secret stay', () => {
  test.each(Object.entries({ ...ANY, ...WORD }))('%s', (_, place) => {
    expect(withoutSecrets(`before\n${place('7abcdef89')}\nafter`)).toMatch(/^before\n[\s\S]*\nafter$/);
  });
});

test.each([
  ['http://user:pa55word@marathon.example:8080/v2', 'http://***@marathon.example:8080/v2'],
  ['{"password":"a \\"b\\" c","user":"me"}', '{"password":***,"user":"me"}'],
  [String.raw`{\"password\":\"a\",\"user\":\"me\"}`, String.raw`{\"password\":***,\"user\":\"me\"}`],
  ["password='ab'cd next", 'password=*** next'],
  ['DB_PASSWORD=hunter2 next', 'DB_PASSWORD=***'],
  ['eyJhbGciOiJSUzI1NiJ9.eyJ1aWQiOiJib290In0.c2ln', '***'],
  ['<property name="password" value="x y"/> next', '<property name="password" value=*** next'],
  [
    'tried AKIAIOSFODNN7EXAMPLE, glpat-abcdefghij0123456789 and hvs.abcdefghijklmnop',
    'tried ***, *** and ***',
  ],
  ['ghp_abcdefghijklmnopqrst xoxb-1234-abcd', '*** ***'],
])('%s', (text, expected) => {
  expect(withoutSecrets(text)).toBe(expected);
});

test.each([
  '-A -t 11.0.0.1:80 -s wlc',
  '--read-token-file /etc/read-token: it cannot be read',
  'inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0',
  '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n',
  'marathon=http://10.0.0.1:8080 answers with status 503: Service Unavailable',
  '[-]source marathon=http://10.0.0.1:8080 failed: not read for 30 s',
  'web.instance-3f0f7a5c-1f3e-11ee-9a4b-0242ac110002._app.1',
  'ip daddr . meta l4proto . th dport @vips dnat ip to ip daddr',
  '    at Journal.save (file:///usr/lib/node_modules/@someone/journal.ts:81:7)',
  'mysql: -A -t 11.0.0.1:3306 -s wlc -p 300',
  '/mysql -a -t 11.0.0.1:3306 -r 10.0.0.1:31000 -m -w 1',
  'mysql.marathon.l4lb.thisdcos.directory:3306 has no backend',
  'docker run -p80:80 -p127.0.0.1:53:53/udp web',
  'iptables -p tcp --dport 80; find / -path x -print; mkdir -p /run/marathon-ipvs',
  '{"name":"web","value":"10.0.0.1"},{"name":"x"}',
  'value: 10.0.0.1\n- name: a',
  '10.0.0.1:31000 is the backend',
])('what is not a secret stays: %s', (text) => {
  expect(withoutSecrets(text)).toBe(text);
});

describe('a private key', () => {
  const [BEGIN, END] = ['-----BEGIN EC PRIVATE KEY-----', '-----END EC PRIVATE KEY-----'];
  const prefix = '2026-11-29T10:00:00+0000 host marathon-ipvs[1]: ';

  test('is removed, and the text around it stays', () => {
    expect(withoutSecrets(`a\n${BEGIN}\nMIIEabcdef\nvQ==\n${END}\nb`)).toBe('a\n***\n***\n***\n\nb'.trim());
  });
  test('without an end is removed as far as its lines go', () => {
    const clean = withoutSecrets(`${BEGIN}\nMIIEabcdef\nvQ==\n{"level":"info"}\nthe rest, too.\n`);
    expect(clean).toMatch(/\n\{"level":"info"\}\nthe rest, too\.\n$/);
    expect(clean).not.toMatch(/MIIE|vQ/);
  });
  test('in one line, twice', () => {
    const text = `"a":"${BEGIN}\\nMIIE\\n${END}\\n","b":"${BEGIN}\\nMIIE\\n${END}"`;
    expect(withoutSecrets(text)).toBe('"a":"***\\n","b":"***"');
  });
  test('with what journald writes before each line', () => {
    const text = [BEGIN, 'MIIEabcdef', 'vQ==', END, 'next: one.'].map((line) => prefix + line).join('\n');
    expect(withoutSecrets(text)).not.toMatch(/MIIE|vQ/);
    expect(withoutSecrets(text)).toContain('next: one.');
  });
});

test.each([
  'eyJaaaaaaaa-',
  '/',
  'http://aaaa',
  'password',
  'a-',
  '--a',
  '-u ',
  "password='",
  '\\"',
  'aA1',
  'a:',
  ' is not valid JSON, "',
  'value:"',
  'value: x\n name: ',
  'mysql ',
  'mysql -a',
  ' -px',
  'a1',
  'a1 is the ',
])('the time for text such as %j is linear', (text) => {
  withoutSecrets(text.repeat(100_000));
});
