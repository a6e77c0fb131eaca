import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { yamlText } from '../../../controller/cli/document-text.ts';
import {
  DocumentTooLong,
  onlyColours,
  quoted,
  visible,
  visibleDocument,
  visibleInJson,
  visibleJson,
} from '../../../controller/text/visible.ts';
import { ALL_HOSTILE, expectHarmless, HOSTILE } from '../../support/hostile-text.ts';

const anyText = fc.string({ unit: 'binary' });
const hostileText = fc.oneof(anyText, fc.constantFrom(...HOSTILE), fc.constant(ALL_HOSTILE));

describe('foreign text as a part of a line', () => {
  test.each([
    ['\u001b[31m', '\\x1b[31m'],
    ['\u009b', '\\x9b'],
    ['a\nb\tc\r', 'a\\nb\\tc\\r'],
    ['\u202e', '\\u202e'],
    ['\ufeff', '\\ufeff'],
    ['\ud800', '\\ud800'],
    ['\u{e0041}', '\\u{e0041}'],
    ['Zürich 東京 🙂', 'Zürich 東京 🙂'],
  ])('%j is shown as %s', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test('is one line and harmless whatever it is, and doing it twice changes nothing', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const once = visible(text);
        expect(once).not.toContain('\n');
        expectHarmless(once);
        expect(visible(once)).toBe(once);
        expectHarmless(quoted(text));
      }),
    );
  });

  test('every text and every key of a document is made visible, and the rest is not copied', () => {
    const clean = { list: ['a', { b: 1 }] };
    const made = visibleDocument({
      clean,
      'k\n': ['v\u001b', 1, null],
      map: new Map([['m\u0007', 'w\u202e']]),
    });
    expect(made).toEqual({ clean, 'k\\n': ['v\\x1b', 1, null], map: new Map([['m\\x07', 'w\\u202e']]) });
    expect(made.clean).toBe(clean);
  });
});

describe('documents for scripts', () => {
  test('JSON is the same document, and a terminal shows it as it is', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(hostileText, hostileText)), (document) => {
        const json = visibleJson(document, 2);
        expectHarmless(json);
        expect(JSON.parse(json)).toEqual(document);
      }),
    );
  });

  test('YAML too', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(hostileText, hostileText)), (document) => {
        const yaml = yamlText(document);
        expectHarmless(yaml);
        expect(parse(yaml)).toEqual(document);
      }),
    );
  });

  test('text of several lines keeps its line breaks and nothing else', () => {
    expect(visibleInJson('a\n\tb\u001b')).toBe('a\n\tb\\u001b');
  });
});

test('a document that is too long for a text is told in plain words', () => {
  // As V8 says it; a real one would take a gigabyte.
  const toJSON = () => 'x'.repeat(2 ** 30);
  expect(() => visibleJson({ toJSON })).toThrow(DocumentTooLong);
  expect(() => visibleJson({ toJSON })).toThrow('it is too long to be written as JSON');
  const endless: unknown[] = [];
  endless.push(endless);
  expect(() => visibleJson(endless)).toThrow(/circular/);
});

describe('the last safety net', () => {
  test('lets our colours and line breaks through, and nothing else that a terminal obeys', () => {
    expect(onlyColours('\u001b[32mok\u001b[0m\n\u001b[2J\u001b]0;x\u0007\u001b[31;1m\r')).toBe(
      '\u001b[32mok\u001b[0m\n\\u001b[2J\\u001b]0;x\\u0007\\u001b[31;1m\\u000d',
    );
  });

  test('leaves JSON that was not escaped the same document', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(JSON.parse(onlyColours(JSON.stringify({ text })))).toEqual({ text });
      }),
    );
  });
});
