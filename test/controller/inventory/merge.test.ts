import { describe, expect, test } from '@jest/globals';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import type { App, Health, Task, TaskState } from '../../../controller/model/app.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import { withoutPause } from '../../../controller/time.ts';
import { app, nothingRemembered, port, snapshot, task, taskPort } from '../../support/builders.ts';
import { list } from '../../support/telling.ts';
import { lines, translate, translator } from '../desired/support.ts';

const declared = port({ VIP_0: '/web:80' });
const seen = port({ VIP_0: '/web:80' }, { at: 'discovery.ports.ports[0]' });
const at = '10.0.0.1:31001';

/** `/web` as Marathon defines it, with tasks `web.1`, … */
function defined(state: TaskState = 'running', health: Health = 'unchecked'): App {
  return app('/web', {
    ports: [declared],
    tasks: [task('web.1', [taskPort(declared, at)], { state, health })],
  });
}

/** The same as Mesos sees it. */
function fromTasks(state: TaskState = 'running', health: Health = 'unchecked', what: Partial<App> = {}): App {
  const ports = state === 'gone' ? [] : [taskPort(seen, at)];
  return app('/web', {
    fromTasks: true,
    ports: [seen],
    tasks: [task('web.1', ports, { state, health, name: 'web' })],
    ...what,
  });
}

/** One that remembers. */
function merging(): (snapshots: readonly Snapshot[]) => Snapshot {
  const inventory = new Inventory();
  return (snapshots) => {
    for (const [index, each] of snapshots.entries()) list(inventory, String(index), each);
    inventory.settle(() => false);
    return inventory.toSnapshot();
  };
}

function merge(...snapshots: readonly Snapshot[]): Snapshot {
  return Inventory.of(snapshots).toSnapshot();
}

describe.each([
  ['Marathon first', (a: App, b: App) => merge(snapshot(a), snapshot(b))],
  ['Mesos first', (a: App, b: App) => merge(snapshot(b), snapshot(a))],
])('a task that both list, %s', (_order, both) => {
  test('counts once, with the ports of its definition and the name that Mesos knows', () => {
    const { apps } = both(defined(), fromTasks());
    expect(apps).toHaveLength(1);
    expect(apps[0]?.tasks).toEqual([{ ...defined().tasks[0], name: 'web' }]);
    expect(apps[0]?.fromTasks).toBeUndefined();
  });

  test.each<[Health, Health, string]>([
    ['unhealthy', 'healthy', 'unhealthy'],
    ['healthy', 'unhealthy', 'unhealthy'],
    ['unhealthy', 'unchecked', 'unhealthy'],
    ['unknown', 'unchecked', 'unknown'],
    ['healthy', 'unchecked', 'healthy'],
    ['unchecked', 'unchecked', 'unchecked'],
  ])('is as healthy as the worse verdict: Marathon %s, Mesos %s', (marathon, mesos, verdict) => {
    const { apps } = both(defined('running', marathon), fromTasks('running', mesos));
    expect(apps[0]?.tasks[0]?.health).toBe(verdict);
  });

  test.each<[TaskState, TaskState, string]>([
    ['running', 'killing', 'killing'],
    ['killing', 'running', 'killing'],
    ['running', 'unreachable', 'unreachable'],
    ['staging', 'running', 'staging'],
    ['running', 'gone', 'gone'],
    ['running', 'running', 'running'],
  ])('serves only as far as both say: Marathon %s, Mesos %s', (marathon, mesos, state) => {
    expect(both(defined(marathon), fromTasks(mesos)).apps[0]?.tasks[0]?.state).toBe(state);
  });

  test('with a health check failing in Marathon alone gets no new connections', () => {
    const { apps } = both(defined('running', 'unhealthy'), fromTasks());
    expect(lines(translate(...apps))).toEqual(['tcp/11.225.37.143:80 wlc -> 10.0.0.1:31001 w0']);
  });
});

test('a task that only Mesos knows yet is added to the app, and one that has ended is not', () => {
  const other = task('web.2', [taskPort(seen, '10.0.0.2:31002')]);
  const ended = task('web.3', [], { state: 'gone' });
  const mesos = { ...fromTasks(), tasks: [...fromTasks().tasks, other, ended] };
  const { apps } = merge(snapshot(defined()), snapshot(mesos));
  expect(apps[0]?.tasks.map(({ id }) => id)).toEqual(['web.1', 'web.2']);
  expect(lines(translate(...apps))).toEqual([
    'tcp/11.225.37.143:80 wlc -> 10.0.0.1:31001 w1 10.0.0.2:31002 w1',
  ]);
});

