import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCommandLine } from '../../../controller/cli/command-line.ts';
import { flagName, variableName } from '../../../controller/config/option-text.ts';
import { describeOption, optionNames } from '../../../controller/config/options.ts';
import { ControllerError } from '../../../controller/errors.ts';

function textOf(...argv: string[]): string {
  const asked = parseCommandLine(argv, {});
  return 'text' in asked ? asked.text : '';
}

function configOf(...argv: string[]) {
  const asked = parseCommandLine(argv, {});
  if (!('config' in asked)) throw new Error(`${asked.command} has no options`);
  return asked.config;
}

function refusalOf(...argv: string[]): string {
  try {
    parseCommandLine(argv, {});
  } catch (error) {
    expect(error).toMatchObject({ code: 'usage' });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('nothing was refused');
}

describe('help', () => {
  test.each([[[]], [['help']], [['--help']], [['-h']], [['--']]])('%j prints the commands', (argv) => {
    const asked = parseCommandLine(argv, {});
    expect(asked.command).toBe('help');
    expect('text' in asked && asked.text).toMatch(
      /Commands:\n {2}run .*\n {2}diff [\s\S]*\n {2}status [\s\S]*\n {2}connection [\s\S]*\n {2}doctor [\s\S]*\n {2}cleanup /,
    );
  });

  test.each(['run', 'diff', 'status', 'connection', 'health', 'doctor', 'cleanup', 'relay'] as const)(
    '%s --help shows every option that means something to it',
    (command) => {
      const text = textOf(command, '--help');
      expect(textOf('help', command)).toBe(text);
      for (const name of optionNames) {
        const used = describeOption(name).commands.includes(command);
        expect({
          name,
          shown: text.includes(`${flagName(name)} <`) || text.includes(`${flagName(name)} [`),
        }).toEqual({ name, shown: used });
      }
    },
  );

  test('leaves half of a line for descriptions, and describes values that are too long to show', () => {
    const text = textOf('run', '--help');
    const columns = [...text.matchAll(/^ {2}-.*? {2,}(?=\S)/gm)].map(([term]) => term.length);
    expect(Math.max(...columns)).toBeLessThan(50);
    expect(text.replace(/\s+/g, ' ')).toContain('Expected: one of Cluster, PreferSameZone, PreferSameNode.');
  });

  test('every default is shown', () => {
    const words = textOf('run', '--help').replace(/\s+/g, ' ');
    for (const name of optionNames) {
      const { fallback, commands } = describeOption(name);
      if (fallback !== null && commands.includes('run')) expect(words).toContain(`(default: ${fallback})`);
    }
  });

  test.each([
    ['diff', '<text|json|ipvsadm>', 'text'],
    ['connection', '<json|text>', 'json'],
    ['app list', '<text|wide|json|yaml>', 'text'],
  ])('%s has the output formats %s, and %s by default', (name, formats, fallback) => {
    const words = textOf(...name.split(' '), '--help').replace(/\s+/g, ' ');
    expect(words).toContain(`-o, --output ${formats} Output format.`);
    expect(/Output format\..*?\(default: (\w+)\)/.exec(words)?.[1]).toBe(fallback);
  });

  test('help is printed whatever else is wrong', () => {
    expect(textOf('run', '--resync-seconds', 'x', '--help')).toContain('Usage: marathon-ipvs run');
  });

  test('--version prints the version of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(parseCommandLine(['--version'], {})).toEqual({ command: 'version', text: `${version}\n` });
  });
});

