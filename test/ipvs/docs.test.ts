import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const sources = new URL('../../ipvs/src/', import.meta.url);
const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);

/** Exported declarations without a docstring. Above a declaration may also stand a note for the formatter. */
function undocumented(file: string): string[] {
  const lines = readFileSync(new URL(file, sources), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (!/^export (?:async |abstract )?(?:function|class|const|interface|type \w+[ <])/.test(line)) return [];
    const above = lines[index - 1]?.startsWith('// biome-ignore') ? lines[index - 2] : lines[index - 1];
    return above?.endsWith('*/') ? [] : [`${file}: ${line}`];
  });
}

test('every export has a docstring', () => {
  expect(files).toContain('client.ts');
  expect(files.flatMap(undocumented)).toEqual([]);
});
