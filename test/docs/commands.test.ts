/** Commands that pages tell people to type: ours must be taken by the program, npm's must be scripts, paths must exist. */

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { marked, type Token } from 'marked';
import { parseCommandLine } from '../../controller/cli/command-line.ts';
import { navigationOf } from '../../docs/site/navigation.ts';
import { INDEX, readPage } from '../../docs/site/page.ts';
import { ROOT, repository } from '../../docs/site/repository.ts';

const index = readPage(INDEX, repository.textOf(INDEX));
const pages = navigationOf(index)
  .flatMap(({ entries }) => entries.map(({ path }) => path))
  .filter((path) => path.endsWith('.md'));
const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));

describe.each(pages)('%s', (path) => {
  const { blocks, inText } = commandsOf(marked.lexer(repository.textOf(path)));
  const typed = [...blocks, ...inText];

  test('every command of ours is one that there is, with options that it takes', () => {
    // Files need not be on this machine.
    for (const argv of ours(blocks)) expect(refused(argv, {}, /there is no such file/)).toBe(null);
    // Text may name a command without what it takes.
    const given = { MARATHON_IPVS_SOURCE: 'file=apps.json' };
    for (const argv of ours(inText)) {
      expect(refused(argv, given, /there is no such file|missing required argument/)).toBe(null);
    }
  });

  test('every npm script is one that there is', () => {
    const run = typed.flatMap(([program, verb, name]) => (program === 'npm' && verb === 'run' ? [name] : []));
    expect(run.filter((name) => !(name ?? '').includes('$') && !Object.hasOwn(scripts, name ?? ''))).toEqual(
      [],
    );
  });

  test('every path of this repository is one that there is', () => {
    const paths = typed
      .flat()
      .map((word) => word.replace(/^@/, ''))
      .filter((word) => /^(controller|deploy|docs|ipvs|test)\/[\w./-]+$/.test(word));
    expect(paths.filter((word) => !existsSync(new URL(word, ROOT)))).toEqual([]);
  });
});

/** What blocks of code for a shell, and code within text, have of commands: each as its words. */
function commandsOf(tokens: Token[]): { readonly blocks: string[][]; readonly inText: string[][] } {
  const blocks: string[] = [];
  const inText: string[] = [];
  marked.walkTokens(tokens, (token) => {
    if (token.type === 'code' && token.lang === 'sh') blocks.push(...joined(token.text));
    if (token.type === 'code' && token.lang === 'console') {
      blocks.push(...joined(token.text).filter((line) => line.startsWith('$ ')));
    }
    if (token.type === 'codespan') inText.push(token.text);
  });
  return { blocks: blocks.flatMap(simpleCommands), inText: inText.flatMap(simpleCommands) };
}

/** The arguments of each that starts our program. */
function ours(commands: readonly string[][]): string[][] {
  return commands
    .filter(([program = '', ...argv]) => program.endsWith('marathon-ipvs') && !argv.some(isBlank))
    .map(([, ...argv]) => argv);
}

function joined(block: string): string[] {
  return block.replaceAll('\\\n', ' ').split('\n');
}

/** `A=1 one 'a b' > file | two # note` is `one 'a b'` and `two`. */
function simpleCommands(line: string): string[][] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|<\(|[|&;)]+|[^\s'"|&;)])+|[|&;]+/g) ?? [];
  const commands: string[][] = [[]];
  for (const word of words) {
    if (word === '#') break;
    if (/^([|&;]+|<\()$/.test(word)) commands.push([]);
    else commands.at(-1)?.push(word.replace(/^<\(|\)$/g, '').replace(/^(['"])(.*)\1$/s, '$2'));
  }
  return commands.map(bare);
}

/** Without what stands before the program, and without where its output goes. */
function bare(words: readonly string[]): string[] {
  const from = words.findIndex((word) => !/^[A-Z_]+=|^\$$|^source$/.test(word));
  const to = words.findIndex((word) => /^\d?>/.test(word));
  return from === -1 ? [] : words.slice(from, to === -1 ? undefined : to);
}

/** Something that the reader puts in: `NAME`, `URL[,URL…]`, `bash|zsh`, `$CONTEXT`. */
function isBlank(word: string): boolean {
  return /^[A-Z]+$|[[\]…$<>|]/.test(word);
}

/** What the program says against it, apart from what may be. */
function refused(argv: readonly string[], environment: Record<string, string>, mayBe: RegExp): string | null {
  try {
    parseCommandLine(argv, environment);
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return mayBe.test(message) ? null : `${argv.join(' ')}: ${message}`;
  }
}
