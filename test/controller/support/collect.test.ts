import { expect, test } from '@jest/globals';
import { collect, type Part } from '../../../controller/support/collect.ts';

const SIGNAL = new AbortController().signal;
const same = (text: string) => text;

function part(name: string, text: string, keep?: 'end'): Part {
  return { name, collect: async () => text, ...(keep !== undefined && { keep }) };
}

test('a part that fails becomes a file with the reason, and the others are collected', async () => {
  const broken: Part = { name: 'diff.txt', collect: () => Promise.reject(new Error('no source of pa55')) };
  const clean = (text: string) => text.replaceAll('pa55', '***');
  expect(await collect([broken, part('ip.txt', 'pa55\n')], clean, SIGNAL)).toEqual([
    { name: 'diff.txt.error', text: 'no source of ***\n', note: 'not collected: no source of ***' },
    { name: 'ip.txt', text: '***\n', note: null },
  ]);
});

test('a part that never ends is not waited for, even if it ignores its signal', async () => {
  const deaf: Part = { name: 'a.txt', collect: () => new Promise(() => {}) };
  const limits = { file: 100, all: 100, milliseconds: 5 };
  expect(await collect([deaf, part('b.txt', 'b\n')], same, SIGNAL, limits)).toEqual([
    { name: 'a.txt.error', text: 'not within 0.005 s\n', note: 'not collected: not within 0.005 s' },
    { name: 'b.txt', text: 'b\n', note: null },
  ]);
});

test('a long text is truncated at a line, a log at its beginning', async () => {
  const limits = { file: 8, all: 100, milliseconds: 60_000 };
  const texts = await collect(
    [part('head', 'one\ntwo\nthree\n'), part('log', 'one\ntwo\nthree\n', 'end'), part('line', 'x'.repeat(9))],
    same,
    SIGNAL,
    limits,
  );
  expect(texts.map(({ text }) => text)).toEqual(['one\ntwo\n', 'three\n', '']);
  expect(texts[0]?.note).toBe('truncated: 14 bytes are too many');
});

test('all parts together have a limit too', async () => {
  const limits = { file: 8, all: 10, milliseconds: 60_000 };
  const all = await collect([part('a', '1234567\n'), part('b', '9\n0\n1\n')], same, SIGNAL, limits);
  expect(all.map(({ text }) => text)).toEqual(['1234567\n', '9\n']);
});

test('rejects with the reason of its signal', async () => {
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await expect(collect([part('a', 'a')], same, stop.signal)).rejects.toThrow('enough');
});
