/** The man page docs/marathon-ipvs.8, which `npm run options` generates. */

import { commandEntries, optionEntries } from './entries.ts';
import { describeOption, type OptionName } from './options.ts';
import { escaped, toRoff } from './page-text.ts';
import { version } from './version.ts';

/** The page in the macros of man(7). */
export function manualPage(): string {
  return [
    '.\\" Generated from controller/config/options.ts by `npm run options`. Do not edit.',
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
    ...toRoff(commandEntries()),
    '.SH OPTIONS',
    ...OPTIONS_BEFORE.map(escaped),
    ...toRoff(optionEntries()),
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
      ...toRoff([{ kind: 'code', language: 'sh', text: line }]),
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
  'Services of other programs are never changed.',
] as const;

const OPTIONS_BEFORE = [
  'A flag beats the environment, which beats the file of --config, which beats the default.',
  'A switch (true|false) without a value is true; one that is on by default is turned off by --no-NAME too.',
] as const;

const EXIT: readonly (readonly [number, string])[] = [
  [0, 'Done; no difference (diff); no problem (doctor); the VIP works (why).'],
  [
    1,
    'There are differences (diff), no VIP matches (status), there is a problem (doctor), connections to the VIP fail (why), or a deployment did not finish.',
  ],
  [2, 'The command failed, as one line on standard error says; or the trace is not conclusive (why).'],
];

const ENVIRONMENT = [
  'Every option is also read from the environment, in capitals with the prefix MARATHON_IPVS_: --resync-seconds as MARATHON_IPVS_RESYNC_SECONDS.',
  'NO_COLOR, if not empty, turns colours off, and so does TERM=dumb.',
] as const;

const FILES: readonly (readonly [string, string])[] = [
  [defaultOf('ledger'), 'The kernel services that this controller owns.'],
  [defaultOf('stateDir'), 'Last good state of each source, and the addresses of names.'],
];

const EXAMPLES: readonly (readonly [string, string])[] = [
  [
    'Show what the controller would do on this host:',
    'marathon-ipvs diff --source marathon=http://marathon.example:8080',
  ],
  [
    'Deploy an app, and show the names and addresses that it gets:',
    'marathon-ipvs app add my-service.json --marathon http://marathon.example:8080',
  ],
  ['Show every backend of one VIP, and why it has its weight:', 'marathon-ipvs status my-service'],
];

function defaultOf(name: OptionName): string {
  return describeOption(name).fallback ?? '';
}