describe('flags', () => {
  test('--source can be repeated', () => {
    const { source } = configOf('run', '--source', 'file=a', '--source=marathon=http://m:8080');
    expect(source.map(({ kind }) => kind)).toEqual(['file', 'marathon']);
  });

  test('a switch needs no value, and takes one', () => {
    const { adopt, dryRun, writeSysctls } = configOf(
      'run',
      '--source',
      'file=a',
      '--adopt',
      '--dry-run',
      'true',
      '--write-sysctls=false',
    );
    expect({ adopt, dryRun, writeSysctls }).toEqual({ adopt: true, dryRun: true, writeSysctls: false });
  });

  test('the last value of an option wins, so that options can be appended', () => {
    expect(configOf('diff', '--source', 'file=a', '--zone', 'a.b', '--zone=c.d').zone).toBe('c.d');
    expect(configOf('app', 'add', '--no-wait', '--wait').wait).toBe(true);
    expect(configOf('app', 'add', '--wait', '--no-wait').wait).toBe(false);
  });

  test('-o is --output', () => {
    expect(configOf('diff', '--source', 'file=a', '-o', 'json').output).toBe('json');
    expect(configOf('diff', '--source', 'file=a', '-ojson').output).toBe('json');
  });

  test('status takes the name of a VIP, and needs no source', () => {
    expect(parseCommandLine(['status', 'web:80', '--watch'], {})).toMatchObject({
      operands: ['web:80'],
      config: { watch: true },
    });
    expect(parseCommandLine(['status'], {})).toMatchObject({ operands: [], config: { watch: false } });
    expect(parseCommandLine(['doctor', '-o', 'yaml'], {})).toMatchObject({ command: 'doctor', operands: [] });
  });

  test('app and pod have commands of their own, which take what follows', () => {
    const line = ['app', 'update', '/web', 'instances=3', 'cpus=0.5', '--marathon', 'http://m:8080/'];
    expect(parseCommandLine(line, {})).toMatchObject({
      command: 'app update',
      operands: ['/web', 'instances=3', 'cpus=0.5'],
      config: { marathon: { where: 'http://m:8080' }, wait: true, force: false },
    });
    expect(textOf('app')).toMatch(/^Usage: marathon-ipvs app .*Commands:\n {2}add .*\n {2}show /s);
    expect(textOf('help', 'pod')).toMatch(/\n {2}add /);
    expect(textOf('help', 'app', 'add')).toBe(textOf('app', 'add', '--help'));
    expect(textOf('app', 'help', 'add')).toBe(textOf('app', 'add', '--help'));
    expect(textOf('app', 'help')).toBe(textOf('app'));
    expect(textOf('app', 'add', '--help')).toContain('Usage: marathon-ipvs app add [options] [file]');
  });

  test('a switch that is on by default is turned off by --no-…', () => {
    expect(configOf('app', 'add', '--no-wait').wait).toBe(false);
    expect(configOf('run', '--source', 'file=a', '--no-write-sysctls').writeSysctls).toBe(false);
    expect(configOf('app', 'add', '--wait=false').wait).toBe(false);
    expect(refusalOf('run', '--source', 'file=a', '--no-adopt')).toMatch(/^unknown option "--no-adopt"/);
  });

  test('a switch does not take the following file or name for its value', () => {
    expect(parseCommandLine(['app', 'add', '--force', 'web.json', '--wait', 'false'], {})).toMatchObject({
      operands: ['web.json'],
      config: { force: true, wait: false },
    });
    const update = ['app', 'update', '/web', '--force', 'a=1'];
    expect(parseCommandLine(update, {})).toMatchObject({ operands: ['/web', 'a=1'] });
    const literal = ['app', 'add', '--', '--force'];
    expect(parseCommandLine(literal, {})).toMatchObject({ operands: ['--force'] });
  });

  test('diff takes every option of run', () => {
    const line = [
      '--source',
      'file=a',
      '--listen',
      'off',
      '--resync-seconds',
      '5',
      '--once',
      '--dry-run=false',
    ];
    expect(configOf('diff', ...line)).toMatchObject({ once: true, dryRun: true, listen: null });
  });

  test('options that are not on the command line come from the environment', () => {
    const asked = parseCommandLine(['run'], {
      MARATHON_IPVS_SOURCE: 'file=a',
      PATH: '/bin',
      MARATHON_URL: 'x',
    });
    expect(asked).toMatchObject({ command: 'run', config: { source: [{ kind: 'file', where: 'a' }] } });
  });
});

