import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { resolveConfig } from '../../../controller/config/config.ts';
import { flagName, variableName } from '../../../controller/config/option-text.ts';
import { optionNames } from '../../../controller/config/options.ts';
import { ABSENT, flags, refusalOf, resolve, yaml } from './resolving.ts';

describe('where an option comes from', () => {
  const everywhere = {
    flags: { resyncSeconds: '1' },
    environment: { MARATHON_IPVS_RESYNC_SECONDS: '2' },
    file: 'resync-seconds: 3\n',
  };
  const { flags: _, ...withoutFlag } = everywhere;

  test.each([
    ['a flag beats the environment', everywhere, 1, 'flag'],
    ['the environment beats the file', withoutFlag, 2, 'environment'],
    ['the file beats the default', { file: everywhere.file }, 3, 'file'],
    ['the default is used where nobody says anything', {}, 30, 'default'],
  ])('%s', (_name, given, seconds, origin) => {
    const config = resolve(given);
    expect(config.resyncSeconds).toBe(seconds);
    expect(config.origins.resyncSeconds).toBe(origin);
  });

  test('the file may be named by the environment, which a flag overrides', () => {
    const environment = { MARATHON_IPVS_CONFIG: yaml('zone: from.file') };
    expect(resolve({ environment }).zone).toBe('from.file');
    expect(resolve({ environment, flags: { config: '/dev/null' } }).zone).toBe('l4lb.thisdcos.directory');
  });

  test('a list on the command line replaces the list of the file', () => {
    const { source } = resolve({ file: 'source: [file=a.json, file=b.json]' });
    expect(source.map(({ where }) => where)).toEqual(['apps.json']);
  });

  test('an empty variable counts as unset, and an empty file gives nothing', () => {
    expect(resolve({ environment: { MARATHON_IPVS_ZONE: '' }, file: '# nothing yet\n' }).origins.zone).toBe(
      'default',
    );
  });

  test('several sources in the environment are separated by blanks, which a path may have too', () => {
    const environment = {
      MARATHON_IPVS_SOURCE:
        'marathon=http://a:8080,http://b:8080 file=/my apps/x.json kubernetes kubernetes=prod',
    };
    const { source } = resolveConfig('run', [], environment);
    expect(source).toEqual([
      { kind: 'marathon', where: 'http://a:8080,http://b:8080', masters: ['http://a:8080', 'http://b:8080'] },
      { kind: 'file', where: '/my apps/x.json' },
      { kind: 'kubernetes', where: '' },
      { kind: 'kubernetes', where: 'prod' },
    ]);
  });

  test('in the file a single source needs no list, and numbers and truth are read as they are written', () => {
    const path = yaml('source: file=x.json\nadopt: true\nsettle-ms: 0\nlisten: off\n');
    expect(resolveConfig('run', flags({ config: path }), {})).toMatchObject({
      source: [{ kind: 'file', where: 'x.json' }],
      adopt: true,
      settleMs: 0,
      listen: null,
    });
  });
});

