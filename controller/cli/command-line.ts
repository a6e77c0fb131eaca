import { Command, CommanderError, Option } from 'commander';
import { commandArguments, SHELLS, type Shell } from '../config/arguments.ts';
import { type Config, OUTPUTS, resolveConfig } from '../config/config.ts';
import { type CommandName, commandDescriptions } from '../config/option.ts';
import { type Environment, flagName, type OptionText, printable, usage } from '../config/option-text.ts';
import { describeOption, type OptionName, optionNames } from '../config/options.ts';
import { version } from '../config/version.ts';
import { commandsWithin, usageLine } from './usage-line.ts';

/** A parsed command line: a command with its options, or a text to print. */
export type Invocation =
  | {
      readonly command: Exclude<CommandName, 'completion'>;
      readonly config: Config;
      /** The arguments besides options. */
      readonly operands: readonly string[];
    }
  | { readonly command: 'completion'; readonly shell: Shell }
  | { readonly command: 'help' | 'version'; readonly text: string };

/**
 * Reads the command line (without the program's name), the environment and the configuration file that they name.
 *
 * Throws a `ControllerError` with code `usage` and a message of one line for anything that is not accepted.
 */
export function parseCommandLine(words: readonly string[], environment: Environment): Invocation {
  const argv = withoutHelpOfUnknown(helpAsOption(words));
  let parsed: ParsedCommand | undefined;
  let printed = '';
  const program = createProgram(
    (one) => {
      parsed = one;
    },
    (text) => {
      printed += text;
    },
  );
  if (argv.length === 0) return { command: 'help', text: program.helpInformation() };
  try {
    program.parse(expandSwitches(argv), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version') {
      refuseExtra('--version', argv, ['--version', '-V', '--help', '-h']);
      return { command: 'version', text: printed };
    }
    if (error.exitCode === 0) return { command: 'help', text: printed };
    // No command (`--`), or help for an unknown one.
    const [, topic] = argv[0] === 'help' ? argv : [];
    const group = program.commands.find((command) => command.name() === argv[0]);
    if (error.code === 'commander.help' && group !== undefined) {
      return { command: 'help', text: group.helpInformation() };
    }
    if (error.code === 'commander.help' && topic === undefined) {
      return { command: 'help', text: program.helpInformation() };
    }
    throw usage(usageLine(error, argv));
  }
  if (parsed === undefined) return { command: 'help', text: program.helpInformation() };
  const { command, flags, operands } = parsed;
  if (command === 'completion') return { command, shell: shellOf(operands[0]) };
  return { command, config: resolveConfig(command, flags, environment), operands };
}

/** Turns `help app add` and `app help add` into `app add --help`; an unknown command stays, to be reported later. */
function helpAsOption(argv: readonly string[]): readonly string[] {
  const [first = '', second = '', ...rest] = argv;
  const isGroup = (word: string) => commandsWithin(word).length > 0;
  const topic =
    first === 'help' ? [second, ...rest] : second === 'help' && isGroup(first) ? [first, ...rest] : [];
  const [word = '', verb = '', ...further] = topic;
  if (isGroup(word) && verb !== '') {
    if (!isCommand(`${word} ${verb}`)) return [word, verb];
    refuseExtra(`help ${word} ${verb}`, further, HELP);
    return [word, verb, '--help'];
  }
  if (!isCommand(word) && !isGroup(word)) return argv;
  refuseExtra(`help ${word}`, topic.slice(1), HELP);
  return [word, '--help'];
}

const HELP = ['--help', '-h'];

function isCommand(name: string): boolean {
  return commandDescriptions.has(name as CommandName);
}

/** Removes `--help` after an unknown command, so that the command is reported. */
function withoutHelpOfUnknown(argv: readonly string[]): readonly string[] {
  const [first = '', second = ''] = argv;
  const isGroup = commandsWithin(first).length > 0;
  const isKnown = isGroup
    ? second === '' || second.startsWith('-') || second === 'help' || isCommand(`${first} ${second}`)
    : first === 'help' || first.startsWith('-') || isCommand(first);
  return isKnown ? argv : argv.filter((word) => !HELP.includes(word));
}

/** Refuses words after something that takes none: a script with such words means something else. */
function refuseExtra(what: string, words: readonly string[], accepted: readonly string[]): void {
  const extra = words.filter((word) => !accepted.includes(word));
  if (extra.length === 0) return;
  const shown = extra.map(printable).join(', ');
  throw usage(
    `too many arguments for '${what}': expected 0, got "${shown}"; marathon-ipvs --help lists what is accepted`,
  );
}

function checkOperands(command: CommandName, operands: readonly string[]): void {
  const empty = operands.findIndex((operand) => operand.trim() === '');
  if (empty === -1) return;
  const all = commandArguments.get(command) ?? [];
  const { shown = '', description = '' } = all[Math.min(empty, all.length - 1)] ?? {};
  // An empty id is refused later, with the rules for ids.
  if (shown === '<id>') return;
  throw usage(`${command} ${shown}: "" is not accepted, expected ${description}`);
}

/** Gives a bare switch the value `true`, so that it does not take the next word for it: `app add --force web.json`. */
function expandSwitches(argv: readonly string[]): readonly string[] {
  const typed = (name: CommandName) => argv.slice(0, name.split(' ').length).join(' ') === name;
  if (![...commandArguments.keys()].some(typed)) return argv;
  const switches = optionNames.filter((name) => describeOption(name).switch === true).map(flagName);
  const end = argv.indexOf('--');
  return argv.map((word, at) => {
    const value = argv[at + 1] ?? 'true';
    const bare = switches.includes(word) && value !== 'true' && value !== 'false';
    return bare && (end === -1 || at < end) ? `${word}=true` : word;
  });
}

