/** Reference pages as blocks, and their two formats: Markdown for the site, roff for `man`. */

/** A part of a page. Text has code in backticks. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly language: 'sh' | 'yaml'; readonly text: string }
  | Entry;

/** The entry of a command or an option. */
export interface Entry {
  readonly kind: 'command' | 'option';
  readonly name: string;
  /** Its short form, `-o`; null if it has none. */
  readonly short: string | null;
  /** The placeholders after the name: `[name]`, `NUMBER`. */
  readonly values: readonly string[];
  readonly text: string;
  readonly notes: readonly string[];
}

/** Formats blocks as Markdown, with second-level headings. */
export function toMarkdown(blocks: readonly Block[]): string {
  const parts = blocks.map((block, at) => {
    const text = markdownOf(block);
    const inList = block.kind === 'command' && blocks[at + 1]?.kind === 'command';
    return `${text}\n${inList ? '' : '\n'}`;
  });
  return `${parts.join('').trimEnd()}\n`;
}

function markdownOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `## ${block.text}`;
    case 'text':
      return block.text;
    case 'code':
      return `\`\`\`${block.language}\n${block.text}\n\`\`\``;
    case 'command': {
      const typed = ['marathon-ipvs', block.name, ...block.values].join(' ');
      return [`- \`${typed}\`: ${block.text}`, ...block.notes.map((note) => `  - ${note}`)].join('\n');
    }
    case 'option': {
      const short = block.short === null ? [] : [`For short: \`${block.short}\`.`];
      const notes = [...block.notes, ...short].map((note) => `- ${note}`);
      return [`### \`${[block.name, ...block.values].join(' ')}\``, '', block.text, '', ...notes].join('\n');
    }
  }
}

/** Formats blocks as lines in the macros of man(7), with headings of subsections. */
export function toRoff(blocks: readonly Block[]): readonly string[] {
  return blocks.flatMap((block): readonly string[] => {
    switch (block.kind) {
      case 'heading':
        return [`.SS ${escaped(block.text)}`];
      case 'text':
        return [escaped(block.text)];
      case 'code':
        return ['.PP', '.RS 4', '.EX', ...block.text.split('\n').map(escaped), '.EE', '.RE'];
      default:
        return [
          '.TP',
          termOf(block),
          escaped(capital(block.text)),
          ...block.notes.flatMap((note) => ['.br', escaped(note)]),
        ];
    }
  });
}

function termOf({ name, short, values }: Entry): string {
  // `\:` lets a long list of values wrap between them.
  const shown = values.map((value) => `\\fI${escaped(value).replaceAll('|', '|\\:')}\\fR`);
  const letter = short === null ? '' : `\\fB${escaped(short)}\\fR, `;
  return [`${letter}\\fB${escaped(name)}\\fR`, ...shown].join(' ');
}

/** Escapes text for roff. Code is bold, since a man page has no other typeface for it. */
export function escaped(text: string): string {
  const literal = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...');
  const bold = literal.replaceAll(/`([^`]*)`/g, '\\fB$1\\fR');
  return bold.replace(/^(?=[.'])/, '\\&');
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
