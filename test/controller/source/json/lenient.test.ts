import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { type Cuts, type Issue, readLeniently } from '../../../../controller/source/json/lenient.ts';

const schema = z.object({
  name: z.string().optional(),
  ports: z.array(z.number()).optional(),
  tasks: z.array(z.object({ id: z.string(), size: z.number().optional() })).optional(),
});

/** Reads with `cut`, and notes where something was wrong, round by round. */
function read(json: unknown, cut: (issue: Issue, cuts: Cuts, round: number) => void) {
  const rounds: string[][] = [];
  const data = readLeniently(schema, json, (issues, cuts) => {
    rounds.push(issues.map(({ path }) => path.join('.')));
    for (const issue of issues) cut(issue, cuts, rounds.length);
  });
  return { data, rounds };
}

test('what is right is read at once, and nobody is asked', () => {
  expect(read({ name: 'a', other: 1 }, () => undefined)).toEqual({ data: { name: 'a' }, rounds: [] });
});

test('a field is left out, an element of a list too, and the JSON stays as it was given', () => {
  const json = { name: 7, tasks: [{ id: 1 }, { id: 'b' }, 5, { id: 'd' }] };
  const given = structuredClone(json);
  const { data, rounds } = read(json, ({ path }, cuts) => cuts.add(path.slice(0, 2)));
  expect(data).toEqual({ tasks: [{ id: 'b' }, { id: 'd' }] });
  expect(rounds).toEqual([['name', 'tasks.0.id', 'tasks.2']]);
  expect(json).toEqual(given);
});

test('what is put in the place of an element keeps the others in theirs', () => {
  const { data } = read({ ports: [80, 'x', 82] }, ({ path }, cuts) => cuts.add(path, { value: 0 }));
  expect(data).toEqual({ ports: [80, 0, 82] });
});

test('paths are those of the JSON as it was given, whatever was cut before', () => {
  const json = { tasks: [null, { id: 'b' }, null, { id: 'd', size: 'x' }] };
  // What is null first, and the rest in the next round.
  const { data, rounds } = read(json, ({ path }, cuts, round) => {
    if (path.length === 2 || round > 1) cuts.add(path);
  });
  expect(data).toEqual({ tasks: [{ id: 'b' }, { id: 'd' }] });
  expect(rounds).toEqual([['tasks.0', 'tasks.2', 'tasks.3.size'], ['tasks.3.size']]);
});

test('within what was cut, or replaced, there is nothing more to cut', () => {
  const { data } = read({ tasks: [{ id: 1 }, { id: 2 }] }, (_issue, cuts) => {
    cuts.add(['tasks', 0]);
    cuts.add(['tasks', 0, 'id']);
    cuts.add(['tasks', 1], { value: { id: 'b' } });
    cuts.add(['tasks', 1, 'id']);
    expect([cuts.affects(['tasks', 0, 'size']), cuts.affects(['tasks']), cuts.affects(['name'])]).toEqual([
      true,
      true,
      false,
    ]);
  });
  expect(data).toEqual({ tasks: [{ id: 'b' }] });
});

test('nothing is read where all of it was cut, or where what is wrong is never cut', () => {
  expect(read(5, (_issue, cuts) => cuts.add([])).data).toBeNull();
  expect(read({ name: 5 }, () => undefined).data).toBeNull();
});
