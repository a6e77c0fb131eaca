/** One file and one environment for all commands. */

import { describe, expect, test } from '@jest/globals';
import { OUTPUTS, resolveConfig } from '../../../controller/config/config.ts';
import { APP_COMMANDS, type CommandName, commandDescriptions } from '../../../controller/config/option.ts';
import { fileName, variableName } from '../../../controller/config/option-text.ts';
import { describeOption, optionNames } from '../../../controller/config/options.ts';
import { directory, flags, refusalOf, yaml } from './resolving.ts';

const COMMANDS = [...commandDescriptions.keys()].filter((name) => name !== 'completion');

/** A value of each option, of whatever command. */
const FILE = `
source: marathon=http://marathon.example:8080
listen: 127.0.0.1:61421
zone: example.internal
against: none
output: ipvsadm
watch: true
force: true
wait: false
endpoints: web
kubernetes-namespace: apps
relay-name: west
settle-ms: 60
ledger: ${directory}/ledger.json
state-dir: ${directory}
dns-ttl-seconds: 3
resync-seconds: 9
`;

function environmentOf(file: string): Readonly<Record<string, string>> {
  const lines = file
    .trim()
    .split('\n')
    .map((line) => line.split(/: (.*)/s));
  return Object.fromEntries(
    lines.map(([key, value = '']) => {
      const name = optionNames.find((one) => fileName(one) === key);
      if (name === undefined) throw new Error(`${key} is no option`);
      return [variableName(name), value];
    }),
  );
}

describe.each(COMMANDS)('%s', (command) => {
  test('takes --config', () => {
    expect(describeOption('config').commands).toContain(command);
  });

  test('takes a file with options of all commands, and uses its own', () => {
    const config = resolveConfig(command, flags({ config: yaml(FILE) }), {});
    expect(config).toMatchObject({ zone: 'example.internal', relayName: 'west', resyncSeconds: 9 });
  });

  test('takes an environment with options of all commands', () => {
    expect(resolveConfig(command, [], environmentOf(FILE))).toMatchObject({ zone: 'example.internal' });
  });

  test('refuses options that no command has', () => {
    const path = yaml(`${FILE}\nsorce: x\n`);
    expect(() => resolveConfig(command, flags({ config: path }), {})).toThrow(
      `unknown option "sorce" in ${path}: did you mean "source"?`,
    );
  });

  test('prints in its default format if it does not have the shared one', () => {
    const { output } = resolveConfig(command, flags({ config: yaml(FILE) }), {});
    expect(output).toBe(OUTPUTS[command]?.includes('ipvsadm') ? 'ipvsadm' : 'text');
  });
});

test('--against in a shared file is used by commands that compare', () => {
  const against = (command: CommandName, more: string) =>
    resolveConfig(command, flags({ config: yaml(`${FILE}${more}`) }), {}).against.kind;
  expect(against('diff', '')).toBe('none');
  expect(against('run', 'dry-run: true\n')).toBe('none');
  expect(against('run', '')).toBe('kernel');
  expect(refusalOf({ flags: { against: 'none' } })).toMatch(/^--against is given without --dry-run/);
});

test('a format that the command does not have is refused on the command line', () => {
  expect(refusalOf({ flags: { output: 'ipvsadm' } }, 'status')).toMatch(
    /expected one of text, wide, json, yaml/,
  );
});

test('a token on the command line replaces the user in the file', () => {
  const config = yaml('source: marathon=http://m:8080\nmarathon-user-file: package.json\n');
  const given = flags({ config, marathonTokenFile: 'LICENSE' });
  for (const command of ['run', 'diff', ...APP_COMMANDS] as const) {
    const { marathonUserFile, marathonTokenFile } = resolveConfig(command, given, {});
    expect({ marathonUserFile, marathonTokenFile }).toEqual({
      marathonUserFile: undefined,
      marathonTokenFile: 'LICENSE',
    });
  }
});