describe('an error says where, what, and what is accepted', () => {
  test.each<[string, Parameters<typeof resolve>[0], RegExp]>([
    [
      'a bad flag',
      { flags: { resyncSeconds: 'soon' } },
      /^--resync-seconds on the command line: "soon" .*expected a whole number of seconds from 1 to 86400$/,
    ],
    [
      'a bad variable',
      { environment: { MARATHON_IPVS_RESYNC_SECONDS: '1e3' } },
      /^--resync-seconds from MARATHON_IPVS_RESYNC_SECONDS: "1e3" .*expected a whole number/,
    ],
    [
      'a bad value in the file',
      { file: 'resync-seconds: -1' },
      /^--resync-seconds from .*config\.yaml: "-1" .*expected a whole number/,
    ],
    [
      'a bad value that a flag hides',
      { flags: { zone: 'a.b' }, file: 'zone: "a b"' },
      /^--zone from .*config\.yaml: "a b"/,
    ],
    ['a value that YAML would turn into another', { file: 'resync-seconds: 0x1e' }, /"0x1e" is not accepted/],
    [
      'a list where one value belongs',
      { file: 'zone: [a.b, c.d]' },
      /^--zone from .*config\.yaml: .*is not accepted/,
    ],
    [
      'an alias, which is not read',
      { file: 'framework: &a x.y\nzone: *a\n' },
      /^--zone from .*config\.yaml: "\*a" is not accepted, YAML aliases are not supported; write the value itself$/,
    ],
    ['no value at all', { file: 'zone:' }, /^--zone from .*: "" is not accepted, expected a DNS zone/],
    [
      'an unknown variable',
      { environment: { MARATHON_IPVS_SORCE: 'x' } },
      /^unknown option "MARATHON_IPVS_SORCE" in the environment: did you mean "MARATHON_IPVS_SOURCE"\?$/,
    ],
    [
      'an unknown key',
      { file: 'sorce: x' },
      /^unknown option "sorce" in .*config\.yaml: did you mean "source"\?$/,
    ],
    [
      'a file that names a file',
      { file: 'config: other.yaml' },
      /^"config" in .*config\.yaml: a file cannot name another one; remove it there$/,
    ],
    [
      'a file with two documents',
      { file: 'zone: a\n---\nzone: b\n' },
      /config\.yaml line 2 has a second document, expected one$/,
    ],
    ['a file that is not YAML', { file: 'zone: "a\n' }, /config\.yaml line \d+ is not valid YAML: /],
    [
      'a key given twice in the file',
      { file: 'zone: a.b\nzone: a.b\n' },
      /line 2 is not valid YAML: Map keys must be unique/,
    ],
    [
      'a key given twice among thousands',
      { file: `${Array.from({ length: 20_000 }, (_, at) => `k${at}: x\n`).join('')}k7: x\n` },
      /line 20001 is not valid YAML: Map keys must be unique, got k7 again$/,
    ],
    ['a tag', { file: 'zone: !foo a.b\n' }, /line 1 is not valid YAML: Unresolved tag: !foo$/],
    [
      'a tag of another program',
      { file: 'zone: !!js/function a.b\n' },
      /line 1 is not valid YAML: Unresolved tag: tag:yaml\.org,2002:js\/function$/,
    ],
    ['a tag of the whole file', { file: '!foo\nzone: a.b\n' }, /is not valid YAML: Unresolved tag: !foo$/],
    [
      'lists nested without end',
      { file: `source: ${'['.repeat(50_000)}` },
      /line 1 is not valid YAML: nested deeper than 100 levels$/,
    ],
    [
      'lists nested without brackets',
      { file: `source:\n  ${'- '.repeat(50_000)}x` },
      /line 2 is not valid YAML: nested deeper than 100 levels$/,
    ],
    [
      'a file without options',
      { file: '- zone\n' },
      /has no options, expected lines of the form NAME: VALUE$/,
    ],
    [
      'a file that is too large',
      { file: `#${' '.repeat(2 ** 20)}` },
      /^--config .*config\.yaml" is not accepted, larger than 1048576 bytes; expected a YAML file with options$/,
    ],
    [
      'a file in Latin-1',
      { file: Buffer.from('zone: caf\xe9.example', 'latin1') },
      /^--config .*config\.yaml" is not accepted, not UTF-8: the byte at offset 9 \(0xe9\) .*; expected a YAML file with options$/,
    ],
    [
      'a missing file',
      { flags: { config: ABSENT } },
      /^--config on the command line: "\/.*\/absent" is not accepted, there is no such file or directory; expected the path of a readable file$/,
    ],
    [
      'a directory in place of the file',
      { flags: { config: '/' } },
      /^--config on the command line: "\/" is not accepted, it is a directory; expected the path of a readable file$/,
    ],
    [
      'a file with a token that is not there',
      { flags: { marathonTokenFile: ABSENT } },
      /^--marathon-token-file on the command line: "\/.*\/absent" is not accepted, there is no such file or directory; expected the path of a readable file$/,
    ],
    [
      'basic authentication and a token at once',
      { flags: { marathonTokenFile: '/dev/null', marathonUserFile: '/dev/null' } },
      /^--marathon-user-file and --marathon-token-file are both given/,
    ],
    [
      'a run that would write the kernel but compares with something else',
      { flags: { against: 'none' } },
      /^--against is given without --dry-run/,
    ],
    [
      'the same source twice',
      { flags: { source: ['file=a', 'file=a'] } },
      /^--source: "file=a" is given twice/,
    ],
  ])('%s', (_name, given, message) => {
    expect(refusalOf(given)).toMatch(message);
  });

  test('no source, as after an installation whose file was not named', () => {
    expect(() => resolveConfig('diff', [], {})).toThrow(
      /^--source is missing, expected --source marathon=http:\/\/HOST:PORT, mesos=.*, or --config FILE with it \(.*\/etc\/marathon-ipvs\/config\.yaml\)$/,
    );
  });

  test('an error stays one readable line, whatever was typed', () => {
    const message = refusalOf({ flags: { zone: `a\nb\u2028\u001b[31m${'x'.repeat(5_000)}` } });
    expect(message).toContain('"a\\nb\\u2028\\x1b[31mxxx');
    expect(message.length).toBeLessThan(500);
  });

  test.each([
    'http://user:secret@host:8080',
    'http://user:sec/ret@host',
    'http://user:secret,@x',
    'ftp://a:secret@b',
  ])('credentials in a URL are refused without being shown: %s', (url) => {
    const message = refusalOf({ flags: { source: [`marathon=${url}`] } });
    expect(message).not.toMatch(/secret|ret@/);
    expect(message).toContain('//***@');
  });

  test.each(['u:secret@h', 'http:/u:secret@h', 'http://a:1,u:se@secret@h', 'ftp://u:x secret@h'])(
    'nor is what is no URL: %s',
    (url) => {
      const message = refusalOf({ flags: { source: [`marathon=${url}`] } });
      expect(message).toMatch(/"marathon=\S*\*\*\*@h" is not accepted/);
      expect(message).not.toContain('secret');
    },
  );

  test('the error for credentials in a URL says where they belong', () => {
    expect(refusalOf({ flags: { source: ['marathon=http://u:p@h:1'] } })).toContain('--marathon-user-file');
  });
});

