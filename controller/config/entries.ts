/** The entries of commands and options for the reference page and the man page. */

import { commandArguments } from './arguments.ts';
import { commandDescriptions, shownCommands } from './option.ts';
import { fileName, flagName, variableName } from './option-text.ts';
import { describeOption, type OptionName, optionNames } from './options.ts';
import type { Block, Entry } from './page-text.ts';

/** Every command, in the order of the help. */
export function commandEntries(): readonly Entry[] {
  return [...commandDescriptions].map(([name, description]) => {
    const all = commandArguments.get(name) ?? [];
    return {
      kind: 'command',
      name,
      short: null,
      values: all.map(({ shown }) => shown),
      text: `${description}.`,
      notes: all.map(
        (argument) => `\`${argument.shown.replace(/[[\]<>.]/g, '')}\`: ${argument.description}.`,
      ),
    };
  });
}

/** Every option, under the heading of its group. */
export function optionEntries(): readonly Block[] {
  const groups = Map.groupBy(optionNames, (name) => describeOption(name).group);
  return [...groups].flatMap(([group, names]): readonly Block[] => [
    { kind: 'heading', text: group },
    ...names.map(optionEntry),
  ]);
}

function optionEntry(name: OptionName): Entry {
  const { value, short, fallback, accepted, description, commands, repeatable } = describeOption(name);
  const elsewhere = [
    `\`${variableName(name)}\` in the environment`,
    ...(name === 'config' ? [] : [`\`${fileName(name)}\` in YAML`]),
  ];
  const users = shownCommands(commands).map((command) => `\`${command}\``);
  return {
    kind: 'option',
    name: flagName(name),
    short: short === undefined ? null : `-${short}`,
    values: [value],
    text: description,
    notes: [
      `Accepted: ${accepted}.${repeatable === true ? ' Several are possible.' : ''}`,
      `Default: ${fallback === null ? 'none' : `\`${fallback}\``}.`,
      `Used by: ${users.join(', ')}.`,
      `Elsewhere: ${elsewhere.join(', ')}.`,
    ],
  };
}
