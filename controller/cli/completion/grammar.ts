/** What can be typed, as a shell needs to know it: made from the lists of commands, arguments and options. */

import { type ArgumentInfo, commandArguments } from '../../config/arguments.ts';
import { OUTPUTS } from '../../config/config.ts';
import { flagName } from '../../config/given.ts';
import { type CommandName, commandDescriptions } from '../../config/option.ts';
import { describeOption, type OptionName, optionNames } from '../../config/options.ts';

/** What is accepted at one position: these words, a file, what a lookup finds. None of them: any text. */
export interface Words {
  readonly words: readonly string[];
  readonly files: boolean;
  readonly known: Known | null;
}

/** VIPs, apps and network namespaces of the running controller; contexts of Kubernetes, as `kubernetes=CONTEXT`. */
export type Known = 'vip' | 'app' | 'netns' | 'context';

export interface Flag extends Words {
  /** `--output`. */
  readonly name: string;
  readonly option: OptionName | null;
  /** `o`. */
  readonly short: string | null;
  /** One line, without marks. */
  readonly description: string;
  /** Whether a value must follow it. */
  readonly takesValue: boolean;
}

export interface CommandGrammar {
  /** `app add` is two. */
  readonly path: readonly string[];
  readonly description: string;
  /** What each of its arguments can be; of several at the end the last one. */
  readonly arguments: readonly Words[];
  readonly flags: readonly Flag[];
}

/** Every command, in the order of help. */
export function grammar(): readonly CommandGrammar[] {
  return [...commandDescriptions].map(([name, description]) => ({
    path: name.split(' '),
    description,
    arguments: (commandArguments.get(name) ?? []).map(argumentOf),
    flags: [...optionNames.flatMap((option) => flagsOf(name, option)), HELP],
  }));
}

/** The first words of commands, each with those that can follow it and what they are. */
export function firstWords(
  commands: readonly CommandGrammar[],
): ReadonlyMap<string, readonly CommandGrammar[]> {
  return Map.groupBy(commands, ({ path }) => path[0] ?? '');
}

/** What a first word is about: its description, or the words that follow it. */
export function summaryOf(word: string, members: readonly CommandGrammar[]): string {
  const [only] = members;
  if (only !== undefined && only.path.length === 1) return only.description;
  return `${word}s at Marathon or in Kubernetes: ${members.map(({ path }) => path[1]).join(', ')}`;
}

const NO_WORDS: Words = { words: [], files: false, known: null };
const HELP: Flag = {
  ...NO_WORDS,
  name: '--help',
  option: null,
  short: 'h',
  description: 'print this help',
  takesValue: false,
};

function argumentOf({ kind }: ArgumentInfo): Words {
  if (typeof kind !== 'string') return { ...NO_WORDS, words: kind };
  return { ...NO_WORDS, files: kind === 'file', known: kind === 'vip' || kind === 'app' ? kind : null };
}

function flagsOf(command: CommandName, option: OptionName): Flag[] {
  const info = describeOption(option);
  if (!info.commands.includes(command)) return [];
  const name = flagName(option);
  const description = info.description.replaceAll('`', '').split(/[.;:] |\.$/)[0] ?? '';
  if (info.switch === true) {
    const flag = { ...NO_WORDS, name, option, short: info.short ?? null, description, takesValue: false };
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

function valuesOf(command: CommandName, option: OptionName): Words {
  if (option === 'source') return { words: SOURCES, files: false, known: 'context' };
  if (option === 'netns') return { ...NO_WORDS, known: 'netns' };
  const outputs: Partial<Record<CommandName, readonly string[]>> = OUTPUTS;
  return option === 'output'
    ? { ...NO_WORDS, words: outputs[command] ?? [] }
    : wordsOf(describeOption(option).value);
}

const SOURCES = ['marathon=', 'mesos=', 'mesos-agent=', 'file=', 'kubernetes'];

/** `kernel|none|FILE`: words in capitals stand for something else, all others for themselves. */
function wordsOf(value: string): Words {
  const alternatives = value.split('|');
  return {
    words: alternatives.filter((word) => /^[A-Za-z][A-Za-z0-9-]*$/.test(word) && /[a-z]/.test(word)),
    files: alternatives.some((word) => word === 'PATH' || word === 'FILE'),
    known: null,
  };
}