describe('what is wrong with a task that only Mesos knows is reported, with the app and the source', () => {
  const MESOS = 'mesos=http://10.0.0.9:5050';
  const reported = (at: string, value: string, reason: string) => ({
    app: '/web',
    at,
    value,
    reason: `${reason} (in a task that only ${MESOS} knows)`,
  });
  const bad = (text: string) =>
    taskPort({ ...seen, labels: { VIP_0: text, IPVS_WEIGHT: '2' } }, '10.0.0.2:31002');
  const mesos = (...tasks: readonly Task[]) =>
    snapshot({ ...fromTasks(), source: MESOS, tasks: [...fromTasks().tasks, ...tasks] });
  const rejectedOf = (...snapshots: readonly Snapshot[]) => translate(...merge(...snapshots).apps).rejected;

  test.each([
    ['Marathon first', (one: Snapshot, other: Snapshot) => rejectedOf(one, other)],
    ['Mesos first', (one: Snapshot, other: Snapshot) => rejectedOf(other, one)],
  ])('a label, %s', (_order, rejections) => {
    const other = mesos(task('web.2', [bad('nocolon')]), task('web.3', [bad('nocolon')]));
    expect(rejections(snapshot(defined()), other)).toEqual([
      reported('discovery.ports.ports[0].labels.VIP_0', 'nocolon', 'expected NAME:PORT or IP:PORT'),
    ]);
  });

  test('but not once more what the definition has wrong too', () => {
    const wrong = port({ VIP_0: 'nocolon' });
    const marathon = app('/web', { ports: [wrong], tasks: [task('web.1', [taskPort(wrong, at)])] });
    expect(rejectedOf(snapshot(marathon), mesos(task('web.2', [bad('nocolon')])))).toMatchObject([
      { at: 'portDefinitions[0].labels.VIP_0' },
    ]);
  });

  test('nor of a task that both know, whose definition counts', () => {
    const both = snapshot({ ...fromTasks(), source: MESOS, tasks: [task('web.1', [bad('nocolon')])] });
    expect(rejectedOf(snapshot(defined()), both)).toEqual([]);
  });

  test('what the source itself has rejected', () => {
    const rejection = {
      app: '/web',
      at: 'discovery.ports.ports[1].number',
      value: '70000',
      reason: 'expected a port',
    };
    const rejecting = (...tasks: readonly Task[]) => {
      const apps = mesos(...tasks).apps.map((each) => ({ ...each, rejected: [rejection] }));
      return rejectedOf(snapshot(defined()), snapshot(...apps));
    };
    expect(rejecting()).toEqual([]);
    expect(rejecting(task('web.2', [taskPort(seen, '10.0.0.2:31002')]))).toEqual([
      reported(rejection.at, rejection.value, rejection.reason),
    ]);
  });

  test('and what each of several agents says of its part of an app', () => {
    const part = (id: string, value: string): Snapshot =>
      snapshot({
        ...fromTasks(),
        source: `mesos-agent=${id}`,
        tasks: [task(id, [taskPort(seen, '10.0.0.2:31002')])],
        rejected: [{ app: '/web', at: 'x', value, reason: 'r' }],
        warnings: [`w${value}`],
      });
    const desired = translate(...merge(part('a', '1'), part('b', '2')).apps);
    expect(desired.rejected.map(({ value }) => value)).toEqual(['1', '2']);
    expect(desired.warnings).toEqual(['/web w1', '/web w2']);
  });
});

test('a task that Marathon has listed and lists no more has ended, whatever Mesos said last', () => {
  const together = merging();
  const mesos = snapshot(fromTasks());
  together([snapshot(defined()), mesos]);
  const without = app('/web', { ports: [declared] });
  const ended = together([snapshot(without), mesos]).apps[0];
  expect(ended?.tasks).toEqual([]);
  expect(together([snapshot(without), mesos]).apps[0]).toBe(ended);
  // Also when the app itself is gone, and for as long as Mesos says so.
  expect(together([snapshot(), mesos]).apps[0]?.tasks).toEqual([]);
  expect(together([snapshot(without), mesos]).apps[0]?.tasks).toEqual([]);
  // Mesos has caught up: the id is forgotten.
  together([snapshot(without), snapshot()]);
  expect(together([snapshot(without), mesos]).apps[0]?.tasks).toHaveLength(1);
});

test('a task whose place Marathon does not know is where Mesos sees it', () => {
  const nowhere = { ...taskPort(declared), unresolved: 'the definition of version V could not be read' };
  const marathon = app('/web', { ports: [declared], tasks: [task('web.1', [nowhere])] });
  const { apps } = merge(snapshot(marathon), snapshot(fromTasks()));
  expect(lines(translate(...apps))).toEqual(['tcp/11.225.37.143:80 wlc -> 10.0.0.1:31001 w1']);
});

test('apps of one id in different frameworks are different apps', () => {
  const { apps } = merge(
    snapshot(defined()),
    snapshot(fromTasks('running', 'unchecked', { framework: 'other' })),
  );
  expect(apps.map(({ framework }) => framework)).toEqual(['marathon', 'other']);
});

test('an app that only Mesos knows stays what it is', () => {
  const kafka = fromTasks('running', 'unchecked', { id: '/broker', framework: 'kafka' });
  expect(merge(snapshot(defined()), snapshot(kafka)).apps[1]).toBe(kafka);
});

test('tasks of one app on several agents that are asked by themselves come together', () => {
  const second = { ...fromTasks(), tasks: [task('web.2', [taskPort(seen, '10.0.0.2:31002')])] };
  const { apps } = merge(snapshot(fromTasks()), snapshot(second));
  expect(apps.map(({ tasks }) => tasks.length)).toEqual([2]);
});

