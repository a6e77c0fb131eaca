import { describe, expect, test } from '@jest/globals';
import type { App, Task, TaskPort } from '../../../controller/model/app.ts';
import { toText } from '../../../controller/plan/print-text.ts';
import { painter } from '../../../controller/text/table.ts';
import { app, port, task, taskPort, web } from '../../support/builders.ts';
import { createDiff } from '../../support/planning.ts';
import { translate } from '../desired/support.ts';

const FULL = (name: string) => `${name}.marathon.l4lb.thisdcos.directory`;

/** The diff of these apps with an empty table, as a person sees it. */
function diffOf(...apps: readonly App[]): readonly string[] {
  const desired = translate(...apps);
  const plan = createDiff()(desired, new Map(), { owned: new Map(), inPool: () => true, adopt: false });
  const { declared, rejected } = desired;
  return toText({ plan, declared, rejected, warnings: [], held: null, leftAlone: 0 }, painter(false))
    .trimEnd()
    .split('\n');
}

test('a VIP without a running task is reported, even if nothing else is', () => {
  expect(diffOf(web('/a', { VIP_0: '/a:80' }))).toEqual([
    `1 VIP without backends: /a -> ${FULL('a')}:80 (no task runs)`,
    'Nothing to do: no VIP can be added.',
  ]);
});

test('without any VIP there is nothing to do', () => {
  expect(diffOf(app('/a'))).toEqual(['Nothing to do: there are no VIPs.']);
});

test('several are listed one per line, with protocol, and IP VIPs by address', () => {
  const both = app('/b', { ports: [port({ VIP_0: '/b:53' }, { protocols: ['udp', 'tcp'] })] });
  expect(diffOf(both, web('/c', { VIP_0: 'fd00::7:80' }))).toEqual([
    '3 VIPs without backends:',
    `    /b -> ${FULL('b')}:53/udp (no task runs)`,
    `    /b -> ${FULL('b')}:53 (no task runs)`,
    '    /c -> [fd00::7]:80 (no task runs)',
    'Nothing to do: no VIP can be added.',
  ]);
});

test('of many, only some are listed, with the total', () => {
  const lines = diffOf(...Array.from({ length: 25 }, (_, i) => web(`/a${i}`, { VIP_0: `/a${i}:80` })));
  expect(lines).toHaveLength(13);
  expect(lines[0]).toBe('25 VIPs without backends:');
  expect(lines.at(-2)).toBe('    and 15 more');
});

test('a VIP that two apps share is without backends only where neither has one', () => {
  const blue = web('/blue', { VIP_0: '/web:80' }, '10.0.0.1:1');
  const green = web('/green', { VIP_0: '/web:80' });
  expect(diffOf(blue, green).join('\n')).not.toContain('without backends');
  expect(diffOf({ ...blue, tasks: [] }, green)[0]).toBe(
    `1 VIP without backends: /blue, /green -> ${FULL('web')}:80 (no task runs)`,
  );
});

describe('why there is none', () => {
  const declared = port({ VIP_0: '/web:80' });
  const at = (id: string, state: Task['state'], ...endpoints: string[]) =>
    task(id, [taskPort(declared, ...endpoints)], { state });
  test.each<[string, readonly Task[]]>([
    ['no task runs', [at('a', 'gone', '10.0.0.1:1')]],
    ['of 2 tasks, 2 start', [at('a', 'staging'), at('b', 'staging')]],
    ['of 2 tasks, 1 starts, 1 is unreachable', [at('a', 'staging'), at('b', 'unreachable', '10.0.0.1:1')]],
    ['of 1 task, 1 runs without an address for this VIP', [at('a', 'running')]],
  ])('is told: %s', (reason, tasks) => {
    const [one] = translate(app('/web', { ports: [declared], tasks })).declared;
    expect(one).toMatchObject({ backends: 0, withoutBackends: reason });
  });

  test.each<[string, Partial<TaskPort>, string]>([
    [
      'its agent has no address',
      { unresolved: 'the agent agent-7 has no address' },
      'the agent agent-7 has no address',
    ],
    [
      'its address is unusable',
      { endpoints: [{ address: '127.0.0.1', port: 1 }] },
      "the agent's address 127.0.0.1 is a loopback address",
    ],
  ])('is told of a task that runs where %s', (_, fields, reason) => {
    const ports = [{ ...taskPort(declared), ...fields }];
    const [one] = translate(app('/web', { ports: [declared], tasks: [task('a', ports)] })).declared;
    expect(one?.withoutBackends).toBe(`of 1 task, 1 runs without an address for this VIP (${reason})`);
  });

  test('is told of a task whose address has another family than the VIP', () => {
    const ip = port({ VIP_0: 'fd00::7:80' });
    const tasks = [task('a', [taskPort(ip, '10.0.0.1:1')])];
    const [one] = translate(app('/web', { ports: [ip], tasks })).declared;
    expect(one?.withoutBackends).toBe(
      'of 1 task, 1 runs without an address for this VIP (its address 10.0.0.1 is not IPv6)',
    );
  });

  test('is told where no task can be read', () => {
    const unreadable = { app: '/web', at: 'tasks[0].ports[0]', value: 'x', reason: 'task a is left out' };
    const [one] = translate(app('/web', { ports: [declared], tasks: [], rejected: [unreadable] })).declared;
    expect(one?.withoutBackends).toBe('no task can be read: tasks[0].ports[0] is "x": task a is left out');
  });

  test('is told where the list of tasks cannot be read', () => {
    const unreadable = { app: '/web', at: 'tasks', value: '{}', reason: 'expected a list, got an object' };
    const [one] = translate(app('/web', { ports: [declared], tasks: [], rejected: [unreadable] })).declared;
    expect(one?.withoutBackends).toBe('no task can be read: tasks is "{}": expected a list, got an object');
  });

  test('quotes nothing that costs no task', () => {
    const harmless = {
      app: '/web',
      at: 'tasks[0].region',
      value: '7',
      reason: 'expected text, got a number',
    };
    const lost = { app: '/web', at: 'tasks[1].ports[0]', value: 'x', reason: 'task a is left out' };
    const reasonFor = (...rejected: readonly (typeof lost)[]) =>
      translate(app('/web', { ports: [declared], tasks: [], rejected })).declared[0]?.withoutBackends;
    expect(reasonFor(harmless)).toBe('no task runs');
    expect(reasonFor(harmless, lost)).toMatch(/^no task can be read: tasks\[1\]/);
  });

  test('is absent where there is a backend', () => {
    const [one] = translate(web('/web', { VIP_0: '/web:80' }, '10.0.0.1:1')).declared;
    expect(one).not.toHaveProperty('withoutBackends');
  });
});
