import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { readable } from '../../../../controller/source/mesos/readable.ts';

const item = z.object({ key: z.string(), value: z.string().nullish() });
const schema = z.object({
  id: z.object({ value: z.string().min(1) }),
  items: z.array(item).max(4).nullish(),
  ports: z.array(z.object({ number: z.number(), protocol: z.string().nullish() })).nullish(),
});
const id = { value: 'a' };

test.each<[string, object, object, string[]]>([
  ['nothing where nothing is wrong', { id, items: [] }, { id, items: [] }, []],
  ['a list that is none', { id, items: 'x' }, { id }, ['items']],
  [
    'a field that may be absent',
    { id, items: [{ key: 'k', value: 5 }] },
    { id, items: [{ key: 'k' }] },
    ['items[0].value'],
  ],
  [
    'the elements that lack what they need, by their places in the list as it was',
    { id, items: [null, { key: 'a' }, { value: 'x' }, { key: 'b', value: 5 }] },
    { id, items: [{ key: 'a' }, { key: 'b' }] },
    ['items[0]', 'items[2].key', 'items[3].value'],
  ],
  [
    'an element with a decisive field of a wrong type',
    { id, ports: [{ number: 1, protocol: 7 }, { number: 2 }] },
    { id, ports: [{ number: 2 }] },
    ['ports[0].protocol'],
  ],
  [
    'a list over its bound, once',
    { id, items: ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => ({ key })) },
    { id },
    ['items'],
  ],
])('leaves out %s', (_what, json, data, at) => {
  const read = readable(schema, json);
  expect(read.data).toEqual(data);
  expect(read.problems.map((each) => each.at)).toEqual(at);
  expect([...read.unread]).toEqual([...new Set(at.map((each) => each.replace(/[.[].*/, '')))]);
});

test.each<[unknown, string]>([
  [{}, 'id'],
  [{ id: { value: '' } }, 'id.value'],
  [{ id: 'x' }, 'id'],
  [5, ''],
])('reads nothing of %j, without what it needs', (json, at) => {
  const { data, problems } = readable(schema, json);
  expect(data).toBeNull();
  expect(problems.map((each) => each.at)).toEqual([at]);
});

test('shows the offending value of at most ten problems', () => {
  const items = Array.from({ length: 20 }, () => 5);
  const { problems } = readable(z.object({ items: z.array(item) }), { items });
  expect(problems).toHaveLength(10);
  expect(problems[9]).toEqual({ at: 'items[9]', value: '5', reason: 'expected an object, got a number' });
});

test('leaves out ten thousand elements in one go', () => {
  const numbers = z.array(z.object({ n: z.number() }));
  const wrong = (index: number) => (index % 3 === 0 ? null : { n: index % 3 === 1 ? 'x' : index });
  const list = Array.from({ length: 15_000 }, (_each, index) => wrong(index));
  expect(readable(z.object({ list: numbers }), { list }).data?.list).toHaveLength(5_000);
});
