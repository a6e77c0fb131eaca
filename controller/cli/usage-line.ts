import type { CommanderError } from 'commander';
import { type CommandName, commandDescriptions, shownCommands } from '../config/option.ts';
import { flagName, printable } from '../config/option-text.ts';
import { describeOption, optionNames } from '../config/options.ts';
import { didYouMean, nearest } from '../text/suggestion.ts';

const commandNames = [...commandDescriptions.keys()];

/** The commands of a group: `app add` and others for `app`. */
export function commandsWithin(group: string): readonly CommandName[] {
  return commandNames.filter((name) => name.startsWith(`${group} `));
}

/** Describes the error in a command line, with a suggestion, in one line. */
export function usageLine({ code, message }: CommanderError, argv: readonly string[]): string {
  const text = message.replace(/^error: /, '').replace(/\n\(Did you mean [^\n]*\)$/, '');
  const [first = '', second = ''] = argv;
  if (code === 'commander.help') return unknownCommand(second, 'help: ', commandsOf(''));
  if (code === 'commander.unknownCommand') {
    const within = commandsWithin(first);
    return within.length > 0
      ? unknownCommand(`${first} ${second}`, '', within)
      : unknownCommand(first, '', commandsOf(first));
  }
  const command = commandTyped(argv);
  if (code === 'commander.unknownOption') {
    const [, option = ''] = /^unknown option '(.*)'$/s.exec(text) ?? [];
    return unknownOption(option, command, argv);
  }
  const counted = text.replace(
    /\. Expected (\d+) arguments? but got \d+: (.*)\.$/s,
    ': expected $1, got "$2"',
  );
  return `${printable(counted)}; ${listOf(command)}`;
}

/** The possible first words; or the commands that end with the typed verb. */
function commandsOf(typed: string): readonly string[] {
  const words = new Set(commandNames.map((name) => name.split(' ')[0] ?? ''));
  // `marathon-ipvs list` instead of `app list`.
  const groups = commandNames.filter((name) => name.endsWith(` ${typed}`));
  return groups.length > 0 ? groups : [...words];
}

function unknownCommand(typed: string, before: string, known: readonly string[]): string {
  const text = `${before}unknown command "${printable(typed)}"`;
  const ends = known.filter((name) => name.endsWith(` ${typed}`));
  const meant = ends.length > 1 ? null : (ends[0] ?? nearest(typed, [...known, '--version', '--help']));
  return `${text}${meant === null ? `, expected one of ${known.join(', ')}` : didYouMean(meant, '')}`;
}

function unknownOption(typed: string, command: CommandName | '', argv: readonly string[]): string {
  const [word = ''] = typed.split('=');
  const text = `unknown option "${printable(typed)}"`;
  if (command === '') {
    const known = argv.find((one) => commandNames.some((name) => name === one));
    const where =
      known === undefined
        ? 'marathon-ipvs --help lists the commands'
        : `options come after the command: marathon-ipvs ${known} ${printable(word)} …`;
    return `${text}; ${where}`;
  }
  const own = optionNames.filter((name) => takenBy(command, describeOption(name).commands));
  const meant = word.startsWith('--') ? nearest(word, own.map(flagName)) : null;
  const other = optionNames.find((name) => flagName(name) === word);
  if (meant === null && other !== undefined) {
    return `${text} of ${command}: it belongs to ${shownCommands(describeOption(other).commands).join(', ')}`;
  }
  return `${text}${didYouMean(meant, listOf(command))}`;
}

/** `diff` takes all options of `run`. */
function takenBy(command: CommandName, commands: readonly CommandName[]): boolean {
  return commands.includes(command) || (command === 'diff' && commands.includes('run'));
}

function commandTyped([first = '', second = '']: readonly string[]): CommandName | '' {
  return (
    commandNames.find((name) => name === `${first} ${second}`) ??
    commandNames.find((name) => name === first) ??
    ''
  );
}

function listOf(command: string): string {
  return `marathon-ipvs ${command === '' ? '' : `${command} `}--help lists what is accepted`;
}