describe('commands', () => {
  test('diff is run --once --dry-run, whatever the file says', () => {
    const { once, dryRun } = resolve({ file: 'once: false\ndry-run: false\n' }, 'diff');
    expect({ once, dryRun }).toEqual({ once: true, dryRun: true });
  });

  test('diff may compare with a file', () => {
    expect(resolve({ flags: { against: './LICENSE' } }, 'diff').against).toEqual({
      kind: 'file',
      path: './LICENSE',
    });
  });

  test('cleanup needs no source, and takes the file that run takes', () => {
    const path = yaml('source: file=x.json\ninterface: vip7\nmarathon-ca-file: ./absent\n');
    expect(resolveConfig('cleanup', flags({ config: path }), {}).interface).toBe('vip7');
  });
});

describe('variables that are not options', () => {
  const links = {
    MARATHON_IPVS_SERVICE_HOST: '10.0.0.1',
    MARATHON_IPVS_SERVICE_PORT: '61421',
    MARATHON_IPVS_SERVICE_PORT_HTTP_METRICS: '61421',
    MARATHON_IPVS_PORT: 'tcp://10.0.0.1:61421',
    MARATHON_IPVS_PORT_61421_TCP: 'tcp://10.0.0.1:61421',
    MARATHON_IPVS_PORT_61421_TCP_ADDR: '10.0.0.1',
    MARATHON_IPVS_METRICS_SERVICE_HOST: '10.0.0.2',
    MARATHON_IPVS_METRICS_PORT_80_UDP_PROTO: 'udp',
  };

  test('those that Kubernetes sets for a Service called marathon-ipvs are ignored', () => {
    expect(() => resolve({ environment: links })).not.toThrow();
  });

  test('no option has a variable of that form', () => {
    for (const name of optionNames) {
      expect(refusalOf({ environment: { [`${variableName(name)}_X`]: '1' } })).toMatch(/^unknown option /);
      expect(variableName(name)).not.toMatch(/_(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_|$)/);
      expect(flagName(name)).toMatch(/^--[a-z0-9]+(?:-[a-z0-9]+)*$/);
    }
  });
});

test('any file gives a result or a one-line error', () => {
  const key = fc.oneof(
    fc.constantFrom('zone', 'source', 'adopt', 'resync-seconds', '__proto__', '<<'),
    fc.string(),
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.dictionary(key, fc.jsonValue()).map((value) => JSON.stringify(value)),
    fc
      .array(
        fc.constantFrom(
          'zone:',
          ' a.b',
          '\n',
          '- ',
          '&a',
          '*a',
          '? ',
          '!!int 3',
          '[',
          '{',
          '|',
          '"',
          "'",
          '---',
        ),
      )
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (content) => {
      try {
        resolve({ file: content });
      } catch (error) {
        expect(error).toMatchObject({ name: 'ControllerError', code: 'usage' });
        expect(error instanceof Error ? error.message : '').toMatch(/^[^\p{Cc}\u2028\u2029]+$/u);
      }
    }),
  );
});
