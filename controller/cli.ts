import { Command, CommanderError, Option } from 'commander';
import { commandArguments, SHELLS, type Shell } from './config/arguments.ts';
import { type Config, resolveConfig } from './config/config.ts';
import { type Environment, flagName, type Given, printable, usage } from './config/given.ts';
import { type CommandName, commandDescriptions } from './config/option.ts';
import { describeOption, type OptionName, optionNames } from './config/options.ts';
import { version } from './config/version.ts';

/** What the command line asks for: a command with its options, or a text to print. */
export type Invocation =
  | {
      readonly command: Exclude<CommandName, 'completion'>;
      readonly config: Config;
      /** What stands on the command line besides options. */
      readonly operands: readonly string[];
    }
  | { readonly command: 'completion'; readonly shell: Shell }
  | { readonly command: 'help' | 'version'; readonly text: string };

/**
 * Reads the command line (without the program's own name), the environment and the file that they name.
 *
 * Throws a `ControllerError` with code `usage`, whose message is one line, for whatever is not accepted.
 */
export function parseCommandLine(argv: readonly string[], environment: Environment): Invocation {
  let asked: Asked | undefined;
  let printed = '';
  const program = createProgram(
    (one) => {
      asked = one;
    },
    (text) => {
      printed += text;
    },
  );
  if (argv.length === 0) return { command: 'help', text: program.helpInformation() };
  try {
    program.parse(spelledOut(argv), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version') return { command: 'version', text: printed };
    if (error.exitCode === 0) return { command: 'help', text: printed };
    // Nothing was asked for (`--`), or the help of a command that there is not.
    const [, topic] = argv[0] === 'help' ? argv : [];
    const group = program.commands.find((command) => command.name() === argv[0]);
    if (error.code === 'commander.help' && group !== undefined) {
      return { command: 'help', text: group.helpInformation() };
    }
    if (error.code === 'commander.help' && topic === undefined) {
      return { command: 'help', text: program.helpInformation() };
    }
    throw usage(oneLine(error, argv));
  }
  if (asked === undefined) return { command: 'help', text: program.helpInformation() };
  const { command, flags, operands } = asked;
  if (command === 'completion') return { command, shell: shellOf(operands[0]) };
  return { command, config: resolveConfig(command, flags, environment), operands };
}

/** A switch takes no file or name behind it for its value: `app add --force web.json`. */
function spelledOut(argv: readonly string[]): readonly string[] {
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

interface Asked {
  readonly command: CommandName;
  readonly flags: readonly Given[];
  readonly operands: readonly string[];
}

function createProgram(run: (asked: Asked) => void, print: (text: string) => void): Command {
  const program = new Command('marathon-ipvs')
    .description('Keeps DC/OS VIP names working: Marathon app definitions become live kernel IPVS tables.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', HELP_END)
    .configureOutput({ writeOut: print, writeErr: () => {}, getOutHelpWidth: () => 110 })
    .exitOverride();
  for (const [name, description] of commandDescriptions) {
    // `command()` rather than `addCommand()`: the settings above are inherited.
    const [last = '', group] = name.split(' ').reverse();
    const parent = group === undefined ? program : groupOf(program, group);
    const command = parent.command(last).description(description).addHelpText('after', HELP_END);
    for (const option of optionNames) if (takes(name, option)) addFlags(command, name, option);
    for (const { shown, description: words } of commandArguments.get(name) ?? []) {
      command.argument(shown, words);
    }
    command.action(() => run({ command: name, flags: givenFlags(command.opts()), operands: command.args }));
  }
  return program;
}

function commandsWithin(group: string): readonly CommandName[] {
  return [...commandDescriptions.keys()].filter((name) => name.startsWith(`${group} `));
}

/** The command in front of `add` in `app add`. */
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

/** `diff` is `run --once --dry-run`: whatever line `run` has been started with works with `diff` too. */
function takes(command: CommandName, name: OptionName): boolean {
  const { commands } = describeOption(name);
  return commands.includes(command) || (command === 'diff' && commands.includes('run'));
}

/** A switch that is on unless someone turns it off also has the form in which people do: `--no-wait`. */
function addFlags(command: Command, name: CommandName, option: OptionName): void {
  const { switch: isSwitch, fallback, commands, group } = describeOption(option);
  command.addOption(flag(name, option));
  if (isSwitch !== true || fallback !== 'true') return;
  const opposite = new Option(flagName(option).replace('--', '--no-'), `${flagName(option)} false`);
  command.addOption(opposite.helpGroup(`${group}:`).hideHelp(!commands.includes(name)));
}

function flag(command: CommandName, name: OptionName): Option {
  const info = describeOption(name);
  const short = info.short === undefined ? '' : `-${info.short}, `;
  const value = info.switch ? `[${info.value}]` : `<${info.value}>`;
  const fallback = info.fallback === null ? '' : ` (default: ${info.fallback})`;
  const words = info.description.replaceAll('`', '') + fallback;
  const option = new Option(`${short}${flagName(name)} ${value}`, words).helpGroup(`${info.group}:`);
  if (!info.commands.includes(command)) option.hideHelp();
  if (info.repeatable) {
    option.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
  }
  return option;
}

function givenFlags(values: Readonly<Record<string, unknown>>): Given[] {
  return optionNames.flatMap((name): Given[] => {
    // Commander's value for a switch without one is `true` itself, for its opposite `false`.
    const text = typeof values[name] === 'boolean' ? String(values[name]) : values[name];
    if (typeof text !== 'string' && !Array.isArray(text)) return [];
    return [{ name, origin: 'flag', place: 'on the command line', text }];
  });
}

/** Commander's messages have a suggestion in a second line, and whatever was typed as it is. */
function oneLine({ code, message }: CommanderError, [command = '']: readonly string[]): string {
  const text = message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean ([^\n]*?)\??\)$/, ', perhaps $1 was meant');
  const within = commandsWithin(command);
  const first = [...commandDescriptions.keys()].map((name) => name.split(' ')[0]);
  const commands = `expected one of ${(within.length > 0 ? within : [...new Set(first)]).join(', ')}`;
  if (code === 'commander.help') return `help: no such command, ${commands}`;
  if (code === 'commander.unknownCommand') return `${printable(text)}, ${commands}`;
  const names = [...commandDescriptions.keys()];
  const about = names.some((name) => name === command) || within.length > 0 ? `${command} ` : '';
  return `${printable(text)}; marathon-ipvs ${about}--help lists what is accepted`;
}
