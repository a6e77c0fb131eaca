/** The scripts in the shells themselves, with the program; a shell that is not on this machine is left out. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { completionScripts } from '../../../../controller/cli/completion/scripts.ts';
import { SHELLS, type Shell } from '../../../../controller/config/arguments.ts';

const PROGRAM = fileURLToPath(new URL('../../../../controller', import.meta.url));
/** No controller answers there. */
const NOBODY = { MARATHON_IPVS_SERVER: 'http://127.0.0.1:1' };

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-completion-'));
  for (const shell of SHELLS) writeFileSync(join(directory, shell), completionScripts[shell]);
  writeFileSync(join(directory, 'app one.json'), '{}');
});
afterAll(() => rmSync(directory, { recursive: true }));

function has(shell: Shell): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

/** What a person's own files say must not count: bash reads `.bashrc` where its input is a socket, as Node's pipes are. */
const WITHOUT_STARTUP: Readonly<Record<Shell, readonly string[]>> = {
  bash: ['--norc'],
  zsh: ['-f'],
  fish: ['--no-config'],
};

function run(shell: Shell, script: string, ...words: readonly string[]): string[] {
  const { stdout, stderr } = spawnSync(shell, [...WITHOUT_STARTUP[shell], '-c', script, shell, ...words], {
    encoding: 'utf8',
    cwd: directory,
    env: { ...process.env, ...NOBODY, PATH: `${PROGRAM}:${process.env['PATH']}` },
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

/** What each shell offers for the last of these words. */
const offers = {
  bash: (...words: string[]) =>
    run(
      'bash',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: these are bash's.
      'source ./bash; COMP_WORDS=(marathon-ipvs "$@"); COMP_CWORD=$#; _marathon_ipvs; ((${#COMPREPLY[@]})) && printf "%s\\n" "${COMPREPLY[@]}"',
      ...words,
    ),
  // Without its line editor: what the function hands to the completion system.
  zsh: (...words: string[]) =>
    run(
      'zsh',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: these are zsh's.
      'compdef() { }; compset() { }; _files() { print -rl -- ${PREFIX#*=}*(N) }; _describe() { local one; for one in "${(@P)2}"; do print -r -- "${one%%:*}"; done }; source ./zsh; words=(marathon-ipvs "$@"); CURRENT=$#words; PREFIX=$words[-1]; _marathon-ipvs',
      ...words,
    ),
  fish: (...words: string[]) =>
    run('fish', `source ./fish; complete -C ${JSON.stringify(`marathon-ipvs ${words.join(' ')}`)}`).map(
      (line) => line.split('\t')[0] ?? '',
    ),
};

const FIRST = ['run', 'diff', 'status', 'doctor', 'cleanup', 'app', 'pod', 'completion'];

describe.each(['bash', 'zsh', 'fish'] as const)('%s', (shell) => {
  const given = has(shell) ? test : test.skip;
  const offered = offers[shell];

  given('offers commands, and those within a command', () => {
    expect(offered('')).toEqual(expect.arrayContaining(FIRST));
    expect(offered('app', '').sort()).toEqual(['add', 'list', 'remove', 'show', 'update']);
    expect(offered('completion', '').sort()).toEqual([...SHELLS].sort());
  });

  given('offers the options of the command, and no others', () => {
    expect(offered('app', 'add', '--for')).toEqual(['--force']);
    expect(offered('app', 'add', '--no-w')).toEqual(['--no-wait']);
    expect(offered('app', 'list', '--for')).toEqual([]);
  });

  given('offers the values that an option has for this command', () => {
    expect(offered('status', '-o', '').sort()).toEqual(['json', 'text', 'wide', 'yaml']);
    expect(offered('diff', '--output', 'i')).toEqual(['ipvsadm']);
    expect(offered('run', '--log-level', 'd')).toEqual(['debug']);
  });

  given('offers files where one is meant', () => {
    expect(offered('app', 'add', 'app').map((file) => file.replace('\\', ''))).toEqual(['app one.json']);
    expect(offered('app', 'show', 'app')).toEqual([]);
  });
});

describe.each(['zsh', 'fish'] as const)('%s takes --output=json for one word', (shell) => {
  (has(shell) ? test : test.skip)('and offers it as one', () => {
    expect(offers[shell]('status', '--output=w')).toEqual(['--output=wide']);
  });
});

test('bash splits --output=json into three words, which the script joins', () => {
  expect(offers.bash('status', '--output', '=')).toEqual(['text', 'wide', 'json', 'yaml']);
  expect(offers.bash('status', '--output', '=', 'w')).toEqual(['wide']);
});

(has('zsh') ? test : test.skip)('zsh takes the script as one', () => {
  expect(spawnSync('zsh', ['-n', join(directory, 'zsh')], { encoding: 'utf8' })).toMatchObject({
    status: 0,
    stderr: '',
  });
});
