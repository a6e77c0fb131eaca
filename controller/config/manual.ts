/**
 * The man page, made from the lists of commands and options: docs/marathon-ipvs.8.
 *
 *     node --conditions=ipvs-source controller/config/manual.ts
 */

import { writeFileSync } from 'node:fs';
import { type ArgumentInfo, commandArguments } from './arguments.ts';
import { fileName, flagName, variableName } from './given.ts';
import { type CommandName, commandDescriptions, shownCommands } from './option.ts';
import { describeOption, type OptionName, optionNames } from './options.ts';
import { version } from './version.ts';

/** The page as `man` reads it, in the macros of man(7). */
export function manualPage(): string {
  const groups = Map.groupBy(optionNames, (name) => describeOption(name).group);
  const options = [...groups].flatMap(([group, names]) => [`.SS ${group}`, ...names.flatMap(option)]);
  return [
    '.\\" Made from controller/config/options.ts by controller/config/manual.ts. Do not edit.',
    `.TH MARATHON-IPVS 8 "" "marathon-ipvs ${version()}" "System administration"`,
    '.SH NAME',
    'marathon-ipvs \\- keeps DC/OS VIP names working: Marathon app definitions become live kernel IPVS tables',
    '.SH SYNOPSIS',
    '.B marathon-ipvs',
    '.I COMMAND',
    '[\\fIOPTION\\fR...]',
    '.SH DESCRIPTION',
    ...DESCRIPTION.map(escaped),
    '.SH COMMANDS',
    ...[...commandDescriptions].flatMap(([name, description]) => command(name, description)),
    '.SH OPTIONS',
    ...OPTIONS_BEFORE.map(escaped),
    ...options,
    '.SH EXIT STATUS',
    ...EXIT.flatMap(([status, words]) => ['.TP', `.B ${status}`, escaped(words)]),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.map(escaped),
    '.SH FILES',
    ...FILES.flatMap(([path, words]) => ['.TP', `.I ${escaped(path)}`, escaped(words)]),
    '.SH EXAMPLES',
    ...EXAMPLES.flatMap(([words, line]) => [
      '.PP',
      escaped(words),
      '.PP',
      '.RS 4',
      '.EX',
      escaped(line),
      '.EE',
      '.RE',
    ]),
    '.SH SEE ALSO',
    '.BR ipvsadm (8),',
    '.BR nft (8),',
    '.BR ip (8)',
    '',
  ].join('\n');
}

const DESCRIPTION = [
  'A controller for each host: it follows Marathon, and keeps the IPVS table of the kernel so that every VIP label of an app or pod leads to its running tasks.',
  'Services that it has not made are never touched.',
] as const;

const OPTIONS_BEFORE = [
  'A flag beats the environment, which beats the file of --config, which beats the default.',
  'A switch (true|false) without a value is true; one that is on by default is turned off by --no-NAME too.',
] as const;

const EXIT: readonly (readonly [number, string])[] = [
  [0, 'Done; no difference (diff); no problem (doctor); the VIP works (why).'],
  [
    1,
    'There are differences (diff), no such VIP (status), a problem (doctor), something broken on the way to a VIP (why), or a deployment ended otherwise.',
  ],
  [2, 'It could not be done: one line on standard error says why; or it could not be found out (why).'],
];

const ENVIRONMENT = [
  'Every option is read from the environment too, in capitals behind MARATHON_IPVS_: --resync-seconds as MARATHON_IPVS_RESYNC_SECONDS.',
  'NO_COLOR, if not empty, turns colours off, and so does TERM=dumb.',
] as const;

const FILES: readonly (readonly [string, string])[] = [
  [defaultOf('ledger'), 'Which kernel services are ours.'],
  [defaultOf('stateDir'), 'Last good state of each source, and the addresses of names.'],
];

const EXAMPLES: readonly (readonly [string, string])[] = [
  [
    'What the controller would do on this host:',
    'marathon-ipvs diff --source marathon=http://marathon.example:8080',
  ],
  [
    'Deploy an app, and see the names and addresses that it gets:',
    'marathon-ipvs app add my-service.json --marathon http://marathon.example:8080',
  ],
  ['Every backend of one VIP, and why it has its weight:', 'marathon-ipvs status my-service'],
];

function command(name: CommandName, description: string): readonly string[] {
  const all = commandArguments.get(name) ?? [];
  const names = [`\\fB${escaped(name)}\\fR`, ...all.map(({ shown }) => `\\fI${escaped(shown)}\\fR`)];
  return ['.TP', names.join(' '), escaped(sentence(description)), ...all.flatMap(argument)];
}

function argument({ shown, description }: ArgumentInfo): readonly string[] {
  return ['.br', escaped(`${shown.replace(/[[\]<>.]/g, '').toUpperCase()}: ${sentence(description)}`)];
}

function option(name: OptionName): readonly string[] {
  const { short, value, fallback, description, accepted, commands } = describeOption(name);
  // A long list of values is broken between them.
  const values = escaped(value).replaceAll('|', '|\\:');
  const flag = `\\fB${escaped(flagName(name))}\\fR \\fI${values}\\fR`;
  const facts = [
    `Accepted: ${accepted}.`,
    ...(fallback === null ? [] : [`Default: ${fallback}.`]),
    `Used by: ${shownCommands(commands).join(', ')}.`,
    `Elsewhere: ${variableName(name)}${name === 'config' ? '' : `, ${fileName(name)} in YAML`}.`,
  ];
  return [
    '.TP',
    short === undefined ? flag : `\\fB\\-${short}\\fR, ${flag}`,
    escaped(description),
    ...facts.flatMap((fact) => ['.br', escaped(fact)]),
  ];
}

function defaultOf(name: OptionName): string {
  return describeOption(name).fallback ?? '';
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

/** Text as roff takes it literally. Code is bold: a page has no other face for it. */
function escaped(text: string): string {
  const literal = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...');
  const bold = literal.replaceAll(/`([^`]*)`/g, '\\fB$1\\fR');
  return bold.replace(/^(?=[.'])/, '\\&');
}

if (import.meta.main) {
  writeFileSync(new URL('../../docs/marathon-ipvs.8', import.meta.url), manualPage());
}
