/** The grammar of the command line for shell completion, derived from the commands, arguments and options. */

import { type ArgumentInfo, commandArguments } from '../../config/arguments.ts';
import { OUTPUTS } from '../../config/config.ts';
import { type CommandName, commandDescriptions } from '../../config/option.ts';
import { flagName } from '../../config/option-text.ts';
import { describeOption, type OptionName, optionNames } from '../../config/options.ts';

/** What one position accepts: fixed words, files, or names that are looked up. If it has none of these, any text. */
export interface Candidates {
  readonly words: readonly string[];
  readonly files: boolean;
  readonly lookUp: NameKind | null;
}

/** Names to look up: VIPs, apps and network namespaces of the running controller; Kubernetes contexts, as `kubernetes=CONTEXT`. */
export type NameKind = 'vip' | 'app' | 'netns' | 'context';

export interface Flag extends Candidates {
  /** `--output`. */
  readonly name: string;
  readonly option: OptionName | null;
  /** `o`. */
  readonly short: string | null;
  /** One line, without backticks. */
  readonly description: string;
  /** Whether a value must follow it. */
  readonly takesValue: boolean;
}

export interface CommandGrammar {
  /** `['app', 'add']`. */
  readonly path: readonly string[];
  readonly description: string;
  /** The candidates of each argument; the last one may repeat. */
  readonly arguments: readonly Candidates[];
  readonly flags: readonly Flag[];
}

/** Every command, in the order of the help. */
export function grammar(): readonly CommandGrammar[] {
  return [...commandDescriptions].map(([name, description]) => ({
    path: name.split(' '),
    description,
    arguments: (commandArguments.get(name) ?? []).map(argumentOf),
    flags: [...optionNames.flatMap((option) => flagsOf(name, option)), HELP],
  }));
}

/** The commands by their first word. */
export function firstWords(
  commands: readonly CommandGrammar[],
): ReadonlyMap<string, readonly CommandGrammar[]> {
  return Map.groupBy(commands, ({ path }) => path[0] ?? '');
}

/** The description of a first word: that of its command, or the list of its verbs. */
export function summaryOf(word: string, members: readonly CommandGrammar[]): string {
  const [only] = members;
  if (only !== undefined && only.path.length === 1) return only.description;
  return `${word}s at Marathon or in Kubernetes: ${members.map(({ path }) => path[1]).join(', ')}`;
}

const NO_CANDIDATES: Candidates = { words: [], files: false, lookUp: null };
const HELP: Flag = {
  ...NO_CANDIDATES,
  name: '--help',
  option: null,
  short: 'h',
  description: 'print this help',
  takesValue: false,
};

function argumentOf({ kind }: ArgumentInfo): Candidates {
  if (typeof kind !== 'string') return { ...NO_CANDIDATES, words: kind };
  return { ...NO_CANDIDATES, files: kind === 'file', lookUp: kind === 'vip' || kind === 'app' ? kind : null };
}

function flagsOf(command: CommandName, option: OptionName): Flag[] {
  const info = describeOption(option);
  if (!info.commands.includes(command)) return [];
  const name = flagName(option);
  const description = info.description.replaceAll('`', '').split(/[.;:] |\.$/)[0] ?? '';
  if (info.switch === true) {
    const flag = {
      ...NO_CANDIDATES,
      name,
      option,
      short: info.short ?? null,
      description,
      takesValue: false,
    };
    const opposite = {
      ...flag,
      name: name.replace('--', '--no-'),
      short: null,
      description: `not: ${description}`,
    };
    return info.fallback === 'true' ? [flag, opposite] : [flag];
  }
  return [
    { ...valuesOf(command, option), name, option, short: info.short ?? null, description, takesValue: true },
  ];
}

function valuesOf(command: CommandName, option: OptionName): Candidates {
  if (option === 'source') return { words: SOURCES, files: false, lookUp: 'context' };
  if (option === 'netns') return { ...NO_CANDIDATES, lookUp: 'netns' };
  const outputs: Partial<Record<CommandName, readonly string[]>> = OUTPUTS;
  return option === 'output'
    ? { ...NO_CANDIDATES, words: outputs[command] ?? [] }
    : wordsOf(describeOption(option).value);
}

const SOURCES = ['marathon=', 'mesos=', 'mesos-agent=', 'file=', 'kubernetes'];

/** The words in `kernel|none|FILE`; those in capitals are placeholders. */
function wordsOf(value: string): Candidates {
  const alternatives = value.split('|');
  return {
    words: alternatives.filter((word) => /^[A-Za-z][A-Za-z0-9-]*$/.test(word) && /[a-z]/.test(word)),
    files: alternatives.some((word) => word === 'PATH' || word === 'FILE'),
    lookUp: null,
  };
}