function shellOf(name = ''): Shell {
  const shell = SHELLS.find((known) => known === name);
  if (shell !== undefined) return shell;
  throw usage(`completion: "${printable(name)}" is not accepted, expected one of ${SHELLS.join(', ')}`);
}

interface ParsedCommand {
  readonly command: CommandName;
  readonly flags: readonly OptionText[];
  readonly operands: readonly string[];
}

function createProgram(run: (parsed: ParsedCommand) => void, print: (text: string) => void): Command {
  const program = new Command('marathon-ipvs')
    .description('Keeps DC/OS VIP names working: Marathon app definitions become live kernel IPVS tables.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', HELP_END)
    .configureOutput({ writeOut: print, writeErr: () => {}, getOutHelpWidth: () => 110 })
    .exitOverride();
  for (const [name, description] of commandDescriptions) {
    // `command()` rather than `addCommand()`, so that the settings above are inherited.
    const [last = '', group] = name.split(' ').reverse();
    const parent = group === undefined ? program : groupOf(program, group);
    const command = parent.command(last).description(description).addHelpText('after', HELP_END);
    const typed: Typed[] = [];
    for (const option of optionNames) if (takes(name, option)) addFlags(command, name, option, typed);
    for (const { shown, description: words } of commandArguments.get(name) ?? []) {
      command.argument(shown, words);
    }
    command.action(() => {
      checkOperands(name, command.args);
      run({ command: name, flags: givenFlags(typed), operands: command.args });
    });
  }
  return program;
}

/** The parent command of a verb: `app` in `app add`. */
function groupOf(program: Command, name: string): Command {
  const known = program.commands.find((command) => command.name() === name);
  const verbs = commandsWithin(name).map((command) => command.slice(name.length + 1));
  return (
    known ?? program.command(name).description(`${name}s at Marathon or in Kubernetes: ${verbs.join(', ')}`)
  );
}

const HELP_END = `
Every option is also accepted from the environment (--resync-seconds as MARATHON_IPVS_RESYNC_SECONDS) and from
a YAML file (--config; resync-seconds: 30). Flag beats environment beats file beats default.`;

/** `diff` means `run --once --dry-run`, so it takes every option of `run`. */
function takes(command: CommandName, name: OptionName): boolean {
  const { commands } = describeOption(name);
  return commands.includes(command) || (command === 'diff' && commands.includes('run'));
}

/** Adds an option; a switch that is on by default also gets a form that turns it off: `--no-wait`. */
function addFlags(command: Command, name: CommandName, option: OptionName, typed: Typed[]): void {
  const { switch: isSwitch, fallback, commands, group } = describeOption(option);
  const positive = flag(name, option);
  command.addOption(positive);
  command.on(`option:${positive.name()}`, (text: string | null) =>
    typed.push({ name: option, text: text ?? 'true' }),
  );
  if (isSwitch !== true || fallback !== 'true') return;
  const opposite = new Option(flagName(option).replace('--', '--no-'), `${flagName(option)} false`);
  command.addOption(opposite.helpGroup(`${group}:`).hideHelp(!commands.includes(name)));
  command.on(`option:${opposite.name()}`, () => typed.push({ name: option, text: 'false' }));
}

/** One option as typed; a list of them keeps their order. */
interface Typed {
  readonly name: OptionName;
  readonly text: string;
}

/** A longer placeholder would leave no room for the descriptions next to it. */
const MAX_VALUE_LENGTH = 30;

function flag(command: CommandName, name: OptionName): Option {
  const info = { ...describeOption(name), ...(name === 'output' && outputOf(command)) };
  const short = info.short === undefined ? '' : `-${info.short}, `;
  const isLong = info.value.length > MAX_VALUE_LENGTH;
  const value = info.switch ? `[${info.value}]` : `<${isLong ? 'VALUE' : info.value}>`;
  const accepted = isLong ? ` Expected: ${info.accepted}.` : '';
  const fallback = info.fallback === null ? '' : ` (default: ${info.fallback})`;
  const words = info.description.replaceAll('`', '') + accepted + fallback;
  const option = new Option(`${short}${flagName(name)} ${value}`, words).helpGroup(`${info.group}:`);
  if (!info.commands.includes(command)) option.hideHelp();
  return option;
}

/** The output formats of the command alone, and its own default. */
function outputOf(command: CommandName): { readonly value: string; readonly fallback: string } | null {
  const formats = OUTPUTS[command];
  return formats?.[0] === undefined ? null : { value: formats.join('|'), fallback: formats[0] };
}

/**
 * The last of several values wins, as usual: a wrapper script may append the options of its caller. The others follow it,
 * so that a bad one is still refused.
 */
function givenFlags(typed: readonly Typed[]): OptionText[] {
  const texts = Map.groupBy(typed, ({ name }) => name);
  return [...texts].flatMap(([name, all]): OptionText[] => {
    const given = { name, origin: 'flag', place: 'on the command line' } as const;
    if (describeOption(name).repeatable) return [{ ...given, text: all.map(({ text }) => text) }];
    return all.map(({ text }) => ({ ...given, text })).toReversed();
  });
}
