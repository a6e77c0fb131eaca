import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../controller/cli.ts';
import { usage } from '../../controller/config/given.ts';

const docs = new URL('../../docs/', import.meta.url);
const pages = readdirSync(docs).filter((name) => name.endsWith('.md'));
const textOf = (page: string) => readFileSync(new URL(page, docs), 'utf8');

test('the index leads to every page', () => {
  const index = textOf('README.md');
  const missing = readdirSync(docs).filter(
    (name) => /\.(md|json|8)$/.test(name) && name !== 'README.md' && !index.includes(`(${name})`),
  );
  expect(missing).toEqual([]);
});

describe.each(pages)('%s', (page) => {
  const text = textOf(page);

  test('every link leads to a file', () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path);
    expect(links.filter((path) => !existsSync(new URL(path, docs)))).toEqual([]);
  });

  test('every command of ours is one that there is, with options that it takes', () => {
    const blocks = [...text.matchAll(/^```(?:sh|console)\n(.*?)^```$/gms)].map(([, block = '']) => block);
    const lines = blocks.flatMap((block) => block.split('\n'));
    for (const line of lines) {
      const [, words] = /^(?:\$ )?(?:npx )?marathon-ipvs (.*)$/.exec(line) ?? [];
      if (words === undefined || /[<>|…]|\\$/.test(words)) continue;
      const argv = (words.replace(/\s#.*$/, '').match(/'[^']*'|\S+/g) ?? []).map((word) =>
        word.replaceAll("'", ''),
      );
      expect(accepted(argv)).toBe(true);
    }
  });
});

/** Files that a page names need not be on this machine. */
function accepted(argv: readonly string[]): boolean {
  try {
    parseCommandLine(argv, {});
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes('cannot be read')) return true;
    throw usage(`${argv.join(' ')}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