describe('errors are one line', () => {
  test.each<[string, string[], RegExp]>([
    [
      'an unknown option',
      ['run', '--frobnicate'],
      /^unknown option "--frobnicate"; marathon-ipvs run --help lists what is accepted$/,
    ],
    ['a misspelt one', ['run', '--sorce', 'x'], /^unknown option "--sorce": did you mean "--source"\?$/],
    [
      'an unknown command',
      ['reconcile'],
      /^unknown command "reconcile", expected one of run, diff, status, connection, health, doctor, why, support-bundle, cleanup, relay, app, pod, completion$/,
    ],
    [
      'help about nothing',
      ['help', 'frob'],
      /^help: unknown command "frob", expected one of run, diff, status, connection, health, doctor, why, support-bundle, cleanup, relay, app, pod, completion$/,
    ],
    [
      'an option without its value',
      ['run', '--source'],
      /^option '--source <KIND=WHERE>' argument missing; /,
    ],
    [
      'a word too many',
      ['run', 'now'],
      /^too many arguments for 'run': expected 0, got "now"; marathon-ipvs run --help/,
    ],
    [
      'an option of another command',
      ['cleanup', '--listen', 'off'],
      /^unknown option "--listen" of cleanup: it belongs to run, status, health, doctor, why, support-bundle, relay, /,
    ],
    [
      'a bad switch',
      ['run', '--adopt=yes'],
      /^--adopt on the command line: "yes" is not accepted, expected true or false$/,
    ],
    [
      'a form that the command does not have',
      ['status', '-o', 'ipvsadm'],
      /^--output on the command line: "ipvsadm" is not accepted, expected one of text, wide, json, yaml with status$/,
    ],
    [
      'another one',
      ['diff', '--source', 'file=a', '-o', 'wide'],
      /expected one of text, json, ipvsadm with diff$/,
    ],
    [
      'an unknown command for apps',
      ['app', 'deploy'],
      /^unknown command "app deploy", expected one of app add, app update, app remove, app list, app show$/,
    ],
    ['an app without id', ['app', 'show'], /^missing required argument 'id'; marathon-ipvs app show --help/],
    [
      'a password in a URL',
      ['app', 'list', '--marathon', 'http://a:b@m:8080'],
      /^--marathon on the command line: "http:\/\/\*\*\*@m:8080" is not accepted, credentials do not belong/,
    ],
    [
      'another shell',
      ['completion', 'csh'],
      /^completion: "csh" is not accepted, expected one of bash, zsh, fish$/,
    ],
    ['a misspelt command', ['stauts'], /^unknown command "stauts": did you mean "status"\?$/],
    ['a command in capitals', ['Doctor'], /^unknown command "Doctor": did you mean "doctor"\?$/],
    ['a misspelt command for apps', ['app', 'lst'], /^unknown command "app lst": did you mean "app list"\?$/],
    ['help of a misspelt one', ['help', 'dif'], /^help: unknown command "dif": did you mean "diff"\?$/],
    [
      'help of a command that there is not',
      ['dif', '--help'],
      /^unknown command "dif": did you mean "diff"\?$/,
    ],
    ['the same for apps', ['app', 'lst', '-h'], /^unknown command "app lst": did you mean "app list"\?$/],
    ['half of a command', ['update', '/web'], /^unknown command "update": did you mean "app update"\?$/],
    [
      'the second half of two',
      ['add', 'x.json'],
      /^unknown command "add", expected one of app add, pod add$/,
    ],
    [
      'underscores',
      ['run', '--dns_listen=off'],
      /^unknown option "--dns_listen=off": did you mean "--dns-listen"\?$/,
    ],
    [
      'camel case',
      ['run', '--dnsListen', 'off'],
      /^unknown option "--dnsListen": did you mean "--dns-listen"\?$/,
    ],
    ['capitals', ['diff', '--SOURCE', 'file=a'], /^unknown option "--SOURCE": did you mean "--source"\?$/],
    ['the plural', ['diff', '--sources', 'file=a'], /: did you mean "--source"\?$/],
    [
      'an option in front of its command',
      ['--config', 'x', 'run'],
      /^unknown option "--config"; options come after the command: marathon-ipvs run --config …$/,
    ],
    ['an option alone', ['--frob'], /^unknown option "--frob"; marathon-ipvs --help lists the commands$/],
    [
      'no text for a value',
      ['run', '--zone='],
      /^--zone on the command line: "" is not accepted, expected a DNS zone/,
    ],
    [
      'no text for a switch',
      ['run', '--adopt='],
      /^--adopt on the command line: "" is not accepted, expected true or/,
    ],
    [
      'a bad value that a later one hides',
      ['diff', '--source', 'file=a', '--zone', 'a b', '--zone', 'c.d'],
      /^--zone on the command line: "a b" is not accepted, /,
    ],
    [
      'a name without letters',
      ['status', ''],
      /^status \[name\]: "" is not accepted, expected only this VIP/,
    ],
    [
      'a file without letters',
      ['app', 'add', ' '],
      /^app add \[file\]: "" is not accepted, expected JSON file/,
    ],
    ['a word without letters', ['run', ''], /^too many arguments for 'run': expected 0, got ""; /],
    ['help of no verb', ['help', 'app', 'lst'], /^unknown command "app lst": did you mean "app list"\?$/],
    [
      'a word behind the version',
      ['--version', 'run'],
      /^too many arguments for '--version': expected 0, got "run"; marathon-ipvs --help lists what is accepted$/,
    ],
    [
      'a word before the version',
      ['-V', 'x', '--version'],
      /^too many arguments for '--version': .* got "x"/,
    ],
    [
      'a word behind the help of a command',
      ['help', 'run', 'x', 'y'],
      /^too many arguments for 'help run': expected 0, got "x, y"; /,
    ],
    [
      'an option behind it',
      ['help', 'status', '--watch'],
      /^too many arguments for 'help status': .* got "--watch"/,
    ],
    [
      'a file behind the help of a verb',
      ['help', 'app', 'add', 'web.json'],
      /^too many arguments for 'help app add': /,
    ],
    [
      'the same the other way round',
      ['app', 'help', 'add', 'web.json'],
      /^too many arguments for 'help app add': /,
    ],
    ['the version without dashes', ['version'], /^unknown command "version": did you mean "--version"\?$/],
    [
      'no form at all',
      ['status', '-o', 'jsn'],
      /"jsn" is not accepted, expected one of text, wide, json, yaml with status$/,
    ],
    ['a second name', ['status', 'web', 'db'], /^too many arguments for 'status'/],
    ['a line break', ['run\nrm'], /^unknown command "run\\nrm"/],
  ])('%s', (_name, argv, message) => {
    expect(refusalOf(...argv)).toMatch(message);
  });
});