describe('an app that two sources define', () => {
  const rejection = { app: '/web', at: 'portDefinitions[0]', value: 'x', reason: 'expected a port' };
  const one = (what: Partial<App> = {}): App => ({
    ...defined(),
    rejected: [rejection],
    warnings: ['old'],
    ...what,
  });

  test('alike is the one that the first of them defines, to the object', () => {
    const first = one();
    expect(merge(snapshot(first), snapshot(one())).apps).toEqual([first]);
    expect(merge(snapshot(first), snapshot(one())).apps[0]).toBe(first);
  });

  test('has the backends of both', () => {
    const second = one({ tasks: [task('web.2', [taskPort(declared, '10.0.0.2:31002')])] });
    const { apps } = merge(snapshot(one()), snapshot(second));
    expect(apps).toHaveLength(1);
    expect(lines(translate(...apps))).toEqual([
      'tcp/11.225.37.143:80 wlc -> 10.0.0.1:31001 w1 10.0.0.2:31002 w1',
    ]);
  });

  test('has the VIPs of both definitions, each declared once with all its backends', () => {
    const other = port({ VIP_0: '/web:80', VIP_1: '/also:81' }, { at: 'portDefinitions[1]' });
    const second = one({
      ports: [declared, other],
      tasks: [task('web.2', [taskPort(other, '10.0.0.2:31002')])],
    });
    const { declared: found } = translate(...merge(snapshot(one()), snapshot(second)).apps);
    expect(found.map(({ name, port, backends }) => ({ name, port, backends }))).toEqual([
      { name: 'web', port: 80, backends: 2 },
      { name: 'also', port: 81, backends: 1 },
    ]);
  });

  test('is reported once where both are wrong alike, and twice where each is wrong in its own way', () => {
    const bad = port({ VIP_0: 'nocolon', IPVS_WEIGHT: '1' });
    const worse = port({ VIP_0: 'nocolon', IPVS_WEIGHT: '2', VIP_1: 'neither' });
    const { apps } = merge(
      snapshot(one({ ports: [bad] })),
      snapshot(one({ ports: [worse], warnings: ['old', 'new'] })),
    );
    const desired = translate(...apps);
    expect(desired.rejected.map(({ value }) => value)).toEqual(['x', 'nocolon', 'neither']);
    expect(desired.warnings).toEqual(['/web new', '/web old']);
  });

  test('names both sources where they want different settings', () => {
    const [rr, lc] = ['rr', 'lc'].map((scheduler) =>
      one({ ports: [port({ VIP_0: '/web:80', IPVS_SCHEDULER: scheduler })], tasks: [], warnings: [] }),
    );
    const inventory = new Inventory();
    list(inventory, 'marathon=http://m:8080', snapshot(...(rr ? [rr] : [])));
    list(inventory, 'file=apps', snapshot(...(lc ? [lc] : [])));
    inventory.settle(withoutPause);
    expect(translate(...inventory.toSnapshot().apps).warnings).toEqual([
      '/web portDefinitions[0]: web.marathon.l4lb.thisdcos.directory:80 has IPVS_SCHEDULER lc in file=apps too, but marathon=http://m:8080 decides: IPVS_SCHEDULER rr',
    ]);
  });

  test('obeys what Mesos says of its tasks, whichever source lists them', () => {
    const second = one({ tasks: [task('web.2', [taskPort(declared, '10.0.0.2:31002')])] });
    const killing = task('web.2', [taskPort(seen, '10.0.0.2:31002')], { state: 'killing' });
    const mesos = { ...fromTasks(), tasks: [...fromTasks().tasks, killing] };
    const { apps } = merge(snapshot(one()), snapshot(second), snapshot(mesos));
    expect(lines(translate(...apps))).toEqual([
      'tcp/11.225.37.143:80 wlc -> 10.0.0.1:31001 w1 10.0.0.2:31002 w0',
    ]);
  });
});

test('what two sources say of a document that gave no app is reported once', () => {
  const said = { ...snapshot(), rejected: [{ app: 'x.json', at: '', value: '', reason: 'not JSON' }] };
  expect(translator()(merge(said, said), nothingRemembered).rejected).toHaveLength(1);
});

test('rejections and warnings of several sources are put together', () => {
  const one = snapshot(defined());
  expect(merge(one)).toEqual(one);
  const rejection = { app: '/a', at: '', value: '', reason: '' };
  const merged = merge({ ...one, rejected: [rejection] }, { ...snapshot(), warnings: ['w'] });
  expect(merged).toMatchObject({ rejected: [rejection], warnings: ['w'] });
});

test('as long as nothing changes, a merged app is the same object', () => {
  const together = merging();
  const [marathon, mesos] = [defined(), fromTasks()];
  const first = together([snapshot(marathon), snapshot(mesos)]).apps[0];
  expect(together([snapshot(marathon), snapshot(mesos)]).apps[0]).toBe(first);
  expect(together([snapshot(marathon), snapshot(fromTasks('killing'))]).apps[0]).not.toBe(first);
});
