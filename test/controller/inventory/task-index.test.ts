import { expect, test } from '@jest/globals';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import type { TaskCondition, TaskLookup } from '../../../controller/inventory/task-index.ts';
import type { Task } from '../../../controller/model/app.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import { app, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import { list } from '../../support/telling.ts';

const declared = port({ VIP_0: '/a:80', IPVS_DRAIN_SECONDS: '20' });
const taskAt = (now: Snapshot): TaskLookup => {
  const { tasks } = Inventory.of([now]);
  return (endpoint) => tasks.taskAt(endpoint);
};
const one = (id: string, where: string, what: Partial<Task>) =>
  app(id, { ports: [declared], tasks: [task(`${id}.1`, [taskPort(declared, where)], what)] });

test('connections to an endpoint may live on while a task is there that is not gone, for as long as its app says', () => {
  const at = taskAt(
    snapshot(
      web('/run', { VIP_0: '/run:80' }, '10.0.0.1:1'),
      one('/far', '10.0.0.2:2', { state: 'unreachable' }),
      one('/end', '10.0.0.3:3', { state: 'gone' }),
    ),
  );
  expect(at('10.0.0.1:1')).toEqual({ drainSeconds: 300, condition: 'serving' });
  expect(at('10.0.0.2:2')).toEqual({ drainSeconds: 20, condition: 'unreachable' });
  expect(at('10.0.0.3:3')).toEqual({ drainSeconds: null, condition: 'ended' });
  expect(at('10.0.0.4:4')).toBeNull();
});

test.each<[Partial<Task>, TaskCondition]>([
  [{}, 'serving'],
  [{ health: 'healthy' }, 'serving'],
  [{ health: 'unhealthy' }, 'unhealthy'],
  [{ health: 'unknown' }, 'health lost'],
  [{ state: 'killing', health: 'unknown' }, 'ended'],
  [{ state: 'gone' }, 'ended'],
  [{ state: 'unreachable', health: 'healthy' }, 'unreachable'],
  [{ state: 'staging' }, 'staging'],
])('a task that is reported as %o stands as %s', (what, condition) => {
  expect(taskAt(snapshot(one('/a', '10.0.0.1:1', what)))('10.0.0.1:1')?.condition).toBe(condition);
});

test('of two apps that have tasks at one endpoint the longer drain wins, and one that serves is enough', () => {
  const two = snapshot(
    one('/a', '10.0.0.1:1', { state: 'killing' }),
    one('/b', '10.0.0.1:1', { state: 'gone' }),
    web('/c', { VIP_0: '/c:80' }, '10.0.0.1:1'),
    one('/d', '10.0.0.1:1', { health: 'unknown' }),
  );
  expect(taskAt(two)('10.0.0.1:1')).toEqual({ drainSeconds: 300, condition: 'serving' });
});

test('the answer follows the apps: one that went is at its endpoints no more, one that moved is elsewhere', () => {
  const inventory = new Inventory();
  const at = (endpoint: string) => inventory.tasks.taskAt(endpoint)?.condition ?? null;
  const publish = (now: Snapshot) => {
    list(inventory, 'one', now);
    inventory.settle(() => false);
  };
  publish(snapshot(one('/a', '10.0.0.1:1', {}), one('/b', '10.0.0.1:1', { state: 'killing' })));
  publish(snapshot(one('/a', '10.0.0.2:1', {}), one('/b', '10.0.0.1:1', { state: 'killing' })));
  expect([at('10.0.0.1:1'), at('10.0.0.2:1')]).toEqual(['ended', 'serving']);
  publish(snapshot());
  expect([at('10.0.0.1:1'), at('10.0.0.2:1')]).toEqual([null, null]);
});
