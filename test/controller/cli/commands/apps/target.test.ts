import { expect, test } from '@jest/globals';
import { parseCommandLine } from '../../../../../controller/cli/command-line.ts';
import { targetOf } from '../../../../../controller/cli/commands/apps/target.ts';

function target(...flags: readonly string[]) {
  const asked = parseCommandLine(['app', 'add', ...flags], {});
  if (!('config' in asked)) throw new Error('no command');
  return targetOf(asked.config);
}

test('exactly one Marathon must be configured', () => {
  const marathon = { kind: 'marathon', where: 'http://m:8080' };
  expect(target('--source', 'marathon=http://m:8080', '--source', 'file=a')).toEqual(marathon);
  expect(target('--source', 'marathon=http://a', '--marathon', 'http://m:8080')).toEqual(marathon);
  expect(() => target('--source', 'file=a')).toThrow(/^no Marathon is given, expected --marathon/);
  expect(() => target('--source', 'marathon=http://a', '--source', 'marathon=http://b')).toThrow(
    /^several Marathons .* --marathon URL/,
  );
});

test('a cluster is used if requested, or if the sources name one and no Marathon', () => {
  const cluster = (context: string) => ({ kind: 'kubernetes', context });
  expect(target('--kubernetes')).toEqual(cluster(''));
  expect(target('--kubernetes', '--source', 'marathon=http://a')).toEqual(cluster(''));
  expect(target('--kubernetes', '--source', 'kubernetes=lab')).toEqual(cluster('lab'));
  expect(target('--source', 'kubernetes', '--source', 'file=a')).toEqual(cluster(''));
  expect(target('--source', 'kubernetes', '--marathon', 'http://m')).toMatchObject({ kind: 'marathon' });
  expect(target('--source', 'kubernetes', '--source', 'marathon=http://m')).toMatchObject({
    kind: 'marathon',
  });
  expect(() => target('--source', 'kubernetes', '--kubernetes=false')).toThrow(/^no Marathon is given/);
  expect(() => target('--kubernetes', '--marathon', 'http://m')).toThrow(/both given, expected one/);
  expect(() => target('--source', 'kubernetes=a', '--source', 'kubernetes=b')).toThrow(/^several clusters/);
  expect(() => target('--marathon', 'http://m', '--endpoints', 'web')).toThrow(/^--endpoints is for apps/);
});

test.each([
  ['web', { service: 'web' }],
  ['app=web', { selector: { matchLabels: { app: 'web' } } }],
  [
    'marathon-ipvs.io/app=web,tier=',
    { selector: { matchLabels: { 'marathon-ipvs.io/app': 'web', tier: '' } } },
  ],
])('--endpoints %s', (text, endpoints) => {
  const asked = parseCommandLine(['app', 'add', '--endpoints', text], {});
  expect(asked).toMatchObject({ config: { endpoints } });
});

test.each(['', 'Web', 'a.b', 'a=b=c', 'a=b,', '=b', 'a=1,a=2', '-a'])(
  '--endpoints refuses %j, and says what it takes',
  (text) => {
    expect(() => parseCommandLine(['app', 'add', `--endpoints=${text}`], {})).toThrow(
      /--endpoints on the command line: .* expected the name of a Service, or labels/,
    );
  },
);
