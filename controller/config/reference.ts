/**
 * The reference of options and labels in Markdown, made from their lists: docs/options.md and the table of docs/labels.md.
 *
 *     node --conditions=ipvs-source controller/config/reference.ts
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { OPTIONS } from '../settings.ts';
import { fileName, flagName, variableName } from './given.ts';
import { commandDescriptions, shownCommands } from './option.ts';
import { describeOption, type OptionName, optionNames } from './options.ts';

/** `docs/options.md`: every option with all that is known of it. */
export function optionsPage(): string {
  const groups = Map.groupBy(optionNames, (name) => describeOption(name).group);
  const sections = [...groups].map(([group, names]) => `## ${group}\n\n${names.map(entry).join('\n\n')}`);
  return `${INTRODUCTION}\n\n${sections.join('\n\n')}\n`;
}

function entry(name: OptionName): string {
  const { value, short, fallback, accepted, description, commands, repeatable } = describeOption(name);
  const elsewhere = [
    `\`${variableName(name)}\` in the environment`,
    ...(name === 'config' ? [] : [`\`${fileName(name)}\` in YAML`]),
    ...(short === undefined ? [] : [`\`-${short}\` for short`]),
  ];
  const lines = [
    `### \`${flagName(name)} ${value}\``,
    '',
    description,
    '',
    `- Accepted: ${accepted}.${repeatable === true ? ' Several are possible.' : ''}`,
    `- Default: ${fallback === null ? 'none' : `\`${fallback}\``}.`,
    `- Used by: ${shownCommands(commands)
      .map((command) => `\`${command}\``)
      .join(', ')}.`,
    `- Elsewhere: ${elsewhere.join(', ')}.`,
  ];
  return lines.join('\n');
}

const COMMANDS = [...commandDescriptions].map(([name, text]) => `- \`marathon-ipvs ${name}\`: ${text}.`);

const INTRODUCTION = `# Options

Made from \`controller/config/options.ts\` by \`controller/config/reference.ts\`; a test fails when it is stale. Do not edit.

${COMMANDS.join('\n')}

\`marathon-ipvs COMMAND --help\` prints what a command takes. \`diff\` accepts whatever \`run\` accepts.

An option may be given on the command line, in the environment or in a YAML file; that order decides where it is
given more than once, and the default comes last. A list that is given in one place replaces that of a weaker one.
On the command line the last value of an option decides.

\`\`\`sh
marathon-ipvs run --source marathon=http://10.0.0.1:8080,http://10.0.0.2:8080 --resync-seconds 60
MARATHON_IPVS_RESYNC_SECONDS=60 marathon-ipvs run --config /etc/marathon-ipvs/config.yaml
\`\`\`

\`\`\`yaml
# /etc/marathon-ipvs/config.yaml
source:
  - marathon=http://10.0.0.1:8080,http://10.0.0.2:8080
  - file=/etc/marathon-ipvs/apps
resync-seconds: 60
adopt: false
\`\`\`

One file, or one environment, serves all commands: each ignores what belongs to others, and refuses what no command has. No
file is read unless \`--config\` or \`MARATHON_IPVS_CONFIG\` names it; \`export MARATHON_IPVS_CONFIG=/etc/marathon-ipvs/config.yaml\`
in a profile lets \`status\`, \`doctor\` and \`app\` use the controller's own.

Several sources in the environment are separated by blanks (\`MARATHON_IPVS_SOURCE="marathon=… file=…"\`). An empty
variable counts as unset. A switch (\`true|false\`) given without a value is \`true\`.

A value that is not accepted, an option that does not exist (in the file and in the environment too; the line tells which
one was probably meant) and a path that leads to something else than the option wants (a directory for a token) end the
program with exit status 2 and one line that says where, what, and what is accepted.`;

/** The labels of ports, and what each means. */
function labelsTable(): string {
  const rows = Object.values(OPTIONS).map(({ label, meaning }) => `| \`${label}\` | ${meaning} |`);
  return [
    '| where | label | meaning |',
    '|---|---|---|',
    '| a port (portDefinition, portMapping, pod endpoint) | `VIP_0`, `VIP_1`, … | `/name:port` (named VIP) or `1.2.3.4:port`, `fd01:c::7:port` (IP VIP) |',
    ...rows.map((row, i) => `| ${i === 0 ? 'beside it ' : ''}${row}`),
  ].join('\n');
}

/** A page with the table of labels between its markers, `<!-- labels -->` and `<!-- /labels -->`; as it is without them. */
export function withLabels(page: string): string {
  // A function, since `$` means something in a replacement text.
  return page.replace(/(?<=<!-- labels -->\n).*?(?=<!-- \/labels -->)/s, () => `\n${labelsTable()}\n\n`);
}

if (import.meta.main) {
  const docs = new URL('../../docs/', import.meta.url);
  const labels = new URL('labels.md', docs);
  writeFileSync(new URL('options.md', docs), optionsPage());
  writeFileSync(labels, withLabels(readFileSync(labels, 'utf8')));
}
