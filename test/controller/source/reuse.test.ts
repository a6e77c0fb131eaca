import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { App, Task } from '../../../controller/model.ts';
import { reuse } from '../../../controller/source/reuse.ts';
import { app, port, task, taskPort } from '../../support/builders.ts';

const declared = (vip: string) => port({ VIP_0: vip });
const at = (id: string, where: string, what: Partial<Task> = {}, vip = 'web:80') =>
  task(id, [taskPort(declared(vip), where)], what);
const web = (...tasks: readonly Task[]) => app('/web', { ports: [declared('web:80')], tasks });

test('an app in which nothing changed is the same object', () => {
  const before = web(at('a', '10.0.0.1:1'), at('b', '10.0.0.2:1'));
  expect(reuse(before, structuredClone(before))).toBe(before);
  expect(reuse(undefined, before)).toBe(before);
});

test('in one that changed, ports and tasks that did not are the same objects, wherever in the list they stand', () => {
  const before = web(at('a', '10.0.0.1:1'), at('b', '10.0.0.2:1'), at('c', '10.0.0.3:1'));
  const next = web(
    at('new', '10.0.0.4:1'),
    at('c', '10.0.0.3:1'),
    at('b', '10.0.0.2:1', { health: 'unhealthy' }),
  );
  const after = reuse(before, next);
  expect(after).toEqual(next);
  expect(after.ports).toBe(before.ports);
  expect(after.tasks[1]).toBe(before.tasks[2]);
  // Its health is new, where it is reached is not.
  expect(after.tasks[2]?.ports).toBe(before.tasks[1]?.ports);
});

test('it says what was read, whatever was known', () => {
  const tasks = fc.array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      where: fc.constantFrom('10.0.0.1:1', '10.0.0.2:1'),
      health: fc.constantFrom('healthy' as const, 'unknown' as const),
      vip: fc.constantFrom('web:80', 'api:80'),
      name: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
    }),
    { maxLength: 4 },
  );
  const made = (
    list: readonly {
      id: string;
      where: string;
      health: Task['health'];
      vip: string;
      name?: string | undefined;
    }[],
  ): App =>
    web(
      ...list.map(({ id, where, vip, health, name }) =>
        at(id, where, name === undefined ? { health } : { health, name }, vip),
      ),
    );
  fc.assert(
    fc.property(tasks.map(made), tasks.map(made), (before, next) => {
      const was = structuredClone(before);
      expect(reuse(before, next)).toEqual(next);
      expect(before).toEqual(was);
    }),
  );
});