test('any input gives a result or a one-line error', () => {
  const names = optionNames.filter((name) => name !== 'config');
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'run',
      'diff',
      'cleanup',
      'help',
      '--',
      '-h',
      '--version',
      '-o',
      'json',
      'true',
      '__proto__',
    ),
    fc.constantFrom(...names).map(flagName),
    fc.constantFrom(
      'file=a',
      'marathon=http://m:8080',
      'marathon=http://u:p@m',
      '30',
      'off',
      'none',
      '1.2.3.4',
    ),
    fc.tuple(fc.constantFrom(...names), fc.string()).map(([name, text]) => `${flagName(name)}=${text}`),
  );
  const variable = fc.oneof(
    fc.constantFrom(...names).map(variableName),
    fc.string().map((text) => `MARATHON_IPVS_${text}`),
    fc.string(),
  );
  const line = fc.oneof(
    fc.array(word),
    fc.array(word).map((words) => ['run', '--source', 'file=a', ...words]),
  );
  fc.assert(
    fc.property(line, fc.dictionary(variable, fc.string(), { maxKeys: 3 }), (argv, environment) => {
      try {
        expect(['run', 'diff', 'cleanup', 'relay', 'help', 'version']).toContain(
          parseCommandLine(argv, environment).command,
        );
      } catch (error) {
        expect(error).toBeInstanceOf(ControllerError);
        const { code, message } = error as ControllerError;
        expect(['usage', 'not-configured']).toContain(code);
        expect(message).toMatch(/^[^\p{Cc}\u2028\u2029]+$/u);
      }
    }),
  );
});
