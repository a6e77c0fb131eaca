import { expect, test } from '@jest/globals';
import { parseYaml } from '../../../controller/input/yaml.ts';

const LENGTH = 524_288;

test('a text full of mistakes takes about as long as a valid one', () => {
  const valid = processorMs('- {}\n');
  for (const unit of ['}', ']', '{}', '{}\n', '[}', '{]', '"\n']) {
    expect([unit, processorMs(unit) < 2 * valid]).toEqual([unit, true]);
  }
});

/** Of parsing a text of `LENGTH` characters. */
function processorMs(unit: string): number {
  const text = unit.repeat(LENGTH / unit.length);
  const before = process.cpuUsage();
  parseYaml(text, { merge: true });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

test('of several mistakes the first is reported', () => {
  expect(parseYaml('a: "b" c\nd: }\n', {}).mistake).toMatchObject({ line: 1, column: 8 });
  expect(parseYaml('a: }\nb: "c" d\n', {}).mistake).toMatchObject({ line: 1, column: 4 });
});

test.each([
  'a: |SECRET\n',
  'a: !SECRET b\n',
  'a: !SECRET {}\n',
  'a: "\\USECRETVA"\n',
  'SECRET: a\nSECRET: b\n',
  '%YAML SECRET\n---\n',
  '%SECRET\n',
  '!<SECRET\na: b\n',
  'a: }SECRET\n',
])('a mistake is also told without a word of the text: %j', (text) => {
  const { mistake } = parseYaml(text, { merge: true });
  expect(mistake?.unquoted ?? '').not.toMatch(/SEC|}/);
});
