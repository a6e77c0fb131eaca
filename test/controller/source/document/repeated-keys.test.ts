import { expect, test } from '@jest/globals';
import { convertDocuments } from '../../../../controller/source/document/convert.ts';
import { readDocumentBytes } from '../../../../controller/source/document/document-bytes.ts';

const REASON = 'this key occurs more than once in its object; only the last value, shown here, counts';

/** What is reported for each app and for the file. */
async function told(text: string) {
  const documents = await readDocumentBytes(Buffer.from(text), 'the file');
  if (documents === null) throw new Error('no known shape');
  const { apps, rejected, unknown } = await convertDocuments(documents, {
    framework: 'marathon',
    resolver: { resolve: async () => null },
    previous: () => undefined,
  });
  const all = [...rejected, ...[...apps.values()].flatMap((app) => app.rejected)];
  return {
    apps,
    unknown,
    lines: all.map(({ app, at, value, reason }) => `${app}: ${at} = ${value}: ${reason}`),
  };
}

const labels = '"labels":{"VIP_0":"a:80","VIP_0":"b:80"}';
const app = (fields: string) => `{"id":"/a","cmd":"x",${fields}}`;

test.each([
  ['a list of apps', `{"apps":[${app('"x":1')},${app(labels).replace('/a', '/b')}]}`, '/b'],
  ['a bare list', `\uFEFF[${app(labels)}]`, '/a'],
  ['one app', app(labels), '/a'],
  ['a wrapped app', `{"app":${app(labels)}}`, '/a'],
  ['a group', `{"groups":[{"id":"/g","apps":[${app('"x":1')},${app(labels).replace('/a', 'b')}]}]}`, '/g/b'],
  ['a pod', `[{"id":"/p","containers":[],${labels}}]`, '/p'],
])(
  'in %s a repeated key is reported for its app, with its path and the value in use',
  async (_name, text, id) => {
    expect((await told(text)).lines).toEqual([`${id}: labels.VIP_0 = "b:80": ${REASON}`]);
  },
);

test('the status of a pod has it in its definition', async () => {
  const { lines } = await told(`[{"id":"/p","spec":{"containers":[],${labels}},"instances":[]}]`);
  expect(lines).toEqual([`/p: spec.labels.VIP_0 = "b:80": ${REASON}`]);
});

test('the app counts with the last value, and the other apps as they are', async () => {
  const { apps } = await told(
    `[${app('"portDefinitions":[{"port":1}],"portDefinitions":[{"port":2},{"port":3}]')},{"id":"/b","cmd":"x"}]`,
  );
  expect([...apps.values()].map(({ id, ports }) => [id, ports.length])).toEqual([
    ['/a', 2],
    ['/b', 0],
  ]);
});

test.each([
  ['a list', '"tasks":[{"id":"t"}],"tasks":[ ]', 'tasks = [ ]'],
  ['text with brackets', '"x":1,"x":"}],{"', 'x = "}],{"'],
  ['written differently', '"x":1,"\\u0078":{ "y" :\n 2 }', 'x = { "y" : 2 }'],
  ['more than twice', '"x":1,"x":2,"x":3', 'x = 3'],
  ['a number at the end', '"x":1,"x":2', 'x = 2'],
  ['inside a value that does not count', '"x":{"y":1,"y":2},"x":3', 'x.y = 2'],
])('%s is reported with its last value', async (_name, fields, line) => {
  expect((await told(`[${app(fields)}]`)).lines).toContain(`/a: ${line}: ${REASON}`);
});

test('a repeated id', async () => {
  expect((await told(`[${app('"id":"/b"')}]`)).lines).toEqual([`/b: id = "/b": ${REASON}`]);
});

test('equal keys of different objects, and brackets, commas and colons in texts, are no repetition', async () => {
  const text = app(
    '"labels":{"a":"{\\"a\\":1,[]}","b":"::,,"},"env":{"a":{},"b":[]},"__proto__":{"a":[1,[2,{}]]}',
  );
  expect((await told(text)).lines).toEqual([]);
  expect((await told(`[${text}]`)).lines).toEqual([]);
});

test('a key outside every app is reported for the file, and makes no part unknown', async () => {
  const { lines, unknown } = await told(
    `{"id":"/g","version":"1","version":"2","groups":[],"apps":[{"id":"/a","cmd":"x"}]}`,
  );
  expect(lines).toEqual([`the file: version = "2": ${REASON}`]);
  expect(unknown).toBeUndefined();
});

test.each(['apps', 'groups', 'pods'])(
  'a group with two lists of %s is refused: what is in the first would look deleted',
  async (list) => {
    const text = `{"id":"/g","apps":[],"groups":[{"id":"h","${list}":[],"${list}":[]}]}`;
    await expect(told(text)).rejects.toThrow(`groups[0].${list}: expected one list, got more than one`);
  },
);

test('of very many only some are reported', async () => {
  const pairs = Array.from({ length: 250 }, (_, n) => `"k${n}":1,"k${n}":2`).join(',');
  expect((await told(`[${app(pairs)}]`)).lines).toHaveLength(100);
});
