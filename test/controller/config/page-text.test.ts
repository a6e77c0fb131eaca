import { expect, test } from '@jest/globals';
import { type Block, toMarkdown, toRoff } from '../../../controller/config/page-text.ts';

const BLOCKS: readonly Block[] = [
  {
    kind: 'command',
    name: 'show',
    short: null,
    values: ['<id>'],
    text: 'one app.',
    notes: ['`id`: its id.'],
  },
  { kind: 'command', name: 'run', short: null, values: [], text: 'all.', notes: [] },
  { kind: 'heading', text: 'Timing' },
  { kind: 'text', text: "'Twas `a-b` \\ c." },
  { kind: 'option', name: '--output', short: '-o', values: ['a|b'], text: 'Form.', notes: ['Default: `a`.'] },
  { kind: 'code', language: 'sh', text: 'one\n.two' },
];

test('one list of blocks is a page of Markdown', () => {
  expect(toMarkdown(BLOCKS)).toBe(`- \`marathon-ipvs show <id>\`: one app.
  - \`id\`: its id.
- \`marathon-ipvs run\`: all.

## Timing

'Twas \`a-b\` \\ c.

### \`--output a|b\`

Form.

- Default: \`a\`.
- For short: \`-o\`.

\`\`\`sh
one
.two
\`\`\`
`);
});

test('and a part of a man page, escaped for roff', () => {
  expect(toRoff(BLOCKS)).toEqual([
    ...['.TP', '\\fBshow\\fR \\fI<id>\\fR', 'One app.', '.br', '\\fBid\\fR: its id.'],
    ...['.TP', '\\fBrun\\fR', 'All.'],
    '.SS Timing',
    "\\&'Twas \\fBa\\-b\\fR \\e c.",
    ...['.TP', '\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIa|\\:b\\fR', 'Form.', '.br', 'Default: \\fBa\\fR.'],
    ...['.PP', '.RS 4', '.EX', 'one', '\\&.two', '.EE', '.RE'],
  ]);
});
