import { describe, expect, test } from '@jest/globals';
import { parseDocument } from '../../../../../../controller/cli/commands/apps/kubernetes/manifest.ts';

describe('anchors in YAML', () => {
  test('stand for their values, also in a merge key', () => {
    const text = 'labels: &vip {VIP_0: "/web:80"}\nadmin:\n  <<: *vip\n  IPVS_WEIGHT: "2"\nother: *vip\n';
    expect(parseDocument(text)).toEqual({
      labels: { VIP_0: '/web:80' },
      admin: { VIP_0: '/web:80', IPVS_WEIGHT: '2' },
      other: { VIP_0: '/web:80' },
    });
  });

  const list = (name: string, item: string) => `&${name} [${Array.from({ length: 20 }, () => item).join()}]`;

  test.each([
    ['one that is not there', 'id: *web\n', /^not valid YAML: Unresolved alias .*: web$/],
    [
      'one that contains its alias',
      'id: &a [*a]\n',
      /^not valid YAML: an alias stands for what contains it$/,
    ],
    [
      'more values than a document may have',
      `a: ${list('a', '1')}\nb: ${list('b', '*a')}\nc: ${list('c', '*b')}\n`,
      /^not valid YAML: Excessive alias count/,
    ],
  ])('that mean %s are a mistake of the document', (_what, text, message) => {
    const parse = () => parseDocument(text);
    expect(parse).toThrow(SyntaxError);
    expect(parse).toThrow(message);
  });
});

test.each([
  ['a tag', 'id: !foo /a\n', /^not valid YAML: Unresolved tag: !foo at line 1, column 5$/],
  [
    'a tag of another program',
    'id: /a\ncmd: !!js/function x\n',
    /Unresolved tag: .*js\/function at line 2, column 6$/,
  ],
  [
    'a key given twice',
    'id: /a\nid: /b\n',
    /^not valid YAML: Map keys must be unique, got id again at line 2, column 1$/,
  ],
  [
    'lists nested without end',
    '- '.repeat(50_000),
    /^not valid YAML: nested deeper than 100 levels at line 1, column \d+$/,
  ],
])('%s is a mistake of the document', (_what, text, message) => {
  expect(() => parseDocument(text)).toThrow(message);
});
