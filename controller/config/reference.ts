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

Made from \`controller/config/options.ts\` by \`npm run options\`; a test fails when it is stale. Do not edit.`;

const INTRODUCTION = `\`marathon-ipvs COMMAND --help\` prints what a command takes. \`diff\` accepts whatever \`run\` accepts.

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

/** The table of port labels. */
function labelsTable(): string {
  const rows = Object.values(OPTIONS).map(({ label, meaning }) => `| \`${label}\` | ${meaning} |`);
  return [
    '| where | label | meaning |',
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
