/**
 * Generates the reference of options and labels: docs/options.md, docs/marathon-ipvs.8 and the table in docs/labels.md.
 *
 *     npm run options
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { OPTIONS } from '../settings/label-options.ts';
import { commandEntries, optionEntries } from './entries.ts';
import { manualPage } from './manual.ts';
import { toMarkdown } from './page-text.ts';

/** The contents of docs/options.md: every command and option. */
export function optionsPage(): string {
  return toMarkdown([
    { kind: 'text', text: TITLE },
    ...commandEntries(),
    { kind: 'text', text: INTRODUCTION },
    ...optionEntries(),
  ]);
}

const TITLE = `# Options

Generated from \`controller/config/options.ts\` by \`npm run options\`; a test fails when it is stale. Do not edit.`;

const INTRODUCTION = `\`marathon-ipvs COMMAND --help\` lists the options of a command. \`diff\` accepts all options of \`run\`.

Set an option on the command line, in the environment or in a YAML file. If you set it in several places, the command line takes
precedence over the environment, and the environment over the file. Lists are not merged: the list with precedence replaces the others.
If an option is repeated on the command line, the last value counts.

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

All commands can share one file or environment: each ignores the options of other commands, and rejects unknown options. A file is
read only if \`--config\` or \`MARATHON_IPVS_CONFIG\` names it. With \`export MARATHON_IPVS_CONFIG=/etc/marathon-ipvs/config.yaml\`
in your profile, \`status\`, \`doctor\` and \`app\` use the file of the controller.

In the environment, separate several sources with spaces (\`MARATHON_IPVS_SOURCE="marathon=… file=…"\`). An empty
variable counts as unset. A switch (\`true|false\`) without a value is \`true\`.

An invalid value, an unknown option, or a path of the wrong kind (such as a directory instead of a token file) ends the program with exit
status 2. One line says where the option was set, what is wrong, and what is accepted; for an unknown option it suggests the most
similar one.`;

/** The table of port labels. */
function labelsTable(): string {
  const rows = Object.values(OPTIONS).map(({ label, meaning }) => `| \`${label}\` | ${meaning} |`);
  return [
    '| Where | Label | Meaning |',
    '|---|---|---|',
    '| a port (portDefinition, portMapping, pod endpoint) | `VIP_0`, `VIP_1`, … | `/name:port` (named VIP) or `1.2.3.4:port`, `fd01:c::7:port` (IP VIP) |',
    ...rows.map((row, i) => `| ${i === 0 ? 'beside it ' : ''}${row}`),
  ].join('\n');
}

/** Replaces the table of labels between the markers `<!-- labels -->` and `<!-- /labels -->` of a page, if it has them. */
export function withLabels(page: string): string {
  // A function, since `$` means something in a replacement text.
  return page.replace(/(?<=<!-- labels -->\n).*?(?=<!-- \/labels -->)/s, () => `\n${labelsTable()}\n\n`);
}

if (import.meta.main) {
  const docs = new URL('../../docs/', import.meta.url);
  const labels = new URL('labels.md', docs);
  writeFileSync(new URL('options.md', docs), optionsPage());
  writeFileSync(new URL('marathon-ipvs.8', docs), manualPage());
  writeFileSync(labels, withLabels(readFileSync(labels, 'utf8')));
}
